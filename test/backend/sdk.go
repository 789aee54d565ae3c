package main

import (
	"context"
	"log"
	"log/slog"
	"net"
	"os"
	"slices"
	"time"

	"github.com/fairlead/fairlead/sdk/backend"
)

// told is what the SDK told.
type told struct {
	Assigned []assigned `json:"assigned"` // in the order in which it was told
	Revoked  []string   `json:"revoked"`  // grants
	// Unassigned are the paths of requests that came before an assignment with that path.
	Unassigned []string `json:"unassigned"`
}

// assigned is one assignment.
type assigned struct {
	Grant   string `json:"grant"`
	Proxy   string `json:"proxy"`
	Client  string `json:"client"`
	Method  string `json:"method"`
	Path    string `json:"path"`
	Class   string `json:"class"`
	Flow    string `json:"flow"`
	Confirm bool   `json:"confirm"`
}

// report reports for the backend of a pool until ctx ends.
func (s *state) report(ctx context.Context, o options, pool, address string) (*backend.Reporter, error) {
	cfg := backend.Config{
		Controller: o.controller, Pool: pool, Address: address, Slots: o.slots, Direct: o.direct,
		Interval: 100 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	if pool == o.pool {
		cfg.Load = s.load
	}
	if o.assign {
		cfg.OnAssign, cfg.OnRevoke = s.assign, s.revoke
	}
	r, err := backend.New(cfg)
	if err != nil {
		return nil, err
	}
	go func() {
		if err := r.Run(ctx); err != nil {
			log.Fatal(err)
		}
	}()
	return r, nil
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

// assign takes an assignment.
func (s *state) assign(a backend.Assignment) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.decline {
		return backend.ErrFull
	}
	s.stats.Assigned = append(s.stats.Assigned, assigned{
		Grant: a.Grant, Proxy: a.Proxy, Client: a.Client, Method: a.Method, Path: a.Path,
		Class: a.Class, Flow: a.Flow, Confirm: a.Confirm,
	})
	return nil
}

func (s *state) revoke(grant string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Revoked = append(s.stats.Revoked, grant)
}

// came notes a request that nobody assigned.
func (s *state) came(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.stats.Assigned, func(a assigned) bool { return a.Path == path }) {
		s.stats.Unassigned = append(s.stats.Unassigned, path)
	}
}

// peer returns who is at the other end of a connection's socket, whatever a header says.
func peer(c net.Conn) string {
	if guarded, ok := c.(*backend.Conn); ok {
		c = guarded.Conn
	}
	return c.RemoteAddr().String()
}
