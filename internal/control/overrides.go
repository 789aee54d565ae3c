package control

import (
	"context"
	"maps"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/store"
)

// What an operator sets by hand is kept in the store, so that it outlives controllers and
// holds at each of them.

// keepOverride changes what is written down of a backend, and returns it, or why it could not
// be: then it holds nowhere.
func (c *Controller) keepOverride(ctx context.Context, key agentKey, change func(*store.Override)) (store.Override, error) {
	var o store.Override
	if c.cfg.Store == nil {
		if all := c.overrides.Load(); all != nil {
			o = (*all)[key]
		}
		change(&o)
		c.noteOverride(key, o)
		return o, nil
	}
	name := store.BackendKey(string(key.pool), string(key.backend))
	all, err := store.Load(ctx, c.cfg.Store, store.Overrides)
	if err != nil {
		return o, err
	}
	o = all[name]
	change(&o)
	if o == (store.Override{}) {
		return o, store.Delete(ctx, c.cfg.Store, store.Overrides, name)
	}
	return o, store.Put(ctx, c.cfg.Store, store.Overrides, name, o)
}

// noteOverride remembers an override where there is no store to do it.
func (c *Controller) noteOverride(key agentKey, o store.Override) {
	next := map[agentKey]store.Override{}
	if all := c.overrides.Load(); all != nil {
		maps.Copy(next, *all)
	}
	next[key] = o
	c.overrides.Store(&next)
}

// followOverrides has every pool do what the store says, until ctx ends.
func (c *Controller) followOverrides(ctx context.Context) {
	store.Watch(ctx, c.cfg.Store, store.Overrides, func(all map[string]store.Override) {
		next := map[agentKey]store.Override{}
		for name, o := range all {
			if pool, address, ok := store.SplitBackendKey(name); ok {
				next[agentKey{fleet.PoolName(pool), fleet.BackendName(address)}] = o
			}
		}
		var before map[agentKey]store.Override
		if p := c.overrides.Swap(&next); p != nil {
			before = *p
		}
		for key, o := range next {
			c.apply(key, before[key], o)
		}
		for key, o := range before {
			if _, still := next[key]; !still {
				c.apply(key, o, store.Override{})
			}
		}
	})
}

// apply has a pool do what has changed.
func (c *Controller) apply(key agentKey, was, is store.Override) {
	r := c.pool(key.pool)
	if r == nil {
		return
	}
	if was.Drain != is.Drain {
		r.put(tellDrain(key.backend, is))
	}
	if was.Slots != is.Slots || was.Weight != is.Weight {
		r.put(tellAdjust(key.backend, is))
	}
}

func tellDrain(b fleet.BackendName, o store.Override) dispatch.Input {
	return &dispatch.Override{Backend: b, Source: dispatch.FromConfig, Drain: o.Drain}
}

func tellAdjust(b fleet.BackendName, o store.Override) dispatch.Input {
	return &dispatch.Adjust{Backend: b, Slots: o.Slots, Weight: o.Weight}
}

// overridden has a backend that has just joined be as an operator said.
func (r *runner) overridden(name fleet.BackendName) {
	all := r.c.overrides.Load()
	if all == nil {
		return
	}
	o := (*all)[agentKey{r.conf().Name, name}]
	if o.Drain {
		r.step(tellDrain(name, o))
	}
	if o.Slots > 0 || o.Weight > 0 {
		r.step(tellAdjust(name, o))
	}
}

// ledElsewhere returns the pools that have a backend and that this controller does not lead.
func (c *Controller) ledElsewhere(pool, backend string) (names []string) {
	for _, r := range c.runners() {
		if r.leading.Load() != nil || pool != "" && pool != string(r.conf().Name) {
			continue
		}
		r.targets.mu.Lock()
		if r.targets.set[fleet.BackendName(backend)] {
			names = append(names, string(r.conf().Name))
		}
		r.targets.mu.Unlock()
	}
	return names
}
