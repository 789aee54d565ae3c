package sim

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// Options say how Run goes about it. They do not change what comes out.
type Options struct {
	Parallel int                              // runs at a time; 0: as many as there are processors
	Check    bool                             // invariants, after each step
	Progress func(done, of int, last *Result) // after each policy and seed, one at a time; nil: no need
}

// Run plays a scenario: each policy with each seed, which are runs of their own. The same
// scenario gives the same report, to the bit. It joins what it starts.
func Run(ctx context.Context, s *Scenario, opt Options) (*Report, error) {
	p, err := newPlan(s)
	if err != nil {
		return nil, fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	if len(s.Policies) == 0 || len(s.Seeds) == 0 || s.Requests <= 0 {
		return nil, fmt.Errorf("scenario %s: it needs policies, seeds and requests", s.Name)
	}
	meters := make([]*meter, len(s.Policies)*len(s.Seeds))
	if err := playAll(ctx, p, opt, meters); err != nil {
		return nil, fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	report := &Report{Scenario: s}
	for i, policy := range s.Policies {
		of := meters[i*len(s.Seeds) : (i+1)*len(s.Seeds)]
		for _, m := range of[1:] {
			of[0].merge(m)
		}
		report.Results = append(report.Results, p.result(policy, of[0]))
	}
	return report, nil
}

// playAll fills meters, by policy and then by seed.
func playAll(ctx context.Context, p *plan, opt Options, meters []*meter) error {
	n := opt.Parallel
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	jobs := make(chan int, len(meters))
	for i := range meters {
		jobs <- i
	}
	close(jobs)
	errs := make([]error, len(meters))
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
		done int
	)
	for range min(n, len(meters)) {
		wait.Go(func() {
			for i := range jobs {
				policy := p.s.Policies[i/len(p.s.Seeds)]
				meters[i], errs[i] = play(ctx, p, policy, p.s.Seeds[i%len(p.s.Seeds)], opt.Check)
				if errs[i] != nil {
					cancel()
					return
				}
				mu.Lock()
				done++
				if opt.Progress != nil {
					r := p.result(policy, meters[i])
					opt.Progress(done, len(meters), &r)
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return first(errs)
}

// first returns the error that is not merely that another one ended everything.
func first(errs []error) error {
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil && !errors.Is(err, context.Canceled) }); i >= 0 {
		return errs[i]
	}
	return errors.Join(errs...)
}

// play makes one run.
func play(ctx context.Context, p *plan, policy Policy, seed uint64, check bool) (*meter, error) {
	e, err := newEngine(p, policy, seed, check)
	if err != nil {
		return nil, err
	}
	if err := e.run(ctx); err != nil {
		return nil, err
	}
	return &e.meter, nil
}

// result words what was measured.
func (p *plan) result(policy Policy, m *meter) Result {
	r := Result{
		Scenario: p.s.Name, Policy: policy, Proxies: len(p.zones), Backends: len(p.names),
		Requests: m.requests, Served: m.took.total, Failed: m.failed, Refused: m.refused, TimedOut: m.timedOut,
		Mean: m.took.mean(), P50: m.took.quantile(.5), P99: m.took.quantile(.99), P999: m.took.quantile(.999),
		Excess99: m.excess.quantile(.99), MostIn: int(m.most), Capacity: p.requestsPerSecond(),
		Moved: m.moved, FromHand: m.fromHand, Violation: m.violation,
	}
	r.Bound = m.bound
	if m.span > 0 {
		r.Goodput = float64(m.good) / m.span * p.capacity * float64(p.s.Service.Mean) / p.capacity
		r.Work = m.work / m.span
	}
	r.ByClass = p.parts(m, func(x *mix) string { return x.Class.String() })
	r.ByFlow = p.parts(m, func(x *mix) string { return x.Flow })
	return r
}

// parts sums what was measured of the mixes by a name; nil: they all have the same.
func (p *plan) parts(m *meter, name func(*mix) string) map[string]Part {
	sums := map[string]*part{}
	for i := range m.mixes {
		n := name(&p.mixes[i])
		if sums[n] == nil {
			sums[n] = &part{}
		}
		sums[n].merge(&m.mixes[i])
	}
	if len(sums) < 2 {
		return nil
	}
	all := make(map[string]Part, len(sums))
	for n, s := range sums {
		all[n] = s.result()
	}
	return all
}
