// Package together runs a controller and proxies' sessions in one process, over a real
// connection, for what neither shows alone: each test is a bug that was found there.
package together

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/control"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/session"
	"github.com/fairlead/fairlead/internal/testproc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fleetOf is a controller with pools of one backend with one slot each.
type fleetOf struct {
	*control.Controller
	address string
	stop    func()
}

func start(t *testing.T, pools ...fleet.PoolName) *fleetOf {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, ln, pools...)
}

func startOn(t *testing.T, ln net.Listener, pools ...fleet.PoolName) *fleetOf {
	t.Helper()
	file := &config.Config{}
	for _, name := range pools {
		file.Pools = append(file.Pools, config.Pool{
			Name: name, Slots: 1, Queue: config.Queue{Limit: 20_000, Timeout: time.Minute},
			GrantLimit: time.Hour, Health: config.Health{Type: config.HealthNone},
			Backends: []config.Backend{{Address: string(name) + ".test:80"}},
		})
	}
	return startFile(t, ln, file)
}

func startFile(t *testing.T, ln net.Listener, file *config.Config) *fleetOf {
	t.Helper()
	c := control.New(control.Config{File: file, Software: "test", Logger: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, ln) }()
	f := &fleetOf{Controller: c, address: ln.Addr().String()}
	f.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the controller ended with %v", err)
		}
	})
	t.Cleanup(f.stop)
	return f
}

// join starts a proxy's session, and returns it when it is up.
func (f *fleetOf) join(t *testing.T, name string) *session.Session {
	t.Helper()
	s := session.New(session.Config{
		Controllers: []session.Controller{{Name: "controller", Dial: func() (*grpc.ClientConn, error) {
			return grpc.NewClient("passthrough:///"+f.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		}}},
		Name: name, Logger: slog.New(slog.DiscardHandler), Patience: time.Minute,
		OnTable: func(*fairleadv1.Table, map[uint32]*link.Pool) {},
		Status:  func() *fairleadv1.ProxyStatus { return &fairleadv1.ProxyStatus{} },
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("session %s ended with %v", name, err)
		}
	})
	f.await(t, name+" to be connected", func(s *fairleadv1.Snapshot) bool {
		for _, p := range s.GetProxies() {
			if p.GetName() == name && p.GetConnected() {
				return true
			}
		}
		return false
	})
	return s
}

// await looks at snapshots until one is as it should be.
func (f *fleetOf) await(t *testing.T, what string, good func(*fairleadv1.Snapshot) bool) {
	t.Helper()
	testproc.Await(t, 20*time.Second, what, func(ctx context.Context) error {
		s, err := f.Snapshot(ctx)
		if err == nil && !good(s) {
			err = fmt.Errorf("the fleet is %v", s)
		}
		return err
	})
}

func inFlight(n uint32) func(*fairleadv1.Snapshot) bool {
	return func(s *fairleadv1.Snapshot) bool {
		for _, p := range s.GetPools() {
			if p.GetInFlight() != n || p.GetQueue() != 0 {
				return false
			}
		}
		return true
	}
}

func ask(t *testing.T, s *session.Session, pool fleet.PoolName) *link.Grant {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	g, err := s.Ask(ctx, link.Request{Pool: &link.Pool{Name: pool}})
	if err != nil {
		t.Fatalf("ask for %s: %v", pool, err)
	}
	return g
}

// TestPoolsDoNotShareGrants: two pools once numbered their grants alike, and a proxy took
// the end of one for the end of the other.
func TestPoolsDoNotShareGrants(t *testing.T) {
	f := start(t, "a", "b")
	s := f.join(t, "p1")
	for range 3 {
		a, b := ask(t, s, "a"), ask(t, s, "b")
		if a.ID == b.ID {
			t.Fatalf("both grants are %v", a.ID)
		}
		a.Done(link.Result{Outcome: fleet.OK})
		b.Done(link.Result{Outcome: fleet.OK})
		f.await(t, "both slots to be free", inFlight(0))
	}
}

// TestWithdrawnAsksAreNotOutstanding: more asks than a proxy may have outstanding, all of
// them withdrawn, once left it locked out.
func TestWithdrawnAsksAreNotOutstanding(t *testing.T) {
	f := start(t, "a")
	s := f.join(t, "p1")
	held := ask(t, s, "a")
	gone := errors.New("the client is gone")
	const crowd = 3000
	for range 6 { // 18,000, of which 16,384 may be outstanding
		ctx, leave := context.WithCancelCause(t.Context())
		var wg sync.WaitGroup
		for range crowd {
			wg.Go(func() {
				if _, err := s.Ask(ctx, link.Request{Pool: &link.Pool{Name: "a"}}); !errors.Is(err, gone) {
					t.Errorf("Ask = %v, want %v", err, gone)
				}
			})
		}
		f.await(t, "the crowd to wait", func(s *fairleadv1.Snapshot) bool { return s.GetPools()[0].GetQueue() == crowd })
		leave(gone)
		wg.Wait()
		f.await(t, "the crowd to be gone", func(s *fairleadv1.Snapshot) bool { return s.GetPools()[0].GetQueue() == 0 })
	}
	held.Done(link.Result{Outcome: fleet.OK})
	ask(t, s, "a").Done(link.Result{Outcome: fleet.OK})
}

// TestLastDonesAreTold: a proxy that leaves once dropped the dones of its last moment,
// and their slots stayed taken for the grace.
func TestLastDonesAreTold(t *testing.T) {
	f := start(t, "a")
	for range 20 {
		t.Run("", func(t *testing.T) {
			s := f.join(t, "p1")
			g := ask(t, s, "a")
			g.Done(link.Result{Outcome: fleet.OK})
		}) // and the session ends at once
		snap, err := f.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n := snap.GetPools()[0].GetInFlight(); n != 0 && !snap.GetProxies()[0].GetConnected() {
			t.Fatalf("%d in flight after the proxy has left", n)
		}
	}
}

// TestControllerRestarts: a grant survives its controller, and ends at the next one.
func TestControllerRestarts(t *testing.T) {
	f := start(t, "a")
	s := f.join(t, "p1")
	g := ask(t, s, "a")
	f.stop()
	ln, err := net.Listen("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	next := startOn(t, ln, "a")
	next.await(t, "the grant to be taken up", func(s *fairleadv1.Snapshot) bool {
		return s.GetPools()[0].GetInFlight() == 1 && len(s.GetProxies()) == 1
	})
	waits := make(chan error, 1)
	go func() {
		second, err := s.Ask(context.Background(), link.Request{Pool: &link.Pool{Name: "a"}})
		if err == nil {
			second.Done(link.Result{Outcome: fleet.OK})
		}
		waits <- err
	}()
	next.await(t, "the second ask to wait", func(s *fairleadv1.Snapshot) bool { return s.GetPools()[0].GetQueue() == 1 })
	g.Done(link.Result{Outcome: fleet.OK})
	if err := <-waits; err != nil {
		t.Errorf("the second ask: %v", err)
	}
	next.await(t, "rest", inFlight(0))
}
