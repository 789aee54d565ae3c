//go:build unix

package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
	"github.com/fairlead/fairlead/test/faults/ledger"
)

// The fleet's own times, which bounds are made of.
const (
	soon      = 45 * time.Second // for what takes no time on a quiet machine
	Grace     = 3 * time.Second  // after which the controller takes a proxy for dead
	Patience  = 10 * time.Second // how long a proxy's requests wait for a controller
	LostAfter = 3 * time.Second  // down so long, a backend's requests are given up
	TimeLimit = 8 * time.Second  // a request that runs longer is cut
	pool      = "work"
)

// Options say how large a fleet is, and where it stands.
type Options struct {
	Controllers int // 1 or 3
	Proxies     int
	Backends    int
	Slots       int    // of each backend
	Fairlead    string // the program
	Backend     string // the program of test/faults/backend
	Direct      bool   // no relays between the parts: nothing but Namespaces can be cut
	Namespaces  bool   // each part has a network of its own
	Handover    bool   // proxies hand their listeners over
}

// Fleet is controllers, proxies, backends and an agent, each a process.
type Fleet struct {
	Options
	Controllers []*Controller
	Proxies     []*Proxy
	Backends    []*Backend
	Agent       *Node // of the first backend

	t   testing.TB
	dir string
	net network
}

// Controller is one of them.
type Controller struct {
	*Node
	wire, admin string
	store       string // where its store listens for the others
	file        string // its config
}

// Proxy is one of them.
type Proxy struct {
	*Node
	Address, admin string
}

// Backend is one of them.
type Backend struct {
	*Node
	*ledger.Ledger
	Address string // by which Fairlead knows it
	listen  string
}

// New starts a fleet, and returns when all of it is at work. It ends with the test.
func New(t testing.TB, o Options) *Fleet {
	t.Helper()
	f := &Fleet{Options: o, t: t, dir: t.TempDir()}
	f.net = newNetwork(t, o)
	f.addBackends()
	f.addControllers()
	f.addProxies()
	f.addAgent()
	for _, p := range f.Proxies {
		p.Await()
	}
	f.Await()
	return f
}

func (f *Fleet) addBackends() {
	for i := range f.Options.Backends {
		name := fmt.Sprintf("b%d", i+1)
		file := filepath.Join(f.dir, name+".ledger")
		l, err := ledger.Open(file)
		if err != nil {
			f.t.Fatal(err)
		}
		b := &Backend{Ledger: l, listen: f.net.listen(f.t, name, 9000)}
		b.Address = f.net.way(f.t, Everyone, name, b.listen)
		b.Node = f.node(name, func() *exec.Cmd {
			return exec.Command(f.Options.Backend, "--listen", b.listen, "--ledger", file)
		})
		f.Backends = append(f.Backends, b)
		b.Start()
	}
}

func (f *Fleet) addControllers() {
	for i := range f.Options.Controllers {
		name := "controller"
		if i > 0 {
			name = fmt.Sprintf("controller%d", i+1)
		}
		f.Controllers = append(f.Controllers, &Controller{
			wire: f.net.listen(f.t, name, 7400), admin: f.net.listen(f.t, name, 7480), store: f.net.listen(f.t, name, 7402),
			Node: &Node{Name: name},
		})
	}
	for _, c := range f.Controllers {
		c.file = filepath.Join(f.dir, c.Name+".yaml")
		if err := os.WriteFile(c.file, []byte(f.config(c)), 0o600); err != nil {
			f.t.Fatal(err)
		}
		c.Node = f.node(c.Name, func() *exec.Cmd { return exec.Command(f.Fairlead, "controller", "-c", c.file) })
		c.Start()
	}
	for _, c := range f.Controllers {
		c.Await()
	}
}

// ways returns how a part reaches the controllers, as --controller takes it.
func (f *Fleet) ways(from string) string {
	var all []string
	for _, c := range f.Controllers {
		all = append(all, f.net.way(f.t, from, c.Name, c.wire))
	}
	return strings.Join(all, ",")
}

func (f *Fleet) addProxies() {
	for i := range f.Options.Proxies {
		name := fmt.Sprintf("p%d", i+1)
		p := &Proxy{Address: f.net.listen(f.t, name, 8080), admin: f.net.listen(f.t, name, 8081)}
		to := f.ways(name)
		p.Node = f.node(name, func() *exec.Cmd {
			args := []string{"proxy", "--controller", to, "--insecure", "--name", name, "--listen", "web=" + p.Address, "--admin", p.admin}
			if f.Handover {
				args = append(args, "--handover", filepath.Join(f.dir, name+".sock"))
			}
			return exec.Command(f.Fairlead, args...)
		})
		f.Proxies = append(f.Proxies, p)
		p.Start()
	}
}

