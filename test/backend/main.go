// Command backend is a backend for tests: it counts for itself how many requests it has
// at once, answers when the test says so, and can report for itself with the SDK.
//
// On its service address:
//
//	GET /          answers at once
//	GET /hold      answers when the test releases it
//	GET /work?ms=N answers after N milliseconds
//	POST /echo     answers with the body
//
// A TCP connection to --tcp is greeted with the backend's name and then echoed.
//
// On its control address:
//
//	GET  /stats             what it counted, as JSON
//	POST /release?n=N       lets N held requests go, or all without n
//	POST /foreign?n=N       has the SDK report N requests in flight besides its own
//	POST /orca?text=TEXT    puts a load report into the head of each answer
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/fairlead/fairlead/sdk/backend"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

// state is what the backend counts.
type state struct {
	name string

	mu      sync.Mutex // guards what is below
	stats   stats
	release chan struct{} // takes one value for each held request that may go
	orca    string
	foreign int
}

// stats is what GET /stats answers.
type stats struct {
	InFlight int      `json:"in_flight"`
	Most     int      `json:"most"`
	Served   int      `json:"served"`
	Holding  int      `json:"holding"`
	TCPOpen  int      `json:"tcp_open"`
	TCPMost  int      `json:"tcp_most"`
	IDs      []string `json:"ids"` // X-Request-Id of each request, as it came
}

func run() error {
	name := flag.String("name", "b", "its name")
	listen := flag.String("listen", "127.0.0.1:0", "service address")
	tcp := flag.String("tcp", "", "TCP service address")
	control := flag.String("control", "127.0.0.1:0", "control address")
	controller := flag.String("controller", "", "report to this controller with the SDK")
	pool := flag.String("pool", "", "as a backend of this pool")
	slots := flag.Int("slots", 0, "with so many slots")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &state{name: *name, release: make(chan struct{}, 100_000)}
	if *controller != "" {
		r, err := backend.New(backend.Config{
			Controller: *controller, Pool: *pool, Address: *listen, Slots: *slots,
			Interval: 100 * time.Millisecond, Load: s.load,
			Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		})
		if err != nil {
			return err
		}
		go func() {
			if err := r.Run(ctx); err != nil {
				log.Fatal(err)
			}
		}()
	}
	if *tcp != "" {
		ln, err := net.Listen("tcp", *tcp)
		if err != nil {
			return err
		}
		go s.serveTCP(ln)
	}
	go serve(ctx, *control, s.control())
	return serve(ctx, *listen, s.service())
}

func serve(ctx context.Context, address string, h http.Handler) error {
	srv := &http.Server{Addr: address, Handler: h, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatalf("%s: %v", address, err)
	}
	return nil
}

// enter counts a request in, and returns what counts it out.
func (s *state) enter(id string) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.InFlight++
	s.stats.Most = max(s.stats.Most, s.stats.InFlight)
	if id != "" {
		s.stats.IDs = append(s.stats.IDs, id)
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stats.InFlight--
		s.stats.Served++
	}
}

// load is what the SDK reports: what the test says comes from elsewhere, and what is
// counted here.
func (s *state) load() backend.Load {
	s.mu.Lock()
	defer s.mu.Unlock()
	return backend.Load{
		CPU: 0.25, Memory: 0.5,
		Named: map[string]float64{backend.InFlight: float64(s.foreign + s.stats.InFlight), "load1": 1.5},
	}
}

func (s *state) service() http.Handler {
	mux := http.NewServeMux()
	answer := func(f func(w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			defer s.enter(r.Header.Get("X-Request-Id"))()
			w.Header().Set("Backend", s.name)
			w.Header().Set("Peer", r.RemoteAddr)
			s.mu.Lock()
			orca := s.orca
			s.mu.Unlock()
			if orca != "" {
				w.Header().Set("Endpoint-Load-Metrics", "TEXT "+orca)
			}
			f(w, r)
		}
	}
	mux.HandleFunc("/", answer(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, s.name) }))
	mux.HandleFunc("/work", answer(func(w http.ResponseWriter, r *http.Request) {
		ms, _ := strconv.Atoi(r.FormValue("ms"))
		t := time.NewTimer(time.Duration(ms) * time.Millisecond)
		defer t.Stop()
		select {
		case <-t.C:
			fmt.Fprintln(w, s.name)
		case <-r.Context().Done():
		}
	}))
	mux.HandleFunc("/echo", answer(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	mux.HandleFunc("/hold", answer(s.hold))
	return mux
}

// hold sends its head at once, and its body when the test releases it.
func (s *state) hold(w http.ResponseWriter, r *http.Request) {
	// Counted first, so that whoever has the head can release what it has seen.
	s.count(&s.stats.Holding, 1)
	defer s.count(&s.stats.Holding, -1)
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
	select {
	case <-s.release:
		fmt.Fprintln(w, s.name)
	case <-r.Context().Done():
	}
}

func (s *state) count(what *int, by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*what += by
}

func (s *state) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(s.stats)
	})
	mux.HandleFunc("POST /release", func(_ http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.FormValue("n"))
		if err != nil {
			s.mu.Lock()
			n = s.stats.Holding
			s.mu.Unlock()
		}
		for range n {
			s.release <- struct{}{}
		}
	})
	mux.HandleFunc("POST /foreign", func(_ http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("n"))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.foreign = n
	})
	mux.HandleFunc("POST /orca", func(_ http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.orca = r.FormValue("text")
	})
	return mux
}

// serveTCP greets each connection, and echoes.
func (s *state) serveTCP(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			s.count(&s.stats.TCPOpen, 1)
			s.mu.Lock()
			s.stats.TCPMost = max(s.stats.TCPMost, s.stats.TCPOpen)
			s.mu.Unlock()
			defer s.count(&s.stats.TCPOpen, -1)
			fmt.Fprintln(c, s.name)
			_, _ = io.Copy(c, c)
		}()
	}
}
