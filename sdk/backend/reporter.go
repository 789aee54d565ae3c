package backend

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/fairlead/fairlead/internal/ticket"
)

// ErrStopped is what Drain returns when Run has ended before the backend was drained.
var ErrStopped = errors.New("the reporter does not run any more")

// State is what the controller last said of this backend.
type State struct {
	// Connected tells whether a controller has this backend among its own now. While it
	// is false, Slots and Draining are what they last were.
	Connected bool
	Slots     int  // as the controller counts; 0: not told yet
	Draining  bool // it gets no new requests
	Drained   bool // draining, and nothing is in flight here
}

// Reporter reports for one backend. Its methods are safe for concurrent use.
type Reporter struct {
	cfg      Config
	dial     []grpc.DialOption
	instance string
	count    counters
	rates    rates         // Run's goroutine alone
	poke     chan struct{} // holds one: something may have to be sent before the interval
	grants   *grants
	tickets  *ticket.Verifier
	refused  refusals
	calls    chan call // of OnAssign and OnRevoke, in the order in which they came
	slow     seldom    // tells that those are too slow
	started  atomic.Bool
	ended    chan struct{} // closed when Run returns

	mu    sync.Mutex    // guards what is below
	load  Load          // the newest, from Set or the sampler; a clone
	state State         // changed by Run's goroutine alone
	news  chan struct{} // closed and replaced when state or told changes
	drain bool          // Drain was called
	told  bool          // the session that is on was told so
}

// State returns what the controller last said.
func (r *Reporter) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// Set replaces the load that the next reports carry, until the next Set or the next call
// of Config.Load, and has it sent at once if it moved by more than 5 %.
func (r *Reporter) Set(l Load) {
	r.setLoad(l)
	r.wake()
}

func (r *Reporter) setLoad(l Load) {
	l = l.clone()
	r.mu.Lock()
	r.load = l
	r.mu.Unlock()
}

// sample asks the sampler, and takes the rates, once an interval.
func (r *Reporter) sample() {
	if r.cfg.Load != nil {
		r.setLoad(r.cfg.Load())
	}
	r.rates.take(&r.count, time.Now())
}

// current returns what a report would say now.
func (r *Reporter) current() Load {
	r.mu.Lock()
	l := r.load
	r.mu.Unlock()
	l.Named = maps.Clone(l.Named)
	if l.Named == nil {
		l.Named = map[string]float64{}
	}
	r.rates.fill(&l, &r.count)
	return l
}

// draining tells whether Drain was called.
func (r *Reporter) draining() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.drain
}

// wake has Run look whether something is to be sent.
func (r *Reporter) wake() {
	select {
	case r.poke <- struct{}{}:
	default: // it will look anyway
	}
}

// Drain asks the controller for no more requests, and returns nil once the controller
// has said that none is in flight here, or an error that wraps ctx's or ErrStopped. It
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
		drained, connected, news := r.told && r.state.Drained, r.state.Connected, r.news
		r.mu.Unlock()
		if drained {
			return nil
		}
		select {
		case <-news:
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
}

// Run keeps the backend known to the controller until ctx ends, and then leaves and
// returns nil. While the controller is away it tries again, for ever. It returns early
// only with a *RejectedError, when trying again cannot help. Every goroutine that it
// started has ended when it returns. Run may be called once.
func (r *Reporter) Run(ctx context.Context) error {
	if r.started.Swap(true) {
		return errors.New("backend: Run: was called before; make a new Reporter with New")
	}
	defer close(r.ended)
	stop := make(chan struct{})
	var calling sync.WaitGroup
	calling.Go(func() { r.callBack(stop) })
	defer calling.Wait()
	defer close(stop)
	return r.keepJoined(ctx)
}

func (r *Reporter) keepJoined(ctx context.Context) error {
	var tries retries
	for {
		begun := time.Now()
		joined, err := r.session(ctx)
		r.change(func(s *State) { s.Connected, s.Drained = false, false })
		if ctx.Err() != nil {
			return nil
		}
		if fatal := tries.judge(err, joined, time.Since(begun), time.Now()); fatal != nil {
			return fmt.Errorf("backend: report %s: %w", r.cfg.Address, fatal)
		}
		pause := tries.pause()
		r.logTry(joined, tries.failed, err, pause)
		if !wait(ctx, pause) {
			return nil
		}
	}
}

// logTry says the first failure aloud, and its repetitions quietly.
func (r *Reporter) logTry(joined bool, failed int, err error, pause time.Duration) {
	text := "cannot reach the controller, and will go on trying"
	if joined {
		text = "lost the controller, and will come back"
	}
	log := r.cfg.Logger.Debug
	if joined || failed == 1 {
		log = r.cfg.Logger.Warn
	}
	log(text, "controller", r.cfg.Controller, "backend", r.cfg.Address, "error", err, "again_in", pause)
}

// change alters the state and tells who waits for it. Only Run's goroutine may call it.
func (r *Reporter) change(alter func(*State)) {
	r.mu.Lock()
	before := r.state
	alter(&r.state)
	now := r.state
	if !now.Connected {
		r.told = false
	}
	if now != before {
		r.announce()
	}
	r.mu.Unlock()
	if now != before && r.cfg.OnState != nil {
		r.cfg.OnState(now)
	}
}

// announce wakes the Drains. r.mu is held.
func (r *Reporter) announce() {
	close(r.news)
	r.news = make(chan struct{})
}

// How the controller is tried again.
const (
	pauseFirst = 100 * time.Millisecond
	pauseMost  = 5 * time.Second
	// A session this long was a good one: the pauses begin again from the shortest.
	goodSession = 5 * time.Second
	// A name that is taken may be our own, of a process or a connection that died and
	// that the controller still gives its three seconds.
	nameTakenFor = 15 * time.Second
)

// retries remembers how trying went.
type retries struct {
	failed int       // in a row
	taken  time.Time // since when the name is taken; zero: it is not
}

// judge takes in how a session ended. It returns an error if trying again is of no use.
func (t *retries) judge(err error, joined bool, lasted time.Duration, now time.Time) error {
	if joined && lasted >= goodSession {
		t.failed = 0
	}
	t.failed++
	rejected := rejection(err)
	if rejected == nil || rejected.Code != codes.AlreadyExists {
		t.taken = time.Time{}
		if rejected == nil {
			return nil
		}
		return rejected
	}
	if t.taken.IsZero() || joined {
		t.taken = now
	}
	if now.Sub(t.taken) < nameTakenFor {
		return nil
	}
	return rejected
}

// pause returns how long to wait: twice as long each time, and somewhere in the upper
// half of that, so that many backends do not come back in step.
func (t *retries) pause() time.Duration {
	d := pauseMost
	if shift := t.failed - 1; shift < 8 {
		d = min(pauseFirst<<max(shift, 0), pauseMost)
	}
	return d/2 + rand.N(d/2)
}

// wait returns false if ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