func (f *Fleet) addAgent() {
	to := f.ways("agent")
	f.Agent = f.node("agent", func() *exec.Cmd {
		return exec.Command(f.Fairlead, "agent", "--controller", to, "--insecure", "--pool", pool,
			"--address", f.Backends[0].Address)
	})
	f.Agent.brief = true // the controller may have ended before it
	f.Agent.Start()
}

// node makes a part whose process runs where it belongs.
func (f *Fleet) node(name string, command func() *exec.Cmd) *Node {
	return &Node{Name: name, t: f.t, command: func() *exec.Cmd { return f.net.command(name, command()) }}
}

// config is the fleet's. The queue takes all that comes and keeps it longer than any
// fault lasts, so that what fails does so by the fault.
func (f *Fleet) config(c *Controller) string {
	var b strings.Builder
	fmt.Fprintf(&b, `
controller: {name: %s, listen: %q, admin: %q, data: %q, insecure: true%s}
listeners: [{name: web, address: %q, protocol: http}]
routes: [{listener: web, pool: %s}]
pools:
  - name: %s
    slots: %d
    agents: true
    queue: {limit: 100000, timeout: 2m}
    health: {type: http, path: /healthz, interval: 250ms, timeout: 1s, lost_after: %s}
    grant_limit: %s
    eject: {errors: 5, for: 1s}
    backends:
`, c.Name, c.wire, c.admin, filepath.Join(f.dir, "data-"+c.Name), f.storeOf(), "127.0.0.1:0", pool, pool, f.Slots, LostAfter, TimeLimit)
	for _, x := range f.Backends {
		fmt.Fprintf(&b, "      - {address: %q}\n", x.Address)
	}
	return b.String()
}

// storeOf is the part of the config that names the stores of several controllers.
func (f *Fleet) storeOf() string {
	if len(f.Controllers) == 1 {
		return ""
	}
	var all []string
	for _, c := range f.Controllers {
		all = append(all, fmt.Sprintf("%s: %q", c.Name, c.store))
	}
	return ", store: {peers: {" + strings.Join(all, ", ") + "}}"
}

// Await waits until it is ready.
func (c *Controller) Await() {
	c.t.Helper()
	testproc.AwaitHTTP(c.t, soon, "http://"+c.admin+"/readyz", c.Process())
}

// Await waits until it is ready.
func (p *Proxy) Await() {
	p.t.Helper()
	testproc.AwaitHTTP(p.t, soon, "http://"+p.admin+"/readyz", p.Process())
}

// Upgrade starts the program anew, as after an upgrade, and waits until the process before
// has ended.
func (p *Proxy) Upgrade() {
	p.t.Helper()
	before := p.Process()
	p.Start()
	if err := before.Wait(p.t, soon); err != nil {
		p.t.Errorf("%s ended with %v when its successor had taken over", p.Name, err)
	}
}

// Await waits until the controller that leads says that every backend takes grants and every
// proxy is connected.
func (f *Fleet) Await() {
	f.t.Helper()
	standing := testproc.Standing(pool, len(f.Backends), len(f.Proxies))
	f.awaitLeader("the whole fleet", standing)
}

// awaitLeader waits until the controller that leads the pool says so.
func (f *Fleet) awaitLeader(what string, check func(*fairleadv1.Snapshot) error) {
	f.t.Helper()
	testproc.Await(f.t, soon, what, func(ctx context.Context) error {
		s, err := f.leads(ctx)
		if err != nil {
			return err
		}
		return check(s)
	})
}

// leads returns what the controller says that leads the pool and has learnt.
func (f *Fleet) leads(ctx context.Context) (*fairleadv1.Snapshot, error) {
	err := errors.New("no controller answers")
	for _, c := range f.Controllers {
		s, failed := testproc.Look(ctx, c.admin)
		if failed != nil {
			continue
		}
		if p := s.GetPools()[0]; p.GetLedHere() && !p.GetLearning() {
			return s, nil
		}
		err = errors.New("no controller leads the pool")
	}
	return nil, err
}

