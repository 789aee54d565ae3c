package control

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/report"
	"github.com/fairlead/fairlead/internal/store"
)

// toolsService is the wire's way to the Controller's own methods.
type toolsService struct {
	fairleadv1.UnimplementedToolsServer
	c *Controller
}

// GetSnapshot implements the service.
func (s toolsService) GetSnapshot(ctx context.Context, _ *fairleadv1.GetSnapshotRequest) (*fairleadv1.Snapshot, error) {
	if err := s.c.allow(ctx, asOperator); err != nil {
		return nil, err
	}
	return s.c.Snapshot(ctx)
}

// Watch implements the service.
func (s toolsService) Watch(r *fairleadv1.WatchRequest, st grpc.ServerStreamingServer[fairleadv1.Snapshot]) error {
	if err := s.c.allow(st.Context(), asOperator); err != nil {
		return err
	}
	every := time.Second
	switch ms := r.GetIntervalMs(); {
	case ms == 0:
	case ms < 100 || ms > 3_600_000:
		return invalid("an interval of %d ms; it is between 100 ms and one hour", ms)
	default:
		every = time.Duration(ms) * time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		snap, err := s.c.Snapshot(st.Context())
		if err != nil {
			return err
		}
		if err := st.Send(snap); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-st.Context().Done():
			return nil
		case <-s.c.stopped:
			return errStopping
		}
	}
}

// Drain implements the service.
func (s toolsService) Drain(ctx context.Context, r *fairleadv1.DrainRequest) (*fairleadv1.DrainResponse, error) {
	if err := s.c.allow(ctx, asOperator); err != nil {
		return nil, err
	}
	n, err := s.c.Drain(ctx, r.GetPool(), r.GetBackend())
	if err != nil {
		return nil, err
	}
	return &fairleadv1.DrainResponse{InFlight: n, Elsewhere: s.c.ledElsewhere(r.GetPool(), r.GetBackend())}, nil
}

// Undrain implements the service.
func (s toolsService) Undrain(ctx context.Context, r *fairleadv1.UndrainRequest) (*fairleadv1.UndrainResponse, error) {
	if err := s.c.allow(ctx, asOperator); err != nil {
		return nil, err
	}
	if err := s.c.Undrain(ctx, r.GetPool(), r.GetBackend()); err != nil {
		return nil, err
	}
	return &fairleadv1.UndrainResponse{}, nil
}

// Adjust implements the service.
func (s toolsService) Adjust(ctx context.Context, r *fairleadv1.AdjustRequest) (*fairleadv1.AdjustResponse, error) {
	if err := s.c.allow(ctx, asOperator); err != nil {
		return nil, err
	}
	if err := s.c.Adjust(ctx, r.GetPool(), r.GetBackend(), r.Slots, r.Weight); err != nil {
		return nil, err
	}
	return &fairleadv1.AdjustResponse{}, nil
}

// MovePool implements the service.
func (s toolsService) MovePool(ctx context.Context, r *fairleadv1.MovePoolRequest) (*fairleadv1.MovePoolResponse, error) {
	if err := s.c.allow(ctx, asOperator); err != nil {
		return nil, err
	}
	if err := s.c.MovePool(ctx, r.GetPool(), r.GetController()); err != nil {
		return nil, err
	}
	return &fairleadv1.MovePoolResponse{}, nil
}

// Explain implements the service.
func (s toolsService) Explain(ctx context.Context, r *fairleadv1.ExplainRequest) (*fairleadv1.Explanation, error) {
	if err := s.c.allow(ctx, asOperator); err != nil {
		return nil, err
	}
	return s.c.Explain(ctx, r)
}

var errStopping = status.Error(codes.Unavailable, "the controller is stopping")

