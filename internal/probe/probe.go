// Package probe checks whether backends are alive. The controller alone runs it, so the
// number of checks grows with the backends, and not with proxies times backends.
//
// Each backend is checked at its interval. The first check decides at once, so that a
// start is quick; later ones change the verdict after Fall failures or Rise successes in
// a row. What proxies meet is a sign, not a verdict: Suspect has a backend checked at
// once, and only if the controller cannot reach it either is it called down. So a dead
// backend is noticed within a connect, and a proxy with trouble of its own marks nobody
// down.
package probe

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

// Target is a backend of a pool, and how it is checked.
type Target struct {
	Pool    fleet.PoolName
	Backend fleet.BackendName
	Health  config.Health
}

// Verdict is what is thought of a target.
type Verdict struct {
	Up    bool
	Why   string    // a sentence without capital and full stop
	Since time.Time // when it was decided
}

// Prober checks targets. Its methods are safe for concurrent use, and none but Run blocks.
type Prober struct {
	report  func(Target, Verdict)
	check   func(ctx context.Context, address string, h config.Health) error
	close   func() // gives back what check holds
	logger  *slog.Logger
	poke    chan struct{} // holds one: Set or Suspect was called
	started atomic.Bool

	mu       sync.Mutex // guards what is below
	targets  []Target
	places   map[place]struct{} // of targets
	replaced bool               // targets are new to Run
	suspects map[place]struct{} // for Run; a subset of places
}

// place is one seat in the fleet; a target is that with its kind of check.
type place struct {
	pool    fleet.PoolName
	backend fleet.BackendName
}

func (t Target) place() place { return place{t.Pool, t.Backend} }

// New makes a Prober. Run calls report with the first verdict on each target and with
// each change, one call after the other; report has to return soon, and may call Set and
// Suspect. A report may still come for a target that Set is just taking away. A nil
// logger logs nothing.
func New(report func(Target, Verdict), logger *slog.Logger) *Prober {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	c := newChecker()
	return &Prober{
		report: report, check: c.check, close: c.close, logger: logger,
		poke:     make(chan struct{}, 1),
		suspects: map[place]struct{}{},
	}
}

// Set replaces the targets. One that was there before, with the same kind of check, keeps
// its verdict and its rhythm, and is not reported again; another is checked at once. Of
// several for one backend of one pool the last counts. Set may be called before Run.
func (p *Prober) Set(targets []Target) {
	last := make(map[place]int, len(targets))
	for i, t := range targets {
		last[t.place()] = i
	}
	kept := make([]Target, 0, len(last))
	places := make(map[place]struct{}, len(last))
	for i, t := range targets {
		if last[t.place()] == i {
			kept = append(kept, t)
			places[t.place()] = struct{}{}
		}
	}
	p.mu.Lock()
	p.targets, p.places, p.replaced = kept, places, true
	p.mu.Unlock()
	p.wake()
}

// Suspect has a backend checked at once, because a proxy could not connect to it; at most
// each 100 ms. If the connection is refused here too, the backend is down at once; if it
// fails otherwise, checks follow each other at 100 ms until Fall of them decide. It does
// nothing for a backend that is down, unknown, or not checked.
func (p *Prober) Suspect(pool fleet.PoolName, backend fleet.BackendName) {
	at := place{pool, backend}
	p.mu.Lock()
	_, known := p.places[at]
	if known {
		p.suspects[at] = struct{}{}
	}
	p.mu.Unlock()
	if known {
		p.wake()
	}
}

func (p *Prober) wake() {
	select {
	case p.poke <- struct{}{}:
	default: // Run will look anyway
	}
}

// changes hands over what Set and Suspect left.
func (p *Prober) changes() (targets []Target, replaced bool, suspects map[place]struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	targets, replaced, suspects = slices.Clone(p.targets), p.replaced, p.suspects
	p.replaced, p.suspects = false, map[place]struct{}{}
	return targets, replaced, suspects
}

// Run checks until ctx ends, and then returns nil. Every goroutine that it started has
// ended when it returns. It may be called once.
func (p *Prober) Run(ctx context.Context) error {
	if p.started.Swap(true) {
		return errors.New("probe: Run: was called before; make a new Prober with New")
	}
	defer p.close()
	ctx, cancel := context.WithCancel(ctx)
	r := newRound(p)
	defer r.checking.Wait()
	defer cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.poke:
			targets, replaced, suspects := p.changes()
			if replaced {
				r.set(targets, time.Now())
			}
			r.suspect(suspects, time.Now())
		case result := <-r.results:
			r.take(result, time.Now())
		case <-timer.C:
		}
		if next, ok := r.start(ctx, time.Now()); ok {
			timer.Reset(time.Until(next))
		} else {
			timer.Stop()
		}
	}
}
