package backend

import (
	"context"
	"fmt"
	"time"
)

// leaderAway is how long a drain waits for the controller that leads the pool to come back.
// One that is away for longer has nobody send requests here.
const leaderAway = 5 * time.Second

// learning is how long a controller that has just taken over may not know of every grant.
const learning = 5 * time.Second

// Drain asks every controller for no more requests, and returns nil once each one that is
// connected has said that none is in flight here, or an error that wraps ctx's or ErrStopped.
// The controller that leads the pool has to be among them, unless it stays away. It
// needs Run to be running, and may be called before it. The drain cannot be taken back,
// and is said again to each controller to come; it ends with Run. From then on
// assignments that await a yes get a no; guards go on letting in whom the controller has
// granted. If an operator undrains the backend meanwhile, only ctx ends the wait.
func (r *Reporter) Drain(ctx context.Context) error {
	r.mu.Lock()
	r.drain = true
	r.mu.Unlock()
	r.wake()
	for {
		r.mu.Lock()
		drained, away := r.drainedNow(time.Now())
		connected, news := r.state.Connected, r.news
		r.mu.Unlock()
		if drained {
			return nil
		}
		if err := r.awaitNews(ctx, news, away, connected); err != nil {
			return err
		}
	}
}

// awaitNews waits for news, or, if away is not 0, that long at most.
func (r *Reporter) awaitNews(ctx context.Context, news <-chan struct{}, away time.Duration, connected bool) error {
	var late <-chan time.Time
	if away > 0 {
		timer := time.NewTimer(away)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-news:
		return nil
	case <-late:
		return nil
	case <-r.ended:
		return fmt.Errorf("backend: drain %s: %w", r.cfg.Address, ErrStopped)
	case <-ctx.Done():
		why := "requests are still in flight"
		if !connected {
			why = "no controller answers"
		}
		return fmt.Errorf("backend: drain %s: %s: %w", r.cfg.Address, why, context.Cause(ctx))
	}
}

// drainedNow tells whether all that have a say were told of the drain and say that it is
// over. away is how long the leader is still waited for, where it alone is missing, or has
// just begun and may not know of all that runs here. r.mu is held.
func (r *Reporter) drainedNow(now time.Time) (drained bool, away time.Duration) {
	for _, c := range r.contacts {
		if c.state.Connected && !(c.told && c.state.Drained) {
			return false, 0
		}
	}
	if !r.anyConnected() {
		return false, 0
	}
	switch l := r.leader(); {
	case l == nil:
	case l.state.Connected:
		away = learning - now.Sub(l.began)
	case l.lost.IsZero(): // its session is about to begin
		away = leaderAway
	default:
		away = leaderAway - now.Sub(l.lost)
	}
	if away > 0 {
		return false, away
	}
	return true, 0
}

// leader returns the contact with the controller that began the latest term; nil: none is
// known. r.mu is held.
func (r *Reporter) leader() (l *contact) {
	for _, c := range r.contacts {
		if c.epoch > 0 && (l == nil || c.epoch > l.epoch) {
			l = c
		}
	}
	return l
}

func (r *Reporter) anyConnected() bool {
	for _, c := range r.contacts {
		if c.state.Connected {
			return true
		}
	}
	return false
}

// sum makes one state of what all controllers said. r.mu is held.
func (r *Reporter) sum() State {
	if !r.anyConnected() {
		return State{Slots: r.state.Slots, Draining: r.state.Draining}
	}
	now := State{Connected: true, Slots: r.state.Slots, Drained: true}
	leader := r.leader()
	said := false
	for _, c := range r.contacts {
		if !c.state.Connected {
			now.Drained = now.Drained && c != leader
			continue
		}
		now.Draining = now.Draining || c.state.Draining
		now.Drained = now.Drained && c.state.Drained
		if c.state.Slots > 0 && (c == leader || !said) {
			now.Slots, said = c.state.Slots, true
		}
	}
	return now
}
