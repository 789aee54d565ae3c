package control

import (
	"context"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/store"
)

// What an operator sets by hand is kept in the store, so that it outlives controllers and
// holds at each of them.

// keepOverride writes down whether a backend drains, or returns why it could not: then it
// holds nowhere.
func (c *Controller) keepOverride(ctx context.Context, pool fleet.PoolName, b fleet.BackendName, drain bool) error {
	if c.cfg.Store == nil {
		return nil
	}
	key := store.BackendKey(string(pool), string(b))
	if !drain {
		return store.Delete(ctx, c.cfg.Store, store.Overrides, key)
	}
	return store.Put(ctx, c.cfg.Store, store.Overrides, key, store.Override{Drain: true})
}

// followOverrides has every pool do what the store says, until ctx ends.
func (c *Controller) followOverrides(ctx context.Context) {
	store.Watch(ctx, c.cfg.Store, store.Overrides, func(all map[string]store.Override) {
		drained := map[agentKey]bool{}
		for key, o := range all {
			if pool, address, ok := store.SplitBackendKey(key); ok && o.Drain {
				drained[agentKey{fleet.PoolName(pool), fleet.BackendName(address)}] = true
			}
		}
		before := c.drained.Swap(&drained)
		for key := range drained {
			if before == nil || !(*before)[key] {
				c.drain(key, true)
			}
		}
		if before == nil {
			return
		}
		for key := range *before {
			if !drained[key] {
				c.drain(key, false)
			}
		}
	})
}

func (c *Controller) drain(key agentKey, drain bool) {
	if r := c.pool(key.pool); r != nil {
		r.put(&dispatch.Override{Backend: key.backend, Source: dispatch.FromConfig, Drain: drain})
	}
}

// overridden has a backend that has just joined drain, if the store says so.
func (r *runner) overridden(name fleet.BackendName) {
	if all := r.c.drained.Load(); all != nil && (*all)[agentKey{r.conf().Name, name}] {
		r.step(&dispatch.Override{Backend: name, Source: dispatch.FromConfig, Drain: true})
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