func (c *Controller) poolNames() string {
	var names []string
	for _, r := range c.runners() {
		names = append(names, fmt.Sprintf("%q", r.conf().Name))
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Drain stops new grants on a backend, in one pool or, where pool is empty, in each
// that has it, and returns how many grants still live on it, as far as this controller
// knows: those of pools that it leads. Errors are statuses.
func (c *Controller) Drain(ctx context.Context, pool, backend string) (uint32, error) {
	return c.override(ctx, pool, backend, tellDrain, func(o *store.Override) { o.Drain = true })
}

// Undrain takes a drain back.
func (c *Controller) Undrain(ctx context.Context, pool, backend string) error {
	_, err := c.override(ctx, pool, backend, tellDrain, func(o *store.Override) { o.Drain = false })
	return err
}

// Adjust sets a backend's slots and weight by hand, in one pool or, where pool is empty, in
// each that has it. Nil leaves one as it is, 0 has it be as the config says. Errors are
// statuses.
func (c *Controller) Adjust(ctx context.Context, pool, backend string, slots *uint32, weight *float64) error {
	if err := checkAdjust(slots, weight); err != nil {
		return err
	}
	_, err := c.override(ctx, pool, backend, tellAdjust, func(o *store.Override) {
		if slots != nil {
			o.Slots = int(*slots)
		}
		if weight != nil {
			o.Weight = *weight
		}
	})
	return err
}

// What may be set by hand.
const (
	mostSlots   = 1_000_000
	leastWeight = 0.001
	mostWeight  = 1000
)

func checkAdjust(slots *uint32, weight *float64) error {
	switch {
	case slots == nil && weight == nil:
		return status.Error(codes.InvalidArgument, "nothing is to be set; give slots, a weight, or both")
	case slots != nil && *slots > mostSlots:
		return status.Errorf(codes.InvalidArgument, "%d slots are more than a backend may have; give 1 to %d, or 0 for what the config says", *slots, mostSlots)
	case weight != nil && *weight != 0 && !(*weight >= leastWeight && *weight <= mostWeight):
		return status.Errorf(codes.InvalidArgument, "a weight of %g makes no sense; give %g to %d, or 0 for what the config says", *weight, leastWeight, mostWeight)
	}
	return nil
}

// override changes what holds for a backend, keeps it, and tells the pools' minds.
func (c *Controller) override(ctx context.Context, pool, backend string, tell func(fleet.BackendName, store.Override) dispatch.Input, change func(*store.Override)) (uint32, error) {
	runners := c.runners()
	if pool != "" {
		r := c.pool(fleet.PoolName(pool))
		if r == nil {
			return 0, status.Errorf(codes.NotFound, "no pool is named %q; the config has %s", pool, c.poolNames())
		}
		runners = []*runner{r}
	}
	var have []*runner
	var there []string
	inFlight := 0
	for _, r := range runners {
		if !r.do(func() {
			local := r.standing()
			for _, b := range r.mind.State(c.now()).Backends {
				there = append(there, string(b.Name))
				if string(b.Name) == backend {
					have = append(have, r)
					inFlight += b.InFlight + local.on(b.Name)
				}
			}
		}) {
			return 0, errStopping
		}
	}
	if len(have) == 0 {
		return 0, status.Errorf(codes.NotFound, "no backend is named %q; there are %s", backend, few(there))
	}
	for _, r := range have {
		key := agentKey{r.conf().Name, fleet.BackendName(backend)}
		o, err := c.keepOverride(ctx, key, change)
		if err != nil {
			return 0, status.Errorf(codes.Unavailable, "nothing was changed, as it could not be kept: %v", err)
		}
		if !r.do(func() { r.step(tell(key.backend, o)) }) {
			return 0, errStopping
		}
		c.cfg.Logger.Info("override", "pool", key.pool, "backend", backend, "drain", o.Drain, "slots", o.Slots, "weight", o.Weight)
	}
	return uint32(inFlight), nil
}

// few lists names for people, and not too many.
func few(names []string) string {
	const most = 8
	slices.Sort(names)
	names = slices.Compact(names)
	switch n := len(names); {
	case n == 0:
		return "none"
	case n > most:
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", n-most)
	}
	return strings.Join(names, ", ")
}

// Snapshot returns everything that the controller knows. Errors are statuses.
func (c *Controller) Snapshot(context.Context) (*fairleadv1.Snapshot, error) {
	s := &fairleadv1.Snapshot{
		Software: c.cfg.Software, Epoch: c.epoch, TakenUnixMs: time.Now().UnixMilli(),
		UptimeMs:  uint64(time.Since(c.start).Milliseconds()),
		Proxies:   c.proxies.standings(),
		Listeners: c.table().GetListeners(),
	}
	if c.cfg.Locator != nil {
		for _, p := range s.Proxies {
			p.Load, p.WhyNot = c.cfg.Locator.Standing(p.GetName())
		}
	}
	c.tellControllers(s)
	if why := c.reloads.problem.Load(); why != nil {
		s.ConfigProblem = *why
	}
	for _, r := range c.runners() {
		var state dispatch.State
		var local standing
		if !r.do(func() { state, local = r.mind.State(c.now()), r.standing() }) {
			return nil, errStopping
		}
		m := r.status(state)
		local.addTo(m)
		s.Pools = append(s.Pools, m)
	}
	return s, nil
}

func (r *runner) status(s dispatch.State) *fairleadv1.PoolStatus {
	v := r.rate.Load()
	m := &fairleadv1.PoolStatus{
		Name: string(s.Spec.Name), Slots: uint32(s.Slots), InFlight: uint32(s.InFlight),
		Queue: uint32(s.Waiting), QueueLimit: uint32(s.Spec.QueueLimit),
		QueueTimeoutMs: uint64(s.Spec.QueueTimeout.Milliseconds()),
		Asks:           s.Counts.Asks, Grants: s.Counts.Granted, Withdrawn: s.Counts.Withdrawn,
		Refused:            map[string]uint64{},
		DecisionsPerSecond: v.decisions, WaitMs: float64(v.wait) / float64(time.Millisecond),
		OldestWaitMs: uint64(max(s.Oldest, 0).Milliseconds()),
		Link:         string(r.conf().Link), Assign: r.conf().Assign.String(), Prefer: string(r.conf().Prefer),
		Decide:  string(cmp.Or(r.conf().Decide, config.DecideController)),
		Workers: uint32(s.Workers), Moved: s.Counts.Moved,
		Kept: uint32(s.Kept), Uses: s.Counts.Used, Learning: s.Learning, Ejected: s.Counts.Ejected,
		QueueByClass: map[string]uint32{},
	}
	for c := fleet.Critical; c < fleet.Classes; c++ {
		if n := s.Queues[c]; n > 0 {
			m.QueueByClass[c.String()] = uint32(n)
		}
	}
	for _, n := range s.Counts.Ended {
		m.Dones += n
	}
	m.Unused = s.Counts.Ended[fleet.Unused]
	r.tellLeader(m)
	for _, why := range fleet.Reasons() {
		if n := s.Counts.Refused[why]; n > 0 {
			m.Refused[why.String()] = n
		}
	}
	for i := range s.Backends {
		b := backendStatus(&s.Backends[i])
		if r.conf().Link == config.Direct {
			b.Public = r.public.of(s.Backends[i].Name)
		}
		m.Backends = append(m.Backends, b)
	}
	return m
}

func backendStatus(b *dispatch.BackendState) *fairleadv1.BackendStatus {
	m := &fairleadv1.BackendStatus{
		Address: string(b.Name), Zone: b.Zone, Slots: uint32(b.Slots), InFlight: uint32(b.InFlight),
		Eligible: b.Eligible, State: b.State, Why: b.Why,
		LatencyMs: math.Round(float64(b.Latency)/1e3) / 1e3, Foreign: b.Foreign,
		HasAgent: b.HasAgent, FromConfig: b.FromConfig, Grants: b.Granted, Errors: b.Errors,
		Assigned: b.Assigned, Rejected: b.Rejected, Unanswered: b.Unanswered,
		Labels: b.Labels, Weight: b.Weight, Kept: uint32(b.Kept), ByHand: b.ByHand,
	}
	if b.Workers {
		m.Workers = uint32(b.Slots)
	}
	if b.Reported {
		m.Report = report.ToORCA(b.Report)
		m.ReportAgeMs = uint64(max(b.ReportAge, 0).Milliseconds())
	}
	return m
}
