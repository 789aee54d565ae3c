//go:build unix

// Package decide has real proxies decide for themselves, with a controller and without.
package decide

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
)

const soon = 30 * time.Second

func TestMain(m *testing.M) { testproc.Main(m) }

// fleet is a controller, proxies and backends, each a process.
type fleet struct {
	wire, admin, file string
	controller        *testproc.Process
	backends          []*testproc.Process
	addresses         []string // of backends
	proxies           []string // addresses
	admins            []string // of proxies
	client            *http.Client
}

func start(t *testing.T, decide string) *fleet {
	t.Helper()
	if os.Getenv("GORACE") == "" {
		t.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	f := &fleet{wire: testproc.FreeAddr(t), admin: testproc.FreeAddr(t), client: &http.Client{Transport: &http.Transport{}, Timeout: soon}}
	t.Cleanup(f.client.CloseIdleConnections)
	for i := range 3 {
		address, name := testproc.FreeAddr(t), fmt.Sprintf("b%d", i+1)
		f.backends = append(f.backends, testproc.Start(t, name, exec.Command(
			testproc.Binary(t, "github.com/fairlead/fairlead/test/backend"),
			"--name", name, "--listen", address, "--control", testproc.FreeAddr(t))))
		f.addresses = append(f.addresses, address)
		testproc.AwaitTCP(t, soon, address, f.backends[i])
	}
	f.file = filepath.Join(t.TempDir(), "fairlead.yaml")
	if err := os.WriteFile(f.file, []byte(f.config(testproc.FreeAddr(t), decide)), 0o600); err != nil {
		t.Fatal(err)
	}
	f.startController(t)
	for i := range 2 {
		address, admin, name := testproc.FreeAddr(t), testproc.FreeAddr(t), fmt.Sprintf("p%d", i+1)
		p := testproc.Start(t, name, exec.Command(testproc.Fairlead(t), "proxy", "--controller", f.wire, "--name", name,
			"--listen", "web="+address, "--admin", admin))
		f.proxies, f.admins = append(f.proxies, address), append(f.admins, admin)
		testproc.AwaitHTTP(t, soon, "http://"+admin+"/readyz", p)
	}
	testproc.AwaitSnapshot(t, soon, f.admin, "the fleet", testproc.Standing("work", 3, 2), f.controller)
	return f
}

func (f *fleet) config(listener, decide string) string {
	return fmt.Sprintf(`
controller: {listen: %q, admin: %q}
listeners: [{name: web, address: %q, protocol: http}]
routes: [{listener: web, pool: work}]
pools:
  - name: work
    workers: 4
    decide: %s
    health: {type: tcp, interval: 100ms, timeout: 10s, fall: 1}
    backends: [{address: %q}, {address: %q}, {address: %q}]
`, f.wire, f.admin, listener, decide, f.addresses[0], f.addresses[1], f.addresses[2])
}

func (f *fleet) startController(t *testing.T) {
	t.Helper()
	f.controller = testproc.Start(t, "controller", exec.Command(testproc.Fairlead(t), "controller", "-c", f.file))
	testproc.AwaitHTTP(t, soon, "http://"+f.admin+"/readyz", f.controller)
}

// get returns the names of the backends that served some requests at a proxy, all of
// which must be.
func (f *fleet) get(t *testing.T, proxy string, n int) map[string]int {
	t.Helper()
	var mu sync.Mutex // guards by
	by := map[string]int{}
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			resp, err := f.client.Get("http://" + proxy + "/work?ms=1")
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("%s answers %s %q, %v", proxy, resp.Status, body, err)
			}
			mu.Lock()
			by[strings.TrimSpace(string(body))]++
			mu.Unlock()
		})
	}
	all.Wait()
	return by
}

// decisions returns what a proxy counted.
func (f *fleet) decisions(t *testing.T, admin, by string) string {
	t.Helper()
	resp, err := f.client.Get("http://" + admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, fmt.Sprintf("fairlead_proxy_decisions_total{by=%q,pool=\"work\"} ", by)); ok {
			return strings.TrimSpace(n)
		}
	}
	return "none"
}

// awaitDecider waits until requests at each proxy are decided there.
func (f *fleet) awaitDecider(t *testing.T) {
	t.Helper()
	for i, p := range f.proxies {
		testproc.Await(t, soon, p+" to decide", func(context.Context) error {
			f.get(t, p, 1)
			if n := f.decisions(t, f.admins[i], "proxy"); n == "none" || n == "0" {
				return fmt.Errorf("%s decisions by the proxy", n)
			}
			return nil
		})
	}
}

func (f *fleet) awaitPool(t *testing.T, what string, good func(*fairleadv1.PoolStatus) bool) *fairleadv1.PoolStatus {
	t.Helper()
	s := testproc.AwaitSnapshot(t, soon, f.admin, what, func(s *fairleadv1.Snapshot) error {
		if p := s.GetPools()[0]; !good(p) {
			return fmt.Errorf("the pool is %v", p)
		}
		return nil
	}, f.controller)
	return s.GetPools()[0]
}

// TestProxiesServeWithoutAController: proxies that decide serve everything, over the
// death of a backend, of the controller, and of a backend that nobody tells them of.
func TestProxiesServeWithoutAController(t *testing.T) {
	f := start(t, "proxy")
	f.awaitDecider(t)
	before := f.awaitPool(t, "proxies to decide", func(p *fairleadv1.PoolStatus) bool { return p.GetByProxies() && p.GetDecide() == "proxy" })
	for _, p := range f.proxies {
		if by := f.get(t, p, 60); len(by) != 3 {
			t.Errorf("of %s the requests went to %v, want all three backends", p, by)
		}
	}
	f.awaitPool(t, "the controller to know of all", func(p *fairleadv1.PoolStatus) bool {
		return p.GetGrants() >= before.GetGrants()+120 && p.GetInFlight() == 0 && p.GetDones() == p.GetGrants()
	})
	f.backends[0].Kill()
	f.awaitPool(t, "a backend to be down", func(p *fairleadv1.PoolStatus) bool { return !p.GetBackends()[0].GetEligible() })
	for _, p := range f.proxies {
		f.get(t, p, 60)
	}
	f.controller.Kill()
	for i, p := range f.proxies {
		testproc.AwaitHTTP(t, soon, "http://"+f.admins[i]+"/readyz")
		if by := f.get(t, p, 60); len(by) != 2 {
			t.Errorf("without a controller the requests of %s went to %v, want two backends", p, by)
		}
	}
	f.backends[1].Kill() // of which nobody tells them, but their own connections
	for _, p := range f.proxies {
		if by := f.get(t, p, 60); len(by) != 1 {
			t.Errorf("the requests of %s went to %v, want one backend", p, by)
		}
	}
	f.startController(t)
	f.awaitPool(t, "proxies to decide at the next controller", func(p *fairleadv1.PoolStatus) bool {
		return p.GetByProxies() && !p.GetBackends()[1].GetEligible()
	})
	for _, p := range f.proxies {
		f.get(t, p, 20)
	}
	out, err := exec.Command(testproc.Fairlead(t), "pools", "--controller", f.wire).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "proxies") {
		t.Errorf("fairlead pools says %s, %v; want who decides", out, err)
	}
}
