//go:build unix

package claims

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
	"github.com/fairlead/fairlead/test/tap"
)

// The pools. Both have the same backends: one is HTTP, one TCP on a second port.
const (
	web = "render"
	raw = "lines"
)

// reporting is who reports a backend's load.
type reporting int

const (
	byNobody reporting = iota
	byAgent
	bySDK  // the backend itself
	byBoth // the first by its agent, the others by themselves
	guards // by themselves in both pools, and they let in only who brings a ticket
	gates  // by two agents each, which do that for them
)

// plan says what a fleet consists of.
type plan struct {
	proxies, backends int
	slots, queue      int
	reports           reporting
	more              string               // of the config: whole sections
	pools             map[string]string    // more keys of a pool's config, by its name
	keeps             bool                 // proxies may keep slots
	zones             []string             // of the backends, told by config and agents in turn
	forProxy          func(i int) []string // more arguments
}

// fleet is a controller, its proxies and its backends, each a process.
type fleet struct {
	plan
	listen, admin string // the controller's addresses
	tap           *tap.Tap
	tools         fairleadv1.ToolsClient // straight at the controller
	client        *http.Client
	proxies       []*proxy
	backends      []*backend
}

type proxy struct {
	*testproc.Process
	web, raw string // where it listens
	admin    string
}

// start starts a fleet and waits until all of it is up. It ends with the test.
func start(t *testing.T, p plan) *fleet {
	t.Helper()
	f := &fleet{plan: p, listen: testproc.FreeAddr(t), admin: testproc.FreeAddr(t)}
	for i := range p.backends {
		f.backends = append(f.backends, newBackend(t, fmt.Sprintf("b%d", i+1)))
	}
	controller := f.fairlead(t, "controller", "controller", "-c", f.writeConfig(t))
	testproc.AwaitTCP(t, soon, f.listen, controller)
	f.tap = tap.New(t, f.listen)
	f.tools = newTools(t, f.listen)
	for i, b := range f.backends {
		f.startBackend(t, i, b)
	}
	for i := range p.proxies {
		name := fmt.Sprintf("p%d", i+1)
		admin := testproc.FreeAddr(t)
		args := []string{"proxy", "--controller", f.tap.Address, "--name", name, "--drain-timeout", "2s", "--admin", admin}
		if p.forProxy != nil {
			args = append(args, p.forProxy(i)...)
		}
		f.proxies = append(f.proxies, &proxy{Process: f.fairlead(t, name, args...), admin: admin})
	}
	f.client = &http.Client{Transport: &http.Transport{}}
	t.Cleanup(f.client.CloseIdleConnections) // before the proxies are stopped
	f.awaitUp(t)
	return f
}

func (f *fleet) fairlead(t *testing.T, name string, args ...string) *testproc.Process {
	t.Helper()
	return run(t, name, testproc.Fairlead(t), args...)
}

// run starts a process. The race detector's pause at the end of each, a second, would be
// most of the time that the test takes; its warnings are written before.
func run(t *testing.T, name, program string, args ...string) *testproc.Process {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	return testproc.Start(t, name, cmd)
}

// awaitUp waits until every part is known to the controller, and learns where the
// proxies listen.
func (f *fleet) awaitUp(t *testing.T) {
	t.Helper()
	s := testproc.AwaitSnapshot(t, soon, f.admin, "the fleet to be up", func(s *fairleadv1.Snapshot) error {
		for _, pool := range []string{web, raw} {
			if err := testproc.Standing(pool, f.plan.backends, f.plan.proxies)(s); err != nil {
				return err
			}
		}
		for _, b := range poolIn(s, web).GetBackends() {
			if b.GetHasAgent() != (f.reports != byNobody) {
				return fmt.Errorf("%s has no agent", b.GetAddress())
			}
		}
		for _, p := range s.GetProxies() {
			if len(p.GetStatus().GetListeners()) != 2 {
				return fmt.Errorf("%s has not said where it listens", p.GetName())
			}
		}
		return nil
	})
	for _, standing := range s.GetProxies() {
		p := f.proxy(standing.GetName())
		for _, l := range standing.GetStatus().GetListeners() {
			switch l.GetName() {
			case "web":
				p.web = l.GetAddress()
			case "raw":
				p.raw = l.GetAddress()
			}
		}
		testproc.AwaitTCP(t, soon, p.web, p.Process)
	}
	for _, b := range f.backends {
		testproc.AwaitTCP(t, soon, b.control, b.Process)
		testproc.AwaitTCP(t, soon, b.raw, b.Process)
		b.awaitLines(t, 0) // that one is gone
	}
}

func newTools(t *testing.T, controller string) fairleadv1.ToolsClient {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+controller, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return fairleadv1.NewToolsClient(conn)
}

func (f *fleet) proxy(name string) *proxy {
	for _, p := range f.proxies {
		if p.Name() == name {
			return p
		}
	}
	return nil
}

// backend returns the one with a name or with an address in either pool; nil: none.
func (f *fleet) backend(known string) *backend {
	for _, b := range f.backends {
		if known == b.name || known == b.web || known == b.raw {
			return b
		}
	}
	return nil
}

func poolIn(s *fairleadv1.Snapshot, name string) *fairleadv1.PoolStatus {
	for _, p := range s.GetPools() {
		if p.GetName() == name {
			return p
		}
	}
	return nil
}

// awaitLoads waits until the controller counts so much in flight on each backend, in
// both pools together, and nobody waits.
func (f *fleet) awaitLoads(t *testing.T, want ...int) {
	t.Helper()
	f.awaitQueued(t, 0, want...)
}

// awaitQueued is awaitLoads with so many who wait.
func (f *fleet) awaitQueued(t *testing.T, queued int, want ...int) {
	t.Helper()
	testproc.AwaitSnapshot(t, soon, f.admin, fmt.Sprintf("%v in flight and %d queued", want, queued),
		func(s *fairleadv1.Snapshot) error {
			got, waiting := make([]int, len(f.backends)), 0
			for _, p := range s.GetPools() {
				waiting += int(p.GetQueue())
				for i, b := range p.GetBackends() {
					got[i] += int(b.GetInFlight())
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) || waiting != queued {
				return fmt.Errorf("%v in flight and %d queued", got, waiting)
			}
			return nil
		})
}

func (f *fleet) explain(t *testing.T, pool string) *fairleadv1.Explanation {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	e, err := f.tools.Explain(ctx, &fairleadv1.ExplainRequest{Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// awaitProxy waits until a proxy stands so at the controller.
func (f *fleet) awaitProxy(t *testing.T, p *proxy, what string, is func(*fairleadv1.ProxyStanding) bool) {
	t.Helper()
	testproc.AwaitSnapshot(t, soon, f.admin, p.Name()+" to be "+what, func(s *fairleadv1.Snapshot) error {
		for _, standing := range s.GetProxies() {
			if standing.GetName() == p.Name() && !is(standing) {
				return fmt.Errorf("it stands as %v", standing)
			}
		}
		return nil
	})
}
