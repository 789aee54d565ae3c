package control

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

// hypothesisOf checks a tool's request and converts it.
func hypothesisOf(m *fairleadv1.ExplainRequest) (h dispatch.Hypothetical, err error) {
	for what, s := range map[string]string{
		"request's zone": m.GetZone(), "request's flow": m.GetFlow(), "request's affinity": m.GetAffinity(),
	} {
		if err := checkName(what, s, true); err != nil {
			return h, err
		}
	}
	if len(m.GetExclude()) > maxExclude {
		return h, invalid("%d backends are excluded; at most %d are taken", len(m.GetExclude()), maxExclude)
	}
	labels, err := requiredLabels(m.GetLabels())
	if err != nil {
		return h, err
	}
	if c := m.GetClass(); c < 0 || c >= fairleadv1.Class(fleet.Classes) {
		return h, invalid("class %d, which this version does not know", c)
	}
	h.Zone = m.GetZone()
	for _, name := range m.GetExclude() {
		h.Exclude = append(h.Exclude, fleet.BackendName(name))
	}
	h.About = &fleet.About{
		Class: classOf(m.GetClass()), Flow: m.GetFlow(), Deadline: millis(m.GetDeadlineMs()),
		Labels: labels, Affinity: m.GetAffinity(),
	}
	return h, nil
}

// Explain says what an ask would get now, and the latest decisions. Errors are
// statuses.
func (c *Controller) Explain(_ context.Context, req *fairleadv1.ExplainRequest) (*fairleadv1.Explanation, error) {
	r := c.pool(fleet.PoolName(req.GetPool()))
	if r == nil {
		return nil, status.Errorf(codes.NotFound, "no pool is named %q; the config has %s", req.GetPool(), c.poolNames())
	}
	h, err := hypothesisOf(req)
	if err != nil {
		return nil, err
	}
	var e dispatch.Explanation
	var local standing
	if !r.do(func() {
		e = r.mind.Explain(h, int(min(req.GetLast(), 1024)))
		local = r.standing()
	}) {
		return nil, errStopping
	}
	m := c.explanation(req.GetPool(), e)
	if local.byProxies {
		m.Verdict += " if the controller were asked, but proxies decide for this pool now, each by what it sees itself"
	}
	return m, nil
}

func (c *Controller) explanation(pool string, e dispatch.Explanation) *fairleadv1.Explanation {
	m := &fairleadv1.Explanation{
		Pool: pool, Verdict: e.Verdict, Chosen: string(e.Chosen), QueuePosition: uint32(e.Position),
	}
	for _, x := range e.Candidates {
		m.Candidates = append(m.Candidates, &fairleadv1.Candidate{
			Backend: string(x.Backend), Eligible: x.Free, WhyNot: x.WhyNot,
			InFlight: uint32(x.InFlight), Slots: uint32(x.Slots), Score: x.Score.Sum(),
			Speed: x.Score.Speed, Fill: x.Score.Fill, Foreign: x.Score.Foreign,
			Utilization: x.Score.Utilization, Errors: x.Score.Errors,
			Zone: x.Score.Zone, InZone: x.Zone,
			Queue: x.Score.Queue, Weight: x.Score.Weight, Affine: x.Affine,
		})
	}
	now := c.now()
	for _, d := range e.Latest {
		m.Last = append(m.Last, &fairleadv1.Decision{
			Ask: uint64(d.Ask), Proxy: c.proxies.name(d.Proxy), Backend: string(d.Backend),
			Reason: fairleadv1.Reason(d.Reason), Score: d.Score,
			WaitedUs: uint64(max(d.Waited, 0) / time.Microsecond), Free: uint32(d.Free),
			AgoMs: uint64(max(now.Sub(d.At), 0) / time.Millisecond),
			Zone:  d.Zone, ZoneCost: d.ZoneCost,
			Class: fairleadv1.Class(d.Class), Flow: d.Flow, Moved: d.Moved, Kept: d.Kept,
		})
	}
	return m
}
