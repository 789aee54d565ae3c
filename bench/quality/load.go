package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	patience  = 35 * time.Second // of a client; the queues give up before, at 30 s
	mostOpen  = 4000             // requests at once; one more is not sent, and counts as failed
	histogram = int64(2 * time.Minute)
)

// load sends what arrives, and keeps the answers' times.
type load struct {
	arrivals         *arrivals
	fronts           []*front
	warmup, duration time.Duration
	atWindow         func() // is called when what is measured begins, and when it ends
	sleepers         sleepers
	open             chan struct{} // holds a place for each request under way
	requests         sync.WaitGroup

	mu                        sync.Mutex // guards what is below
	took, late                *hdrhistogram.Histogram
	answered, failed, refused int
	unsent                    int // of failed: for want of a place
	firstFailure              error
}

func newLoad(a *arrivals, addresses []string, warmup, duration time.Duration) *load {
	l := &load{
		arrivals: a, warmup: warmup, duration: duration, atWindow: func() {},
		open: make(chan struct{}, mostOpen),
		took: hdrhistogram.New(1, histogram, 3), late: hdrhistogram.New(1, histogram, 3),
	}
	for _, a := range addresses {
		l.fronts = append(l.fronts, &front{address: a})
	}
	return l
}

// run sends all requests and returns when each has its answer or was given up.
func (l *load) run(ctx context.Context, epoch time.Time) error {
	defer l.requests.Wait()
	begun := false
	for ctx.Err() == nil {
		a := l.arrivals.next()
		measured := a.due >= l.warmup
		if measured && !begun {
			begun = true
			l.sleepers.until(epoch.Add(l.warmup))
			l.atWindow()
		}
		if a.due >= l.warmup+l.duration {
			l.sleepers.until(epoch.Add(l.warmup + l.duration))
			l.atWindow()
			return nil
		}
		due := epoch.Add(a.due)
		l.sleepers.until(due)
		select {
		case l.open <- struct{}{}:
			l.requests.Go(func() {
				l.request(due, a, measured)
				<-l.open
			})
		default:
			l.record(measured, due, due, 0, errNoPlace)
		}
	}
	return ctx.Err()
}

var errNoPlace = fmt.Errorf("%d requests were under way already", mostOpen)

// request sends one request and records what came of it.
func (l *load) request(due time.Time, a arrival, measured bool) {
	sent := time.Now()
	f := l.fronts[int(a.proxy)%len(l.fronts)]
	status, err := f.send(due.Add(patience), "/", a.work)
	l.record(measured, due, sent, status, err)
}

func (l *load) record(measured bool, due, sent time.Time, status int, err error) {
	if !measured {
		return
	}
	took := time.Since(due)
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.late.RecordValue(min(max(int64(sent.Sub(due)), 0), histogram))
	switch {
	case err == nil && status == http.StatusOK:
		l.answered++
		_ = l.took.RecordValue(min(int64(took), histogram))
		return
	case err == nil && (status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests):
		l.refused++
		return
	case errors.Is(err, errNoPlace):
		l.unsent++
	case err == nil:
		err = fmt.Errorf("status %d", status)
	}
	l.failed++
	if l.firstFailure == nil {
		l.firstFailure = err
	}
}

// result returns the figures; only after run.
func (l *load) result() result {
	l.mu.Lock()
	defer l.mu.Unlock()
	ms := func(ns int64) float64 { return float64(ns) / 1e6 }
	r := result{
		Mean: l.took.Mean() / 1e6, P50: ms(l.took.ValueAtQuantile(50)),
		P99: ms(l.took.ValueAtQuantile(99)), P999: ms(l.took.ValueAtQuantile(99.9)),
		Answered: l.answered, Failed: l.failed, Refused: l.refused, Unsent: l.unsent,
		LateP99: ms(l.late.ValueAtQuantile(99)),
	}
	if l.firstFailure != nil {
		r.FirstFailure = l.firstFailure.Error()
	}
	return r
}

// close closes the connections; only after run.
func (l *load) close() {
	for _, f := range l.fronts {
		f.close()
	}
	l.sleepers.close()
}

// front is an address of the contestant's, with the connections to it that are idle.
type front struct {
	address string

	mu   sync.Mutex // guards what is below
	idle []*clientConn
}

// clientConn is one client's connection. It carries one request at a time.
type clientConn struct {
	net.Conn
	answers *bufio.Reader
}

// send sends one request and returns the status of its answer. It is plainer than
// net/http's client, which wakes two goroutines more for each request: the generator
// shares the machine with what it measures.
func (f *front) send(deadline time.Time, path string, work time.Duration) (int, error) {
	c, err := f.take(deadline)
	if err != nil {
		return 0, err
	}
	status, again, err := c.roundTrip(deadline, path, work)
	if err != nil || !again {
		_ = c.Close()
		return status, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle = append(f.idle, c)
	return status, nil
}

// take returns an idle connection, the one used last if there are several, or a new one.
func (f *front) take(deadline time.Time) (*clientConn, error) {
	f.mu.Lock()
	if n := len(f.idle); n > 0 {
		defer f.mu.Unlock()
		c := f.idle[n-1]
		f.idle = f.idle[:n-1]
		return c, nil
	}
	f.mu.Unlock()
	c, err := net.DialTimeout("tcp", f.address, time.Until(deadline))
	if err != nil {
		return nil, err
	}
	return &clientConn{c, bufio.NewReaderSize(c, 1<<10)}, nil
}

// roundTrip also tells whether the connection can carry another request.
func (c *clientConn) roundTrip(deadline time.Time, path string, work time.Duration) (status int, again bool, err error) {
	if err := c.SetDeadline(deadline); err != nil {
		return 0, false, err
	}
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: bench\r\n%s: %d\r\n\r\n", path, workHeader, work); err != nil {
		return 0, false, err
	}
	res, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return 0, false, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	err = errors.Join(err, res.Body.Close())
	return res.StatusCode, !res.Close, err
}

func (f *front) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.idle {
		_ = c.Close()
	}
	f.idle = nil
}
