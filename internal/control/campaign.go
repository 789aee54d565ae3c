package control

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/store"
)

// campaign leads the pools that the store gives to this controller, until ctx ends.
func (c *Controller) campaign(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { c.forgetProxies(ctx); return nil })
	g.Go(func() error { c.followOverrides(ctx); return nil })
	g.Go(func() error { c.watchOthers(ctx); return nil })
	g.Go(func() error {
		c.cfg.Store.Leaders(ctx, func(all map[string]store.Leader) { c.leaders.Store(&all) })
		return nil
	})
	keeper := store.NewKeeper(c.cfg.Store, c.serve)
	keeper.SetPools(c.shape.Load().names())
	c.keeper.Store(keeper)
	g.Go(func() error { keeper.Run(ctx); return nil })
	g.Go(func() error {
		select {
		case <-c.cfg.Store.Failed():
			return c.cfg.Store.Err()
		case <-ctx.Done():
			return nil
		}
	})
	return g.Wait()
}

// alive tells whether a controller of a name is, as far as the store has said.
func (c *Controller) alive(name string) bool {
	all := c.members.Load()
	return all == nil || slices.ContainsFunc(*all, func(m store.Member) bool { return m.Name == name })
}

// tellLeader says in a status who leads the pool.
func (r *runner) tellLeader(m *fairleadv1.PoolStatus) {
	if l := r.leading.Load(); l != nil {
		m.Leader, m.LeaderAddress, m.Epoch, m.LedHere = r.c.cfg.Name, r.c.file().Controller.Advertise, l.epoch, true
		return
	}
	if all := r.c.leaders.Load(); all != nil {
		l := (*all)[string(r.conf().Name)]
		m.Leader, m.LeaderAddress, m.Epoch = l.Name, l.Address, l.Epoch
	}
}

// tellControllers says in a snapshot which controllers there are, and how many pools each
// leads.
func (c *Controller) tellControllers(s *fairleadv1.Snapshot) {
	all := c.members.Load()
	if all == nil {
		return
	}
	leads := map[string]uint32{}
	if pools := c.leaders.Load(); pools != nil {
		for _, l := range *pools {
			leads[l.Name]++
		}
	}
	for _, m := range *all {
		s.Controllers = append(s.Controllers, &fairleadv1.ControllerStanding{
			Name: m.Name, Address: m.Address, Leads: leads[m.Name], Here: m.Name == c.cfg.Name,
		})
	}
}

// MovePool has another controller lead a pool, as long as that one is alive; an empty name
// leaves it to the spread. Errors are statuses.
func (c *Controller) MovePool(ctx context.Context, pool, controller string) error {
	if c.pool(fleet.PoolName(pool)) == nil {
		return status.Errorf(codes.NotFound, "no pool is named %q; the config has %s", pool, c.poolNames())
	}
	if c.cfg.Store == nil {
		return status.Error(codes.FailedPrecondition, "this controller has no store, and no other one to move a pool to")
	}
	if err := c.cfg.Store.Move(ctx, pool, controller); err != nil {
		return status.Error(codes.FailedPrecondition, err.Error())
	}
	c.cfg.Logger.Info("pool moved", "pool", pool, "to", controller)
	return nil
}
