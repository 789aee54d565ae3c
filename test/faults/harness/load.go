//go:build unix

package harness

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

const (
	clientPatience = 60 * time.Second // then a request hangs: no bound allows that
	mostOpen       = 15_000           // requests at once
	mostWork       = 10               // of a request, in means
)

// Load is clients whose requests fall due at random moments (Poisson), whatever became of
// those before. A request's time counts from when it was due.
type Load struct {
	t       testing.TB
	fronts  []*front
	rate    float64 // requests a second
	mean    time.Duration
	began   time.Time
	stop    context.CancelFunc
	sending chan struct{} // closed when no more are sent
	open    chan struct{} // has a place for each request under way
	running sync.WaitGroup

	mu       sync.Mutex // guards what is below
	outcomes []Outcome
	ok       int
	more     chan struct{} // closed at the next outcome
}

// Outcome is how a request ended. Times count from the start of the load.
type Outcome struct {
	Due, Took time.Duration
	Proxy     string
	Status    int    // 0: no answer
	Reason    string // of a proxy that says no
	Err       string // why there was no answer
	Own       bool   // it was on a connection to a proxy that was killed
}

// OK tells whether it was answered with 200.
func (o *Outcome) OK() bool { return o.Status == 200 }

// How tells in a word or two how it ended, so that the like can be counted.
func (o *Outcome) How() string {
	switch {
	case o.Own:
		return "on a killed proxy"
	case o.Status == 0:
		return o.Err
	case o.Reason != "":
		return fmt.Sprintf("%d %s", o.Status, o.Reason)
	}
	return fmt.Sprint(o.Status)
}

// Capacity is how many requests of this mean work the fleet can serve in a second.
func (f *Fleet) Capacity(mean time.Duration) float64 {
	return float64(len(f.Backends)*f.Slots) / mean.Seconds()
}

// Load starts clients that send so many requests a second, of exponential work, spread
// over the proxies. They end with Stop, and with the test.
func (f *Fleet) Load(rate float64, mean time.Duration, seed uint64) *Load {
	ctx, stop := context.WithCancel(context.Background())
	l := &Load{
		t: f.t, rate: rate, mean: mean, began: time.Now(), stop: stop,
		sending: make(chan struct{}), open: make(chan struct{}, mostOpen), more: make(chan struct{}),
	}
	for _, p := range f.Proxies {
		l.fronts = append(l.fronts, &front{proxy: p})
	}
	go l.run(ctx, rand.New(rand.NewPCG(seed, 7)))
	f.t.Cleanup(func() {
		stop()
		<-l.sending
		for _, p := range l.fronts {
			p.cut()
		}
		l.running.Wait()
	})
	return l
}

// run sends what falls due.
func (l *Load) run(ctx context.Context, random *rand.Rand) {
	defer close(l.sending)
	var last time.Duration
	for {
		due := last + time.Duration(random.ExpFloat64()/l.rate*float64(time.Second))
		last = due
		work := time.Duration(min(random.ExpFloat64(), mostWork) * float64(l.mean))
		first := random.IntN(len(l.fronts))
		if !sleepUntil(ctx, l.began.Add(due)) {
			return
		}
		select {
		case l.open <- struct{}{}:
		default:
			l.note(Outcome{Due: due, Err: "not sent: too many are under way"})
			continue
		}
		l.running.Go(func() {
			o := l.send(first, work)
			o.Due, o.Took = due, time.Since(l.began)-due
			<-l.open
			l.note(o)
		})
	}
}

func sleepUntil(ctx context.Context, at time.Time) bool {
	d := time.Until(at)
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// send sends one request. A proxy that nobody can connect to is passed by, as a client
// does that knows several; what was sent is not sent again.
func (l *Load) send(first int, work time.Duration) Outcome {
	var o Outcome
	for i := range l.fronts {
		p := l.fronts[(first+i)%len(l.fronts)]
		c, err := p.take()
		if err != nil {
			o = Outcome{Proxy: p.proxy.Name, Err: "no connection"}
			continue
		}
		return p.roundTrip(c, work)
	}
	return o
}

func (l *Load) note(o Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outcomes = append(l.outcomes, o)
	if o.OK() {
		l.ok++
	}
	close(l.more)
	l.more = make(chan struct{})
}

// Now is the time since the load's start.
func (l *Load) Now() time.Duration { return time.Since(l.began) }

// For lets the load go on for a while.
func (l *Load) For(d time.Duration) { sleepUntil(context.Background(), time.Now().Add(d)) }

// Answers waits for n more answers 200.
func (l *Load) Answers(n int) {
	l.t.Helper()
	limit := time.NewTimer(soon)
	defer limit.Stop()
	l.mu.Lock()
	until := l.ok + n
	l.mu.Unlock()
	for {
		l.mu.Lock()
		ok, more := l.ok, l.more
		l.mu.Unlock()
		if ok >= until {
			return
		}
		select {
		case <-more:
		case <-limit.C:
			l.t.Fatalf("%d answers of %d within %s", ok, until, soon)
		}
	}
}

// Outcomes returns how the requests ended that have, in no order.
func (l *Load) Outcomes() []Outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Outcome(nil), l.outcomes...)
}

// Stop sends no more, waits until each request has ended, and returns how.
func (l *Load) Stop() []Outcome {
	l.stop()
	<-l.sending
	l.running.Wait()
	for _, p := range l.fronts {
		p.cut()
	}
	return l.Outcomes()
}
