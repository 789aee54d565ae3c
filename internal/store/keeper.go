package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// settledAfter is how long a member is alive before pools are moved to it: until then few
// proxies and agents have found it. Of itself a member thinks so a little sooner, so that it
// stands for a pool before another one leaves it.
const (
	settledAfter = 5 * time.Second
	soonerBy     = 500 * time.Millisecond
)

// Keeper has a controller lead the pools that fall to it, by Spread over those that are
// alive. Its methods are safe for concurrent use.
type Keeper struct {
	s    *Store
	lead func(context.Context, *Term)
	look chan struct{} // something has changed

	mu      sync.Mutex // guards what is below
	pools   []string
	seen    map[string]time.Time // live members, and since when
	leaders map[string]string
	moves   map[string]string
	running map[string]context.CancelFunc // pools that it leads or stands for
}

// NewKeeper makes a Keeper. lead is called with each term, in a goroutine of its own, and
// leads until the term is lost or its context is done: then the pool is to be another one's.
// When it returns, the term is given back.
func NewKeeper(s *Store, lead func(context.Context, *Term)) *Keeper {
	return &Keeper{s: s, lead: lead, look: make(chan struct{}, 1), seen: map[string]time.Time{}, running: map[string]context.CancelFunc{}}
}

// SetPools says which pools there are.
func (k *Keeper) SetPools(pools []string) {
	k.change(func() { k.pools = slices.Clone(pools) })
}

func (k *Keeper) change(f func()) {
	k.mu.Lock()
	f()
	k.mu.Unlock()
	select {
	case k.look <- struct{}{}:
	default:
	}
}

// Run keeps on until ctx is done, and joins all that it started.
func (k *Keeper) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() {
		k.s.Members(ctx, func(now []Member) { k.change(func() { k.meet(now) }) })
	})
	all.Go(func() {
		k.s.Leaders(ctx, func(now map[string]Leader) {
			k.change(func() {
				k.leaders = map[string]string{}
				for pool, l := range now {
					k.leaders[pool] = l.Name
				}
			})
		})
	})
	all.Go(func() {
		k.s.follow(ctx, movePre, func(now contents) {
			moves := map[string]string{}
			for pool, kv := range now {
				if to, ok := decode[string](k.s, kv); ok {
					moves[pool] = to
				}
			}
			k.change(func() { k.moves = moves })
		})
	})
	again := time.NewTimer(time.Hour)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.look:
		case <-again.C:
		}
		if soon := k.settle(ctx, &all); soon > 0 {
			again.Reset(soon)
		}
	}
}

// meet notes who is alive. k.mu is held.
func (k *Keeper) meet(now []Member) {
	seen := map[string]time.Time{}
	for _, m := range now {
		seen[m.Name] = k.seen[m.Name]
		if seen[m.Name].IsZero() {
			seen[m.Name] = time.Now()
		}
	}
	k.seen = seen
}

// settled returns who takes part, and when that may change by itself; 0: it will not. Where
// nobody has been alive for long, all do. k.mu is held.
func (k *Keeper) settled() (live []string, soon time.Duration) {
	var all []string
	for name, since := range k.seen {
		all = append(all, name)
		after := settledAfter
		if name == k.s.cfg.Name {
			after -= soonerBy
		}
		switch left := after - time.Since(since); {
		case left <= 0:
			live = append(live, name)
		case soon == 0 || left < soon:
			soon = left
		}
	}
	if len(live) == 0 {
		live = all
	}
	slices.Sort(live)
	return live, soon
}

// settle stands for the pools that fall to this controller, and leaves the others.
func (k *Keeper) settle(ctx context.Context, all *sync.WaitGroup) (soon time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.leaders == nil || k.moves == nil {
		return 0 // not known yet
	}
	live, soon := k.settled()
	should := Spread(k.pools, live, k.moves, k.leaders)
	for pool, stop := range k.running {
		if should[pool] != k.s.cfg.Name {
			stop()
			delete(k.running, pool)
		}
	}
	for pool, to := range should {
		if to != k.s.cfg.Name || k.running[pool] != nil {
			continue
		}
		mine, stop := context.WithCancel(ctx)
		k.running[pool] = stop
		all.Go(func() {
			defer stop()
			k.keep(mine, pool)
		})
	}
	return soon
}

// keep leads a pool again and again, until ctx is done.
func (k *Keeper) keep(ctx context.Context, pool string) {
	for ctx.Err() == nil {
		term, err := k.s.Campaign(ctx, pool)
		if err != nil {
			// Its last term may not be given back yet; and then the context may be done.
			wait(ctx, pause)
			continue
		}
		k.lead(ctx, term)
		if err := term.Resign(context.WithoutCancel(ctx)); err != nil {
			k.s.cfg.Log.Warn("a pool could not be given back; others wait for the lease's end", "pool", pool, "error", err)
		}
	}
}

// Move has a member lead a pool from now on, as long as it is alive; an empty name leaves it
// to Spread again.
func (s *Store) Move(ctx context.Context, pool, member string) error {
	if !names.MatchString(pool) {
		return fmt.Errorf("the name %q of the pool is not good", pool)
	}
	once, done := context.WithTimeout(ctx, opTime)
	defer done()
	if member == "" {
		_, err := s.client.Delete(once, movePre+pool)
		return s.failedTo("move the pool "+pool, err)
	}
	value, err := json.Marshal(member)
	if err != nil {
		return err
	}
	resp, err := s.client.Txn(once).
		If(clientv3.Compare(clientv3.CreateRevision(memberPre+member), ">", 0)).
		Then(clientv3.OpPut(movePre+pool, string(value))).Commit()
	if err == nil && !resp.Succeeded {
		return fmt.Errorf("no controller named %q is alive; 'fairlead status' names those that are", member)
	}
	return s.failedTo("move the pool "+pool, err)
}
