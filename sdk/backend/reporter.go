package backend

import (
	"context"
	"errors"
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

// State is what the controllers last said of this backend.
type State struct {
	// Connected tells whether a controller has this backend among its own now. While it
	// is false, Slots and Draining are what they last were.
	Connected bool
	Slots     int  // as the controller that leads the pool counts; 0: not told yet
	Draining  bool // some controller gives it no new requests
	Drained   bool // draining, and all say that nothing is in flight here
}

// Reporter reports for one backend. Its methods are safe for concurrent use.
type Reporter struct {
	cfg      Config
	dial     []grpc.DialOption
	instance string
	count    counters
	contacts []*contact // one for each controller, never changed
	grants   *grants
	tickets  *ticket.Verifier
	refused  refusals
	calls    chan call // of OnAssign and OnRevoke, in the order in which they came
	slow     seldom    // tells that those are too slow
	started  atomic.Bool
	ended    chan struct{} // closed when Run returns

	sampling sync.Mutex // held while the sampler runs; guards sampled
	sampled  time.Time

	changing sync.Mutex // held while State changes and OnState is told; goes before mu

	mu    sync.Mutex // guards what is below, and the state of each contact
	load  Load       // the newest, from Set or the sampler; a clone
	rates rates
	state State
	news  chan struct{} // closed and replaced when a contact's state or told changes
	drain bool          // Drain was called
}

// State returns what the controllers last said.
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

// sample asks the sampler, and takes the rates, once an interval, whichever session is the
// first to want it.
func (r *Reporter) sample() {
	r.sampling.Lock()
	defer r.sampling.Unlock()
	if len(r.contacts) > 1 && !r.sampled.IsZero() && time.Since(r.sampled) < r.cfg.Interval*3/4 {
		return
	}
	r.sampled = time.Now()
	if r.cfg.Load != nil {
		r.setLoad(r.cfg.Load())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rates.take(&r.count, time.Now())
}

// current returns what a report would say now.
func (r *Reporter) current() Load {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.load
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

// wake has every session look whether something is to be sent.
func (r *Reporter) wake() {
	for _, c := range r.contacts {
		select {
		case c.poke <- struct{}{}:
		default: // it will look anyway
		}
	}
}

// Run keeps the backend known to the controllers until ctx ends, and then leaves and
// returns nil. Each that is away it tries again, for ever. It returns early only with a
// *RejectedError, when every controller has turned the backend away and trying again cannot
// help; while one has not, it goes on, and tries the others again now and then. Every
// goroutine that it started has ended when it returns. Run may be called once.
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

	joined, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan error, len(r.contacts))
	for _, c := range r.contacts {
		go func() { results <- c.keepJoined(joined) }()
	}
	var failure error
	for range r.contacts {
		if err := <-results; err != nil {
			failure = err
			cancel() // it was the last that had not turned the backend away
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return failure
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
	// One that turned the backend away, while others did not, is asked again this seldom.
	pauseRejected = 10 * time.Second
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