// Leader returns the controller that decides.
func (f *Fleet) Leader() *Controller {
	f.t.Helper()
	var leader *Controller
	testproc.Await(f.t, soon, "a controller to lead", func(ctx context.Context) error {
		for _, c := range f.Controllers {
			if s, err := testproc.Look(ctx, c.admin); err == nil && s.GetPools()[0].GetLedHere() {
				leader = c
				return nil
			}
		}
		return errors.New("none does")
	})
	return leader
}

// AwaitBackend waits until the controller says that a backend is in this state.
func (f *Fleet) AwaitBackend(b *Backend, state string) {
	f.t.Helper()
	f.awaitLeader(b.Name+" to be "+state, func(s *fairleadv1.Snapshot) error {
		for _, x := range s.GetPools()[0].GetBackends() {
			if x.GetAddress() == b.Address && x.GetState() == state {
				return nil
			}
		}
		return errors.New("it is not")
	})
}

// AwaitIdle waits until nothing waits or runs, in the controller's books, in those of its
// proxies, and in the backends'.
func (f *Fleet) AwaitIdle() {
	f.t.Helper()
	f.awaitLeader("an idle fleet", func(s *fairleadv1.Snapshot) error {
		p := s.GetPools()[0]
		if p.GetInFlight() != 0 || p.GetQueue() != 0 {
			return fmt.Errorf("%d in flight, %d wait", p.GetInFlight(), p.GetQueue())
		}
		for _, x := range p.GetBackends() {
			if x.GetInFlight() != 0 {
				return fmt.Errorf("%s has %d in flight", x.GetAddress(), x.GetInFlight())
			}
		}
		for _, x := range s.GetProxies() {
			if st := x.GetStatus(); st.GetInFlight() != 0 || st.GetWaiting() != 0 {
				return fmt.Errorf("%s has %d in flight, and %d wait", x.GetName(), st.GetInFlight(), st.GetWaiting())
			}
		}
		for _, b := range f.Backends {
			if n := b.InFlight.Load(); n != 0 {
				return fmt.Errorf("%s itself has %d in flight", b.Name, n)
			}
		}
		return f.heldUp()
	})
}

// Reconfigure rewrites each controller's config, has it reloaded, and returns what the
// first one said of that.
func (f *Fleet) Reconfigure(change func(text string) string, flags ...string) (said string, err error) {
	f.t.Helper()
	for i, c := range f.Controllers {
		if err := os.WriteFile(c.file, []byte(change(f.config(c))), 0o600); err != nil {
			f.t.Fatal(err)
		}
		args := append([]string{"reload", "--insecure", "--controller", c.wire}, flags...)
		out, failed := f.net.command(c.Name, exec.Command(f.Fairlead, args...)).CombinedOutput()
		if i == 0 {
			said, err = string(out), failed
		}
	}
	return said, err
}

// Status returns what the leader says of the pool.
func (f *Fleet) Status() *fairleadv1.PoolStatus {
	f.t.Helper()
	return testproc.Snapshot(f.t, f.Leader().admin).GetPools()[0]
}

// Tool runs a subcommand of the program against the controller.
func (f *Fleet) Tool(args ...string) {
	f.t.Helper()
	c := f.Leader()
	cmd := f.net.command(c.Name, exec.Command(f.Fairlead, append(args, "--insecure", "--controller", c.wire)...))
	if out, err := cmd.CombinedOutput(); err != nil {
		f.t.Fatalf("fairlead %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// Forget begins the count of the most requests at once anew.
func (f *Fleet) Forget() {
	for _, b := range f.Backends {
		b.Most.Store(0)
	}
}

// Most returns the most requests that any backend had at once.
func (f *Fleet) Most() (most int) {
	for _, b := range f.Backends {
		most = max(most, int(b.Most.Load()))
	}
	return most
}

// Cut cuts the network between two parts until Heal. A part is a proxy's name, a
// backend's, "agent", "controller", or Everyone.
func (f *Fleet) Cut(from, to string, w Way) {
	f.t.Helper()
	f.net.cut(f.t, from, to, w, "")
}

// CutWork cuts the way from everyone to a backend for all but checks of its health.
func (f *Fleet) CutWork(b *Backend, w Way) {
	f.t.Helper()
	f.net.cut(f.t, Everyone, b.Name, w, "GET /healthz")
}

// Heal ends all cuts.
func (f *Fleet) Heal() { f.net.heal(f.t) }

// In has the fleet fail another test than the one that it was made for, until it is given
// back. Processes that are started meanwhile live on.
func (f *Fleet) In(t testing.TB) (giveBack func()) {
	was := f.t
	f.t = t
	return func() { f.t = was }
}
