package store

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// watchfulFleet is three controllers with a Keeper each, of which some are down, and what
// their terms were.
type watchfulFleet struct {
	*cluster
	pools []string

	mu    sync.Mutex                  // guards what is below
	terms map[string]map[string]*Term // pool: controller: its term
	last  map[string]uint64           // pool: the highest epoch
	up    map[string]*controllerOf
}

type controllerOf struct {
	store *Store
	stop  func() // its Keeper, and waits for that
}

// lead notes a term for as long as it is led.
func (f *watchfulFleet) lead(name string) func(context.Context, *Term) {
	return func(ctx context.Context, term *Term) {
		f.mu.Lock()
		if term.Epoch <= f.last[term.Pool] && term.Certain() {
			f.t.Errorf("%s leads %s in the term %d after %d", name, term.Pool, term.Epoch, f.last[term.Pool])
		}
		f.last[term.Pool] = max(f.last[term.Pool], term.Epoch)
		f.terms[term.Pool][name] = term
		f.mu.Unlock()
		f.look()
		select {
		case <-ctx.Done():
		case <-term.Lost():
		}
		// It stays in f.terms: it must not be certain any more when Resign is over.
	}
}

// look finds pools that two lead at one instant. A term that is certain now and in a moment
// was so all the time in between.
func (f *watchfulFleet) look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for pool, by := range f.terms {
		for one, x := range by {
			for two, y := range by {
				if one < two && x.Certain() && y.Certain() && x.Certain() {
					f.t.Errorf("%s and %s both lead %s for certain, in the terms %d and %d", one, two, pool, x.Epoch, y.Epoch)
				}
			}
		}
	}
}

// leaders returns who leads each pool for certain.
func (f *watchfulFleet) leaders() map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := map[string]string{}
	for pool, by := range f.terms {
		for name, term := range by {
			if term.Certain() {
				now[pool] = name
			}
		}
	}
	return now
}

func (f *watchfulFleet) awaitLeaders(what string) {
	f.t.Helper()
	ctx := within(f.t)
	for len(f.leaders()) < len(f.pools) {
		if ctx.Err() != nil {
			f.t.Fatalf("%s: the leaders are %v", what, f.leaders())
		}
		wait(ctx, 2*time.Millisecond)
	}
}

func (f *watchfulFleet) start(name string) error {
	s, err := Open(f.t.Context(), f.config(name, false))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(f.t.Context())
	k := NewKeeper(s, f.lead(name))
	k.SetPools(f.pools)
	ended := make(chan struct{})
	go func() { defer close(ended); k.Run(ctx) }()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.up[name] = &controllerOf{s, func() { cancel(); <-ended }}
	return nil
}

// end stops a controller; one that crashes has its store torn away first, and does not know:
// it believes that it leads until its lease is over.
func (f *watchfulFleet) end(name string, crash bool) {
	f.mu.Lock()
	c := f.up[name]
	delete(f.up, name)
	f.mu.Unlock()
	if c == nil {
		return
	}
	if crash {
		c.store.cancel() // a follower's renewals would go to the leader, without its own store
		c.store.member.etcd.Server.HardStop()
		await(f.t, c.store.currentLease().lost, "the lease of who has crashed ends")
	}
	c.stop()
	f.close(c.store)
}

// TestRandomKeepers stops, crashes and restarts three controllers at random. No pool has two
// leaders at any instant, epochs only grow, and in the end each pool has its leader.
func TestRandomKeepers(t *testing.T) {
	t.Parallel()
	const seed, rounds = 7, 4
	f := &watchfulFleet{
		cluster: newCluster(t, "a", "b", "c"), pools: []string{"p", "q", "r", "s"},
		terms: map[string]map[string]*Term{}, last: map[string]uint64{}, up: map[string]*controllerOf{},
	}
	for _, pool := range f.pools {
		f.terms[pool] = map[string]*Term{}
	}
	names := []string{"a", "b", "c"}
	f.each(names, func(name string) error { return f.start(name) })
	defer f.each(names, func(name string) error { f.end(name, false); return nil })
	looking, stop := context.WithCancel(t.Context())
	var looks sync.WaitGroup
	looks.Go(func() {
		for ; looking.Err() == nil; wait(looking, time.Millisecond) {
			f.look()
		}
	})
	defer looks.Wait()
	defer stop()
	random := rand.New(rand.NewPCG(seed, seed))
	for round := range rounds {
		f.awaitLeaders("all are up")
		who, crash, atOnce := names[random.IntN(3)], random.IntN(2) == 0, random.IntN(3) == 0
		t.Logf("seed %d, round %d: %s ends, crash: %v, restarts at once: %v", seed, round, who, crash, atOnce)
		f.end(who, crash)
		if !atOnce {
			f.awaitLeaders("one is down")
		}
		if err := f.start(who); err != nil {
			t.Fatal(err)
		}
	}
	// And without a quorum, for a moment.
	f.each(names[:2], func(name string) error { f.end(name, true); return nil })
	f.each(names[:2], func(name string) error { return f.start(name) })
	f.awaitLeaders("all are up again")
}

// each does something with some controllers at once.
func (f *watchfulFleet) each(names []string, do func(string) error) {
	f.t.Helper()
	var all sync.WaitGroup
	for _, name := range names {
		all.Go(func() {
			if err := do(name); err != nil {
				f.t.Error(err)
			}
		})
	}
	all.Wait()
}
