package together

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/session"
	"github.com/fairlead/fairlead/internal/testproc"
)

// backends has these many, which nobody checks and which need not be there.
func backends(n int) []config.Backend {
	var all []config.Backend
	for i := range n {
		all = append(all, config.Backend{Address: fmt.Sprintf("b%d.test:80", i+1)})
	}
	return all
}

func deciding(decide config.Decide) *config.Config {
	return &config.Config{Pools: []config.Pool{{
		Name: "a", Slots: 4, Workers: 4, Decide: decide, Queue: config.Queue{Limit: 1000, Timeout: time.Minute},
		GrantLimit: time.Hour, Health: config.Health{Type: config.HealthNone}, Backends: backends(3),
	}}}
}

func startDeciding(t *testing.T, decide config.Decide) *fleetOf {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startFile(t, ln, deciding(decide))
}

func byProxies(yes bool) func(*fairleadv1.Snapshot) bool {
	return func(s *fairleadv1.Snapshot) bool { return s.GetPools()[0].GetByProxies() == yes }
}

// traffic is requests that go on until the test ends, and say of themselves how long they
// took. None may fail.
type traffic struct {
	took   atomic.Int64 // what each one says
	own    atomic.Int64 // decided by their proxy
	asked  atomic.Int64 // decided by the controller
	served atomic.Int64
	stop   func()
}

func drive(t *testing.T, sessions ...*session.Session) *traffic {
	t.Helper()
	x := &traffic{}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, s := range sessions {
		for range 3 {
			all.Go(func() {
				for ctx.Err() == nil {
					x.one(ctx, t, s)
				}
			})
		}
	}
	x.stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	t.Cleanup(x.stop)
	return x
}

func (x *traffic) one(ctx context.Context, t *testing.T, s *session.Session) {
	// Not with ctx: a grant that came as it ended would be given back, and not be served.
	g, err := s.Ask(context.Background(), link.Request{Pool: &link.Pool{Name: "a"}})
	if err != nil {
		t.Errorf("a request was lost: %v", err)
		return
	}
	if g.ID.Epoch == 0 {
		x.own.Add(1)
	} else {
		x.asked.Add(1)
	}
	x.served.Add(1)
	select { // some of them at once; and a quiet machine is not to be kept busy
	case <-time.After(time.Millisecond):
	case <-ctx.Done():
	}
	g.Done(link.Result{Outcome: fleet.OK, Latency: time.Duration(x.took.Load())})
}

// TestAutoFollowsService: while requests are shorter than a few round trips, proxies
// decide, and the controller does again when they are longer; no request is lost on the
// way.
func TestAutoFollowsService(t *testing.T) {
	f := startDeciding(t, config.DecideAuto)
	x := drive(t, f.join(t, "p1"), f.join(t, "p2"))
	x.took.Store(int64(time.Microsecond)) // shorter than any round trip
	f.await(t, "proxies to decide", byProxies(true))
	own := x.own.Load()
	testproc.Await(t, 20*time.Second, "requests that proxies decide", func(context.Context) error {
		if n := x.own.Load() - own; n < 100 {
			return fmt.Errorf("%d of them", n)
		}
		return nil
	})
	x.took.Store(int64(time.Hour)) // longer than any
	f.await(t, "the controller to decide", byProxies(false))
	x.stop()
	f.await(t, "rest, and every request to be known", func(s *fairleadv1.Snapshot) bool {
		p := s.GetPools()[0]
		return p.GetInFlight() == 0 && p.GetGrants() == uint64(x.served.Load()) && p.GetDones() == p.GetGrants()
	})
}

// TestProxiesGoOnThroughARestart: with a controller that comes and goes no request that
// proxies decide waits or fails, and the next controller has the proxies decide as before.
func TestProxiesGoOnThroughARestart(t *testing.T) {
	f := startDeciding(t, config.DecideProxy)
	s := f.join(t, "p1")
	x := drive(t, s)
	x.took.Store(int64(time.Millisecond))
	testproc.Await(t, 20*time.Second, "the proxy to decide", func(context.Context) error {
		if x.own.Load() == 0 {
			return errors.New("it does not")
		}
		return nil
	})
	f.stop()
	asked := x.asked.Load()
	more(t, x)
	ln, err := net.Listen("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	next := startFile(t, ln, deciding(config.DecideProxy))
	next.await(t, "the proxy to decide at the next controller", func(s *fairleadv1.Snapshot) bool {
		return s.GetPools()[0].GetByProxies() && s.GetPools()[0].GetGrants() > 0
	})
	more(t, x)
	x.stop()
	if n := x.asked.Load(); n != asked {
		t.Errorf("%d requests were asked for after the proxy decided", n-asked)
	}
}

// more waits until a hundred more are served.
func more(t *testing.T, x *traffic) {
	t.Helper()
	until := x.served.Load() + 100
	testproc.Await(t, 20*time.Second, "more requests", func(context.Context) error {
		if n := x.served.Load(); n < until {
			return fmt.Errorf("%d of %d", n, until)
		}
		return nil
	})
}
