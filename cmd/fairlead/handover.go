package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/fairlead/fairlead/internal/handover"
	"github.com/fairlead/fairlead/internal/proxy"
)

// takeTime is how long a successor gets until it serves.
const takeTime = time.Minute

// sockets opens listeners: with sockets that an earlier run has handed over or systemd has
// opened, where there is one for the address, and else by itself. It is safe for concurrent
// use.
type sockets struct {
	mu     sync.Mutex // guards what is below
	handed map[string]net.Listener
	open   map[string]*net.TCPListener // by the address that was asked for
}

func newSockets() *sockets {
	return &sockets{handed: map[string]net.Listener{}, open: map[string]*net.TCPListener{}}
}

// adopt takes in listening sockets, by address.
func (s *sockets) adopt(files []*os.File, addresses []string) error {
	for i, f := range files {
		ln, err := net.FileListener(f) // a copy of its own
		if e := f.Close(); err == nil {
			err = e
		}
		if err != nil {
			return fmt.Errorf("a socket that was handed over cannot be used: %w", err)
		}
		at := ln.Addr().String()
		if addresses != nil {
			at = addresses[i]
		}
		s.handed[at] = ln
	}
	return nil
}

// fromSystemd takes in the sockets that systemd has opened for this process (LISTEN_FDS).
func (s *sockets) fromSystemd() error { return s.adopt(activation.Files(true), nil) }

// Open opens a listener, as net.Listen does.
func (s *sockets) Open(network, address string) (net.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ln, ok := s.take(address)
	if !ok {
		var err error
		if ln, err = net.Listen(network, address); err != nil {
			return nil, err
		}
	}
	if tcp, ok := ln.(*net.TCPListener); ok {
		s.open[address] = tcp
	}
	return ln, nil
}

// take returns the socket that was handed over for an address. s.mu is held.
func (s *sockets) take(address string) (net.Listener, bool) {
	want, err := net.ResolveTCPAddr("tcp", address)
	for at, ln := range s.handed {
		is, isTCP := ln.Addr().(*net.TCPAddr)
		same := err == nil && isTCP && want.Port == is.Port && (want.IP.Equal(is.IP) || len(want.IP) == 0 && is.IP.IsUnspecified())
		if at == address || same {
			delete(s.handed, at)
			return ln, true
		}
	}
	return nil, false
}

// unused says which sockets nobody wanted, and closes them.
func (s *sockets) unused(log *slog.Logger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, ln := range s.handed {
		log.Warn("a socket was handed over that is no listener's; it is closed", "address", at)
		_ = ln.Close() // nobody was told of it
	}
	clear(s.handed)
}

// offered returns the open listeners for a successor, each named by its address and the
// instance of this run.
func (s *sockets) offered(instance string) (all []handover.Socket, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, ln := range s.open {
		f, err := ln.File()
		if errors.Is(err, net.ErrClosed) {
			continue
		}
		if err != nil {
			return all, fmt.Errorf("the listener at %s cannot be handed over: %w", at, err)
		}
		all = append(all, handover.Socket{Name: at + " " + instance, File: f})
	}
	return all, nil
}

// succession is a proxy's part in handing listeners over.
type succession struct {
	path    string
	sockets *sockets
	from    *net.UnixConn // whom this process succeeds; nil: nobody
	log     *slog.Logger
}

// begin takes over from whoever serves at the path, and returns the instance of that run.
func (s *succession) begin() (replaces string, err error) {
	if s.path == "" {
		return "", nil
	}
	if s.from, err = handover.Ask(s.path); s.from == nil || err != nil {
		return "", err
	}
	got, err := handover.Receive(s.from)
	if err != nil {
		return "", err
	}
	var files []*os.File
	var addresses []string
	for _, one := range got {
		var at string
		at, replaces, _ = strings.Cut(one.Name, " ")
		files, addresses = append(files, one.File), append(addresses, at)
	}
	s.log.Info("taking over from the process that serves", "listeners", len(files))
	return replaces, s.sockets.adopt(files, addresses)
}

// serve has the one before end when this proxy is up, and then waits for a successor. It
// returns when that one is up, with true, or when ctx ends.
func (s *succession) serve(ctx context.Context, p *proxy.Proxy) (bool, error) {
	select {
	case <-p.Up():
	case <-ctx.Done():
		return false, nil
	}
	s.sockets.unused(s.log)
	if s.path == "" {
		return false, nil
	}
	if s.from != nil {
		err := errors.Join(handover.Up(s.from), s.from.Close())
		if err != nil {
			return false, fmt.Errorf("the process before this one was not told that it may end: %w", err)
		}
	}
	ln, err := handover.Listen(s.path)
	if err != nil {
		return false, err
	}
	defer ln.Close()
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	for {
		conn, err := ln.AcceptUnix()
		if err != nil {
			if ctx.Err() != nil {
				return false, nil
			}
			return false, fmt.Errorf("waiting for a successor: %w", err)
		}
		if err := s.offer(conn, p.Instance()); err != nil {
			s.log.Warn("a successor failed; this process goes on", "error", err)
			continue
		}
		s.log.Info("a successor has taken over; finishing what runs")
		return true, nil
	}
}

func (s *succession) offer(conn *net.UnixConn, instance string) error {
	defer conn.Close()
	all, err := s.sockets.offered(instance)
	defer func() {
		for _, one := range all {
			_ = one.File.Close() // a copy
		}
	}()
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(takeTime))
	}
	if err == nil {
		err = handover.Offer(conn, all)
	}
	return err
}
