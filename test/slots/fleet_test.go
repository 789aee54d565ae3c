//go:build unix

package slots

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
)

// fleet is a controller with its proxies and backends, each a process.
type fleet struct {
	admin, wire string
	controller  *testproc.Process
	proxies     []*proxy
	backends    []*backend
}

type proxy struct {
	name, address, admin, controller string
	process                          *testproc.Process
}

type backend struct {
	name, address, control string
	process                *testproc.Process
}

// newFleet starts a fleet, and returns when all of it is at work.
func newFleet(t *testing.T, proxies, backends int) *fleet {
	t.Helper()
	// A program with the race detector stays a second longer when it ends; there are many.
	if os.Getenv("GORACE") == "" {
		t.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	f := &fleet{admin: testproc.FreeAddr(t), wire: testproc.FreeAddr(t)}
	for i := range backends {
		b := &backend{name: fmt.Sprintf("b%d", i+1), address: testproc.FreeAddr(t), control: testproc.FreeAddr(t)}
		b.start(t)
		f.backends = append(f.backends, b)
	}
	file := filepath.Join(t.TempDir(), "fairlead.yaml")
	if err := os.WriteFile(file, []byte(f.config(testproc.FreeAddr(t))), 0o600); err != nil {
		t.Fatal(err)
	}
	f.controller = testproc.Start(t, "controller", exec.Command(testproc.Fairlead(t), "controller", "-c", file))
	testproc.AwaitHTTP(t, soon, "http://"+f.admin+"/readyz", f.controller)
	for i := range proxies {
		p := &proxy{
			name: fmt.Sprintf("p%d", i+1), address: testproc.FreeAddr(t), admin: testproc.FreeAddr(t), controller: f.wire,
		}
		p.start(t)
		f.proxies = append(f.proxies, p)
	}
	for _, p := range f.proxies {
		p.await(t)
	}
	f.await(t)
	return f
}

// config is the fleet's. The queue holds and waits more than any run here can bring, so
// that no answer but 200 is right. A check of health may be slow on a busy machine.
func (f *fleet) config(listener string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `
controller: {listen: %q, admin: %q}
listeners: [{name: web, address: %q, protocol: http}]
routes: [{listener: web, host: "*", path: /, pool: work}]
pools:
  - name: work
    slots: %d
    queue: {limit: 100000, timeout: 2m}
    health: {type: tcp, interval: 500ms, timeout: 10s}
    backends:
`, f.wire, f.admin, listener, slots)
	for _, x := range f.backends {
		fmt.Fprintf(&b, "      - {address: %q}\n", x.address)
	}
	return b.String()
}

func (b *backend) start(t *testing.T) {
	t.Helper()
	b.process = testproc.Start(t, b.name, exec.Command(
		testproc.Binary(t, "github.com/fairlead/fairlead/test/backend"),
		"--name", b.name, "--listen", b.address, "--control", b.control))
	testproc.AwaitTCP(t, soon, b.address, b.process)
	testproc.AwaitTCP(t, soon, b.control, b.process)
}

func (p *proxy) start(t *testing.T) {
	t.Helper()
	p.process = testproc.Start(t, p.name, exec.Command(testproc.Fairlead(t), "proxy",
		"--controller", p.controller, "--name", p.name, "--listen", "web="+p.address, "--admin", p.admin))
}

func (p *proxy) await(t *testing.T) {
	t.Helper()
	testproc.AwaitHTTP(t, soon, "http://"+p.admin+"/readyz", p.process)
}

// await waits until every backend takes grants and every proxy is connected.
func (f *fleet) await(t *testing.T) {
	t.Helper()
	testproc.AwaitSnapshot(t, soon, f.admin, "the fleet",
		testproc.Standing("work", len(f.backends), len(f.proxies)), f.controller)
}

// awaitIdle waits until nothing runs or waits and every grant is over, and returns the
// pool as it is then.
func (f *fleet) awaitIdle(t *testing.T) *fairleadv1.PoolStatus {
	t.Helper()
	s := testproc.AwaitSnapshot(t, soon, f.admin, "an idle pool", func(s *fairleadv1.Snapshot) error {
		p := s.GetPools()[0]
		if p.GetInFlight() != 0 || p.GetQueue() != 0 || p.GetGrants() != p.GetDones() {
			return fmt.Errorf("%d in flight, %d wait, %d grants and %d dones",
				p.GetInFlight(), p.GetQueue(), p.GetGrants(), p.GetDones())
		}
		for _, b := range p.GetBackends() {
			if b.GetInFlight() != 0 {
				return fmt.Errorf("%s has %d in flight", b.GetAddress(), b.GetInFlight())
			}
		}
		return nil
	}, f.controller)
	return s.GetPools()[0]
}

// stats is what a backend counted itself.
type stats struct {
	InFlight int `json:"in_flight"`
	Most     int `json:"most"`
	Served   int `json:"served"`
	Holding  int `json:"holding"`
}

func (b *backend) stats(t *testing.T) stats {
	t.Helper()
	var s stats
	if err := json.Unmarshal([]byte(fetch(t, "http://"+b.control+"/stats")), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// count sums a metric over all proxies, of the series that have the label.
func (f *fleet) count(t *testing.T, name string, label ...string) uint64 {
	t.Helper()
	var sum uint64
	for _, p := range f.proxies {
		for line := range strings.Lines(fetch(t, "http://"+p.admin+"/metrics")) {
			series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			if !strings.HasPrefix(series, name+"{") || len(label) > 0 && !strings.Contains(series, label[0]) {
				continue
			}
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatalf("metrics of %s: %q: %v", p.name, line, err)
			}
			sum += uint64(n)
		}
	}
	return sum
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v", url, resp.Status, err)
	}
	return string(body)
}

// within returns a context that ends with the test, or earlier.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
