package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	workHeader = "Bench-Work" // nanoseconds on a backend of full speed
	readyPath  = "/ready"     // is answered at once and counts for nothing
)

// backends are the emulated servers, each on a port of its own, all in this process:
// they sleep and cost next to nothing, so that a small machine can stand for a large one.
type backends struct {
	all      []*backend
	sleepers sleepers
	serving  sync.WaitGroup
}

// backend is a server with so many workers and one queue in front of them. Nothing
// keeps a request out: what a load balancer sends is what it gets.
type backend struct {
	timeline timeline
	sleepers *sleepers
	listener net.Listener
	server   *http.Server

	mu       sync.Mutex // guards what is below
	epoch    time.Time
	free     []time.Duration // when each worker will be done with what it has
	inFlight int
	most     int
}

func openBackends(f *fleet) (*backends, error) {
	b := &backends{}
	for _, t := range f.timelines {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.close()
			return nil, fmt.Errorf("opening a backend: %w", err)
		}
		v := &backend{timeline: t, sleepers: &b.sleepers, listener: l, free: make([]time.Duration, f.workers)}
		v.server = &http.Server{Handler: v}
		b.all = append(b.all, v)
		b.serving.Go(func() { _ = v.server.Serve(l) }) // always an error; close ends it
	}
	return b, nil
}

func (b *backends) addresses() []string {
	var all []string
	for _, v := range b.all {
		all = append(all, v.listener.Addr().String())
	}
	return all
}

// begin says when the time of the timelines begins. Before that there is no work.
func (b *backends) begin(epoch time.Time) {
	for _, v := range b.all {
		v.mu.Lock()
		v.epoch = epoch
		v.mu.Unlock()
	}
}

// most returns the most requests that any backend ever had at once.
func (b *backends) most() int {
	most := 0
	for _, v := range b.all {
		v.mu.Lock()
		most = max(most, v.most)
		v.mu.Unlock()
	}
	return most
}

func (b *backends) close() {
	for _, v := range b.all {
		_ = v.server.Close()
	}
	b.serving.Wait()
	b.sleepers.close()
}

// ServeHTTP implements http.Handler.
func (v *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != readyPath {
		work, err := strconv.ParseInt(r.Header.Get(workHeader), 10, 64)
		if err != nil || work < 0 {
			http.Error(w, workHeader+" is not a number of nanoseconds", http.StatusBadRequest)
			return
		}
		done, err := v.arrive(time.Now(), time.Duration(work))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		v.sleepers.until(done)
		v.leave() // before the answer, so that who has it no longer counts
	}
	w.Header()["Date"] = nil // nobody reads it
	w.Header().Set("Content-Length", "3")
	_, _ = w.Write([]byte("ok\n"))
}

// arrive puts a request in the queue and returns when its work will be done. That is
// known at once: all bad times are, and nobody overtakes. So that a timer which fires
// late delays one answer, but not the work behind it.
func (v *backend) arrive(now time.Time, work time.Duration) (time.Time, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.epoch.IsZero() {
		return now, errors.New("the load has not begun")
	}
	v.inFlight++
	v.most = max(v.most, v.inFlight)
	first := 0
	for i := range v.free {
		if v.free[i] < v.free[first] {
			first = i
		}
	}
	from := max(v.free[first], now.Sub(v.epoch))
	v.free[first] = v.timeline.finish(from, work)
	return v.epoch.Add(v.free[first]), nil
}

func (v *backend) leave() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.inFlight--
}
