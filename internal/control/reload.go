package control

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

// reloads counts, and keeps why the config file is not the one in force.
type reloads struct {
	taken, refused atomic.Uint64
	problem        atomic.Pointer[string]
}

// Reread reads the controller's config file again. taken is called when the controller goes
// by it.
type Reread func() (next *config.Config, taken func(), err error)

// ReloadFile has the controller go by its config file as it is now, and returns what that
// changed. Errors are statuses; the config of before is in force then.
func (c *Controller) ReloadFile(force bool) (string, error) {
	if c.cfg.Reread == nil {
		return "", status.Error(codes.FailedPrecondition, "this controller has no config file to read again; restart it to change something")
	}
	next, taken, err := c.cfg.Reread()
	if err != nil {
		c.reloads.refused.Add(1)
		c.cfg.Logger.Error("the config file is not good; the running config stays", "error", err)
		return "", status.Error(codes.InvalidArgument, err.Error())
	}
	change, err := c.Reload(next, force)
	if err != nil {
		c.reloads.refused.Add(1)
		c.cfg.Logger.Error("the config was not taken; the running config stays", "error", err)
		return "", status.Error(codes.FailedPrecondition, err.Error())
	}
	c.reloads.taken.Add(1)
	c.reloads.problem.Store(nil)
	c.cfg.Logger.Info("config reloaded", "change", change)
	taken()
	return change, nil
}

// Reload has the controller go by another config, and returns what that changed. Only what
// differs is touched: grants, queues and counters of pools go on. An error says what cannot
// change, or removes too much for a slip; then nothing was changed.
func (c *Controller) Reload(next *config.Config, force bool) (string, error) {
	c.reload.Lock()
	defer c.reload.Unlock()
	if c.group == nil {
		return "", fmt.Errorf("the controller is starting or stopping")
	}
	was := c.shape.Load()
	change := config.Compare(was.file, next)
	if why := change.Refusal(c.hasUp, force); why != "" {
		return "", fmt.Errorf("%s", why)
	}
	if len(change.Replaced) > 0 {
		return "", fmt.Errorf("what a pool's backends count and how they are linked (slots or workers, link, assign, tickets, prefer, decide) "+
			"cannot change while the controller runs, and differs for %s; give the pool another name, or restart the controller", strings.Join(change.Replaced, ", "))
	}
	if change.Empty() {
		return change.String(), nil
	}
	now := c.shaped(next, func(p config.Pool, number uint32) *runner { return newRunner(c, p, number, next) })
	for _, r := range now.live {
		if !slices.Contains(was.live, r) {
			c.launch(r)
		}
	}
	c.shape.Store(now)
	for _, p := range next.Pools {
		if r := now.pools[p.Name]; slices.Contains(was.live, r) {
			r.do(func() { r.respec(&p) })
		}
		now.pools[p.Name].route(next.Routes, next.Listeners)
	}
	for _, r := range was.live {
		if !slices.Contains(now.live, r) {
			c.stop(r)
		}
	}
	c.lead(now)
	c.proxies.tellTable()
	c.retarget()
	return change.String(), nil
}

// hasUp tells whether a pool has backends that take grants.
func (c *Controller) hasUp(name fleet.PoolName) (up bool) {
	if r := c.pool(name); r != nil {
		r.do(func() {
			for _, b := range r.mind.State(c.now()).Backends {
				up = up || b.Eligible
			}
		})
	}
	return up
}

// launch has a runner run, with the backends of its config.
func (c *Controller) launch(r *runner) {
	ctx, cancel := context.WithCancel(c.running)
	r.cancel = cancel
	c.group.Go(func() error { defer cancel(); return r.run(ctx) })
	for _, b := range r.conf().Backends {
		spec := backendSpec(b)
		r.submit(work{call: func() { r.join(dispatch.Join{Spec: spec, Source: dispatch.FromConfig}) }})
	}
}

// stop ends a runner whose pool is gone. Requests that run go on at their proxies.
func (c *Controller) stop(r *runner) {
	r.do(r.yield)
	r.cancel()
	<-r.stopped
	c.agents.dismiss(r.conf().Name)
}

// lead has the pools of a shape led: by the store's word, or all of them.
func (c *Controller) lead(s *shape) {
	if c.cfg.Store == nil {
		for _, r := range s.live {
			r.do(func() {
				if r.leading.Load() == nil {
					r.begin(leading{epoch: c.epoch}, nil)
				}
			})
		}
		return
	}
	if k := c.keeper.Load(); k != nil {
		k.SetPools(s.names())
	}
}

func (s *shape) names() (all []string) {
	for _, r := range s.live {
		all = append(all, string(r.conf().Name))
	}
	return all
}

// respec has a pool be as another config says. It runs in the runner's goroutine.
func (r *runner) respec(next *config.Pool) {
	was := r.conf()
	r.config.Store(next)
	r.public.give(*next)
	r.step(&dispatch.Respec{Spec: poolSpec(*next, r.number)})
	for _, b := range next.Backends {
		i := slices.IndexFunc(was.Backends, func(o config.Backend) bool { return o.Address == b.Address })
		if i < 0 || !sameBackend(&was.Backends[i], &b) {
			r.join(dispatch.Join{Spec: backendSpec(b), Source: dispatch.FromConfig})
		}
	}
	for _, b := range was.Backends {
		if !slices.ContainsFunc(next.Backends, func(o config.Backend) bool { return o.Address == b.Address }) {
			r.step(&dispatch.Leave{Backend: fleet.BackendName(b.Address), Source: dispatch.FromConfig})
		}
	}
	if r.inform != nil {
		r.inform.stir()
	}
}

func sameBackend(a, b *config.Backend) bool {
	return a.Zone == b.Zone && a.Slots == b.Slots && a.Workers == b.Workers && a.Weight == b.Weight && slices.Equal(a.Labels, b.Labels)
}

// tellTable has every session told of the table anew.
func (g *proxyRegistry) tellTable() {
	g.mu.Lock()
	all := slices.Collect(maps.Keys(g.all))
	g.mu.Unlock()
	for _, p := range all {
		p.mu.Lock()
		p.table, p.leads = true, true
		p.mu.Unlock()
		p.rouse()
	}
}

// dismiss ends the sessions of a pool's agents.
func (g *agentRegistry) dismiss(pool fleet.PoolName) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for key, a := range g.live {
		if key.pool == pool {
			a.cancel(status.Errorf(codes.NotFound, "the pool %q is gone from the config", pool))
		}
	}
}

// Reload implements the service.
func (s toolsService) Reload(ctx context.Context, r *fairleadv1.ReloadRequest) (*fairleadv1.ReloadResponse, error) {
	if err := s.c.allow(ctx, asOperator); err != nil {
		return nil, err
	}
	change, err := s.c.ReloadFile(r.GetForce())
	if err != nil {
		return nil, err
	}
	return &fairleadv1.ReloadResponse{Change: change}, nil
}
