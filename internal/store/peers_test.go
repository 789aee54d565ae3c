package store

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// all opens every member, or those that are named, at once.
func (c *cluster) all(names ...string) map[string]*Store {
	c.t.Helper()
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(c.peers))
	}
	var opening sync.WaitGroup
	stores, errs := make([]*Store, len(names)), make([]error, len(names))
	for i, name := range names {
		opening.Go(func() { stores[i], errs[i] = Open(c.t.Context(), c.config(name, false)) })
	}
	opening.Wait()
	all := map[string]*Store{}
	for i, name := range names {
		if stores[i] != nil {
			all[name] = stores[i]
		}
	}
	c.t.Cleanup(func() { c.close(slices.Collect(maps.Values(all))...) })
	if err := errors.Join(errs...); err != nil {
		c.t.Fatal(err)
	}
	return all
}

// close closes stores one after the other. The last ones are without a quorum, and take
// seconds; should two do so at once, they may not be over in time.
func (c *cluster) close(stores ...*Store) {
	c.t.Helper()
	for _, s := range stores {
		if err := s.Close(); err != nil {
			c.t.Error(err)
		}
	}
}

// TestWrongPeers: directories of other controllers and other clusters are refused, and so is a
// list that has nothing to do with the directory. The right list works after all that.
func TestWrongPeers(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "a", "b", "c")
	stores := c.all()
	if err := Put(within(t), stores["a"], Overrides, "p/b:1", Override{Drain: true}); err != nil {
		t.Fatal(err)
	}
	c.close(slices.Collect(maps.Values(stores))...)
	other := freePorts(t, 3)
	for _, x := range []struct {
		name string
		cfg  func(*Config)
		say  []string
	}{
		{"another one's directory", func(cfg *Config) { cfg.Dir = c.dirs["b"] }, []string{`belongs to the controller "b"`, "own directory"}},
		{"not in the list", func(cfg *Config) { cfg.Name = "d" }, []string{`does not have this controller, "d"`, "add it"}},
		{"other names", func(cfg *Config) {
			cfg.Peers = map[string]string{"a": c.peers["a"], "x": c.peers["b"], "y": c.peers["c"]}
		}, []string{"of a cluster of a, b, c", "correct the list"}},
		{"other addresses", func(cfg *Config) {
			cfg.Peers = map[string]string{"a": other[0], "b": other[1], "c": other[2]}
		}, []string{"of another cluster", "b at http://" + c.peers["b"], "c at http://" + c.peers["c"], "correct the list"}},
		{"alone", func(cfg *Config) { cfg.Peers = nil; cfg.Ready = 2 * time.Second }, []string{"of a cluster of a, b, c", "list of peers"}},
	} {
		cfg := c.config("a", false)
		x.cfg(&cfg)
		t.Run(x.name, func(t *testing.T) { refused(t, cfg, x.say...) })
	}
	if all, err := Load(within(t), c.all()["a"], Overrides); err != nil || !all["p/b:1"].Drain {
		t.Errorf("after all that there is %v, %v", all, err)
	}
}

// TestNoQuorum: one of three waits for as long as it is told to, and says whom it misses, with
// an empty directory and with one that was in use; it goes on as soon as another one is there.
func TestNoQuorum(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "a", "b", "c")
	cfg := c.config("a", false)
	cfg.Ready = 2 * time.Second
	say := []string{"no quorum within 2s", "b (" + c.peers["b"] + "), c (" + c.peers["c"] + ") cannot be reached", "start more than half of the 3"}
	refused(t, cfg, say...)
	c.close(slices.Collect(maps.Values(c.all("a", "b")))...)
	refused(t, cfg, say...)
	cfg.Ready = limit
	opened := make(chan error, 1)
	var late *Store
	go func() {
		var err error
		late, err = Open(t.Context(), cfg)
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Fatalf("it did not wait: %v", err)
	case <-heard(t, c.peers["a"]): // it has begun, and is alone
	}
	stores := c.all("b")
	if err := <-opened; err != nil {
		t.Fatal(err)
	}
	term := lead(t, late, "pool")
	c.close(stores["b"])
	await(t, term.Lost(), "a leader without a quorum loses its term")
	err := Put(within(t), late, Overrides, "p/b:1", Override{Drain: true})
	if err == nil || !strings.Contains(err.Error(), "more than half of the store's members do not answer; start those") {
		t.Errorf("without a quorum it says: %v", err)
	}
	c.close(late)
}

// heard is closed when somebody listens at an address.
func heard(t *testing.T, address string) <-chan struct{} {
	c, ctx := make(chan struct{}), within(t)
	go func() {
		defer close(c)
		for probe(ctx, address, nil, http1) != nil && ctx.Err() == nil {
			wait(ctx, 5*time.Millisecond)
		}
	}()
	return c
}

// TestMadeAnew: a member that slept while the others were made anew does not get in, neither
// with less in its log than they have nor with more; they go on.
func TestMadeAnew(t *testing.T) {
	t.Parallel()
	for _, facts := range []int{1, 100} {
		t.Run(fmt.Sprint(facts), func(t *testing.T) { t.Parallel(); madeAnew(t, facts) })
	}
}

func madeAnew(t *testing.T, facts int) {
	c := newCluster(t, "a", "b", "c")
	put := func(s *Store, n int) {
		t.Helper()
		for i := range n {
			if err := Put(within(t), s, Overrides, fmt.Sprint("pool/b:", i), Override{Drain: true}); err != nil {
				t.Fatal(err)
			}
		}
	}
	stores := c.all()
	put(stores["a"], facts)
	c.close(slices.Collect(maps.Values(stores))...)
	for _, name := range []string{"b", "c"} {
		if err := os.RemoveAll(c.dirs[name]); err != nil {
			t.Fatal(err)
		}
	}
	anew := c.all("b", "c")
	put(anew["b"], 20)
	refused(t, c.config("a", false), "of another cluster than b, c", "move it away", "remove this member and add it again")
	if known, err := Load(within(t), anew["c"], Overrides); err != nil || len(known) != 20 {
		t.Errorf("there are %d facts, %v", len(known), err)
	}
}
