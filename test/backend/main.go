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
// Paths below these do the same. A TCP connection to --tcp is greeted with the backend's
// name and then echoed.
//
// With --controller it reports for itself. Then with --assign it notes what it is told
// before requests come, and with --direct it lets in only who brings a ticket.
//
// On its control address:
//
//	GET  /stats             what it counted, as JSON
//	POST /release?n=N       lets N held requests go, or all without n
//	POST /foreign?n=N       has the SDK report N requests in flight besides its own
//	POST /orca?text=TEXT    puts a load report into the head of each answer
//	POST /decline?yes=1     says no to each assignment from now on; without yes, no more
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"
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
	decline bool // say no to assignments
}

// stats is what GET /stats answers.
type stats struct {
	InFlight int      `json:"in_flight"`
	Most     int      `json:"most"`
	Served   int      `json:"served"`
	Holding  int      `json:"holding"`
	TCPOpen  int      `json:"tcp_open"`
	TCPMost  int      `json:"tcp_most"`
	TCPPeers []string `json:"tcp_peers"` // of each connection, as it came
	IDs      []string `json:"ids"`       // X-Request-Id of each request, as it came
	told
}

// options are the command line.
type options struct {
	name, listen, tcp, control string

	controller, pool, tcpPool string
	slots                     int
	assign, direct            bool
}

func parse() options {
	var o options
	flag.StringVar(&o.name, "name", "b", "its name")
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "service address")
	flag.StringVar(&o.tcp, "tcp", "", "TCP service address")
	flag.StringVar(&o.control, "control", "127.0.0.1:0", "control address")
	flag.StringVar(&o.controller, "controller", "", "report to this controller with the SDK")
	flag.StringVar(&o.pool, "pool", "", "as a backend of this pool")
	flag.StringVar(&o.tcpPool, "tcp-pool", "", "and as one of this pool at the TCP address")
	flag.IntVar(&o.slots, "slots", 0, "with so many slots")
	flag.BoolVar(&o.assign, "assign", false, "note assignments")
	flag.BoolVar(&o.direct, "direct", false, "let in only who brings a ticket")
	flag.Parse()
	return o
}

func run() error {
	o := parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &state{name: o.name, release: make(chan struct{}, 100_000)}
	service := s.service()
	if o.controller != "" {
		r, err := s.report(ctx, o, o.pool, o.listen)
		if err != nil {
			return err
		}
		if o.direct {
			service = r.Guard(service)
		}
	}
	if o.tcp != "" {
		ln, err := net.Listen("tcp", o.tcp)
		if err != nil {
			return err
		}
		if o.tcpPool != "" {
			r, err := s.report(ctx, o, o.tcpPool, o.tcp)
			if err != nil {
				return err
			}
			ln = r.GuardListener(ln)
		}
		go s.serveTCP(ln)
	}
	go serve(ctx, o.control, s.control())
	return serve(ctx, o.listen, service)
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

func (s *state) service() http.Handler {
	mux := http.NewServeMux()
	answer := func(f func(w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			defer s.enter(r.Header.Get("X-Request-Id"))()
			s.came(r.URL.Path)
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
	mux.HandleFunc("/hold/", answer(s.hold))
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
	mux.HandleFunc("POST /decline", func(_ http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.decline = r.FormValue("yes") != ""
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
			s.stats.TCPPeers = append(s.stats.TCPPeers, peer(c))
			s.mu.Unlock()
			defer s.count(&s.stats.TCPOpen, -1)
			fmt.Fprintln(c, s.name)
			_, _ = io.Copy(c, c)
		}()
	}
}
