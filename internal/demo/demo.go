// Package demo has the backends and the clients of Fairlead's demonstration.
//
// A Backend is an HTTP server whose every request costs real work on one core: it draws
// a tile of the Mandelbrot set. How much work is an exact number of iterations, given
// when the backend is made, so that one backend is slower than another in the same way
// on every machine, while all of them draw the same picture. It counts by itself the
// requests that it has in hand, so that whoever does not believe the load balancer's
// numbers can ask the server.
//
// A Load is a crowd of clients that comes in waves.
package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// Cost is the work of one request, in iterations of the Mandelbrot formula. A core of a
// current server does some 400 million a second.
type Cost int64

// Costs.
const (
	Least  Cost = 8 << 20   // enough for any tile; some 20 ms
	Fast        = Least     // some 20 ms
	Medium      = 2 * Least // some 40 ms
	Slow        = 4 * Least // some 80 ms
	Most   Cost = 1 << 36   // a few minutes
)

// Headers of a Backend's answers.
const (
	HeaderBackend      = "Demo-Backend"        // its name
	HeaderInFlight     = "Demo-In-Flight"      // requests in hand when this one began, itself included
	HeaderMostInFlight = "Demo-Most-In-Flight" // the most ever, until then
)

const (
	headTimeout  = 5 * time.Second
	writeTimeout = time.Minute
	idleTimeout  = 2 * time.Minute
	stopGrace    = 5 * time.Second
	maxHead      = 16 << 10 // bytes
)

// Backend is one server of the demonstration. Its methods are safe for concurrent use.
// It serves any number of requests at once: keeping that number down is what the load
// balancer in front of it is for.
type Backend struct {
	name     string
	cost     Cost
	grace    time.Duration // for requests in flight when Serve is to end
	inFlight atomic.Int64
	most     atomic.Int64
}

// New returns a Backend whose requests cost so much work each, brought within Least and
// Most.
func New(name string, cost Cost) *Backend {
	return &Backend{name: name, cost: min(max(cost, Least), Most), grace: stopGrace}
}

// Name returns what the backend calls itself.
func (b *Backend) Name() string { return b.name }

// InFlight returns how many requests the backend has in hand. Health checks, which cost
// nothing, do not count.
func (b *Backend) InFlight() int { return int(b.inFlight.Load()) }

// MostInFlight returns the most requests that the backend ever had in hand at once.
func (b *Backend) MostInFlight() int { return int(b.most.Load()) }

// Handler returns what answers the backend's requests, with a GET or HEAD of
//
//	/tile?z=&x=&y=[&size=]  a tile as PNG
//	/                       a line of text, after the work of a tile
//	/healthz                "ok", without any work
//
// Work ends when its client leaves.
func (b *Backend) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, "ok\n") })
	mux.HandleFunc("GET /tile", b.tile)
	mux.HandleFunc("GET /{$}", b.line)
	return mux
}

// begin counts a request in and tells it in the answer's head. The function that it
// returns counts the request out.
func (b *Backend) begin(w http.ResponseWriter) (now int, end func()) {
	n := b.inFlight.Add(1)
	most := b.most.Load()
	for n > most && !b.most.CompareAndSwap(most, n) {
		most = b.most.Load()
	}
	h := w.Header()
	h.Set(HeaderBackend, b.name)
	h.Set(HeaderInFlight, strconv.FormatInt(n, 10))
	h.Set(HeaderMostInFlight, strconv.FormatInt(max(n, most), 10))
	return int(n), func() { b.inFlight.Add(-1) }
}

func (b *Backend) tile(w http.ResponseWriter, r *http.Request) {
	t, err := parseTile(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, end := b.begin(w)
	picture, err := t.png(r.Context(), b.cost)
	end() // before the answer, so that who has it no longer counts
	if err != nil {
		unfinished(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("Content-Length", strconv.Itoa(len(picture)))
	h.Set("Cache-Control", "no-store") // a tile that a browser kept would be no request
	_, _ = w.Write(picture)            // a client that left is told nothing
}

func (b *Backend) line(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	n, end := b.begin(w)
	_, err := tile{size: maxSize}.png(r.Context(), b.cost)
	end()
	if err != nil {
		unfinished(w, err)
		return
	}
	say(w, fmt.Sprintf("%s worked %d ms; requests in flight here: %d, most ever: %d\n",
		b.name, time.Since(start).Milliseconds(), n, b.MostInFlight()))
}

// unfinished answers a request whose work was given up: its client is gone, or the
// server ends and the client may go elsewhere.
func unfinished(w http.ResponseWriter, err error) {
	if errors.Is(err, context.Canceled) {
		w.Header().Set("Connection", "close")
		http.Error(w, "the work was given up", http.StatusServiceUnavailable)
		return
	}
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

func say(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(text))
}

// Serve answers requests that come to the listener until the context ends, and closes
// the listener. Requests in flight then have 5 s to end, and are given up after that.
// The error is nil unless serving failed.
func (b *Backend) Serve(ctx context.Context, l net.Listener) error {
	work, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	server := &http.Server{
		Handler:           b.Handler(),
		BaseContext:       func(net.Listener) context.Context { return work },
		ReadHeaderTimeout: headTimeout,
		ReadTimeout:       headTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHead,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		giveUp()
		_ = server.Close()
		return fmt.Errorf("serving %s: %w", b.name, err)
	case <-ctx.Done():
		stop(server, b.grace, giveUp)
		<-failed
		return nil
	}
}

// stop ends a server: gently at first, then by giving up the work, which ends its
// requests within milliseconds, and at last by cutting who does not read the answer.
func stop(server *http.Server, length time.Duration, giveUp func()) {
	for range 2 {
		grace, done := context.WithTimeout(context.Background(), length)
		err := server.Shutdown(grace)
		done()
		if err == nil {
			return
		}
		giveUp()
	}
	_ = server.Close()
}
