package control

import (
	"context"
	"sync"
	"time"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/probe"
)

// targets are the backends of a pool whose health is checked.
type targets struct {
	mu   sync.Mutex // guards what is below
	set  map[fleet.BackendName]bool
	last map[fleet.BackendName]lastVerdict // of those in set, and of those just gone
}

// lastVerdict is kept for a while after its backend has left, because one that comes
// back before the prober has noticed is not reported again.
type lastVerdict struct {
	probe.Verdict
	left time.Time
}

// keepVerdict is that while.
const keepVerdict = 5 * time.Second

// join has the mind know a backend, and its health checked. It runs in the runner's
// goroutine, as unwatch does, so that a backend which comes back just as it is forgotten
// is not left without checks.
func (r *runner) join(in dispatch.Join) {
	spec := in.Spec
	if r.inform != nil {
		r.inform.joined(&in)
	}
	r.step(&in)
	r.overridden(spec.Name)
	t := &r.targets
	t.mu.Lock()
	t.set[spec.Name] = true
	v, known := t.last[spec.Name]
	t.mu.Unlock()
	if known {
		r.step(&dispatch.Health{Backend: spec.Name, Up: v.Up, Why: v.Why})
	}
	r.c.retarget()
}

// unwatch ends the checks of a backend that the mind has forgotten.
func (r *runner) unwatch(name fleet.BackendName) {
	t := &r.targets
	t.mu.Lock()
	delete(t.set, name)
	if v, ok := t.last[name]; ok {
		v.left = time.Now()
		t.last[name] = v
	}
	for other, v := range t.last {
		if !t.set[other] && time.Since(v.left) > keepVerdict {
			delete(t.last, other)
		}
	}
	t.mu.Unlock()
	r.c.retarget()
}

// verdict takes a health check's result in. The prober calls it.
func (c *Controller) verdict(t probe.Target, v probe.Verdict) {
	r := c.pool(t.Pool)
	if r == nil {
		return
	}
	r.targets.mu.Lock()
	if last, just := r.targets.last[t.Backend]; just || r.targets.set[t.Backend] {
		r.targets.last[t.Backend] = lastVerdict{v, last.left}
	}
	r.targets.mu.Unlock()
	r.put(&dispatch.Health{Backend: t.Backend, Up: v.Up, Why: v.Why})
	if v.Up {
		c.cfg.Logger.Info("backend is up", "pool", t.Pool, "backend", t.Backend)
	} else {
		c.cfg.Logger.Warn("backend is down", "pool", t.Pool, "backend", t.Backend, "why", v.Why)
	}
}

// retarget has the prober told, soon, whom to check. It never waits: a runner calls it.
func (c *Controller) retarget() {
	select {
	case c.aim <- struct{}{}:
	default:
	}
}

// takeAim tells the prober whom to check, whenever that has changed.
func (c *Controller) takeAim(ctx context.Context) {
	for {
		select {
		case <-c.aim:
			c.prober.Set(c.allTargets())
		case <-ctx.Done():
			return
		}
	}
}

func (c *Controller) allTargets() []probe.Target {
	var all []probe.Target
	for _, r := range c.runners() {
		r.targets.mu.Lock()
		for name := range r.targets.set {
			all = append(all, probe.Target{Pool: r.conf().Name, Backend: name, Health: r.conf().Health})
		}
		r.targets.mu.Unlock()
	}
	return all
}
