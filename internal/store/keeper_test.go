package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// fleetOf is controllers with a keeper each.
type fleetOf struct {
	t     *testing.T
	pools []string

	mu    sync.Mutex                // guards what is below
	leads map[string]map[string]int // pool: controller: terms that it leads now
	most  int                       // terms of one pool at once
}

func (f *fleetOf) lead(name string) func(context.Context, *Term) {
	return func(ctx context.Context, term *Term) {
		f.count(term.Pool, name, 1)
		select {
		case <-ctx.Done():
		case <-term.Lost():
		}
		f.count(term.Pool, name, -1)
	}
}

func (f *fleetOf) count(pool, name string, by int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.leads[pool] == nil {
		f.leads[pool] = map[string]int{}
	}
	f.leads[pool][name] += by
	n := 0
	for _, x := range f.leads[pool] {
		n += x
	}
	f.most = max(f.most, n)
}

// spread returns how many pools each leads.
func (f *fleetOf) spread() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := map[string]int{}
	for _, by := range f.leads {
		for name, x := range by {
			if x > 0 {
				n[name]++
			}
		}
	}
	return n
}

func (f *fleetOf) await(what string, want map[string]int) {
	f.t.Helper()
	until := time.Now().Add(limit)
	for !maps.Equal(f.spread(), want) {
		if time.Now().After(until) {
			f.t.Fatalf("%s: the pools are spread as %v, want %v", what, f.spread(), want)
		}
		wait(f.t.Context(), 5*time.Millisecond)
	}
}

func freePorts(t *testing.T, n int) (all []string) {
	t.Helper()
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		all = append(all, ln.Addr().String())
	}
	return all
}

// TestKeepersSpreadPools has three controllers lead six pools, two each; one that leaves
// gives its pools to the others, and one that comes gets some; a pool is moved by hand.
func TestKeepersSpreadPools(t *testing.T) {
	t.Parallel()
	f := &fleetOf{t: t, leads: map[string]map[string]int{}}
	for i := range 6 {
		f.pools = append(f.pools, fmt.Sprintf("pool%d", i))
	}
	names, ports := []string{"a", "b", "c"}, freePorts(t, 3)
	peers := map[string]string{}
	for i, name := range names {
		peers[name] = ports[i]
	}
	dirs := map[string]string{"a": t.TempDir(), "b": t.TempDir(), "c": t.TempDir()}
	stores := map[string]*Store{}
	stops := map[string]func(){}
	start := func(name string) error {
		s, err := Open(t.Context(), Config{Name: name, Address: "127.0.0.1:1", Dir: dirs[name], Peers: peers, Log: logger(t)})
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(t.Context())
		k := NewKeeper(s, f.lead(name))
		k.SetPools(f.pools)
		ended := make(chan struct{})
		go func() { defer close(ended); k.Run(ctx) }()
		f.mu.Lock()
		defer f.mu.Unlock()
		stores[name] = s
		stops[name] = sync.OnceFunc(func() {
			cancel()
			<-ended
			if err := s.Close(); err != nil {
				t.Errorf("closing %s: %v", name, err)
			}
		})
		return nil
	}
	var opening sync.WaitGroup
	errs := make([]error, len(names))
	for i, name := range names {
		opening.Go(func() { errs[i] = start(name) })
	}
	opening.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	defer func() {
		for _, name := range slices.Sorted(maps.Keys(stops)) {
			stops[name]()
		}
	}()
	f.await("all are there", map[string]int{"a": 2, "b": 2, "c": 2})
	stops["c"]()
	f.await("one has left", map[string]int{"a": 3, "b": 3})
	if err := start("c"); err != nil {
		t.Fatal(err)
	}
	f.await("it is back", map[string]int{"a": 2, "b": 2, "c": 2})
	if err := stores["a"].Move(within(t), "pool0", "nobody"); err == nil {
		t.Error("a pool was moved to a controller that does not exist")
	}
	for _, pool := range f.pools[:4] {
		if err := stores["a"].Move(within(t), pool, "b"); err != nil {
			t.Fatal(err)
		}
	}
	f.await("four were moved", map[string]int{"a": 1, "b": 4, "c": 1})
	if f.most > 1 {
		t.Errorf("%d controllers led one pool at once", f.most)
	}
}
