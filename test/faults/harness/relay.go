//go:build unix

package harness

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Way is which bytes a cut holds up.
type Way int

// The ways of a cut, seen from who connects.
const (
	Both  Way = iota
	There     // bytes to who was connected to
	Back      // bytes from there
)

// Relay passes a TCP address on, and can be cut: bytes then go nowhere, in one direction
// or both, nothing is closed, and no end of a connection is told either. When it is
// healed they go on from where they were, as TCP sends again what a network lost.
// Unlike behind a real cut, new connections are accepted, and bytes acknowledged.
type Relay struct {
	address, to string
	ln          net.Listener
	running     sync.WaitGroup

	mu     sync.Mutex // guards what is below
	closed chan struct{}
	conns  map[net.Conn]bool
	spared []byte        // connections that begin so are not cut
	there  chan struct{} // not nil: cut, until it is closed
	back   chan struct{}
}

// NewRelay listens at a free address for connections to another, until the test ends.
func NewRelay(t testing.TB, to string) *Relay {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("opening a relay: %v", err)
	}
	r := &Relay{address: ln.Addr().String(), to: to, ln: ln, closed: make(chan struct{}), conns: map[net.Conn]bool{}}
	r.running.Go(r.accept)
	t.Cleanup(r.close)
	return r
}

// Address is where it listens.
func (r *Relay) Address() string { return r.address }

// Cut holds up what goes the way, and all but connections that begin with the spared
// bytes, if there are any.
func (r *Relay) Cut(w Way, spared string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spared = []byte(spared)
	if w != Back && r.there == nil {
		r.there = make(chan struct{})
	}
	if w != There && r.back == nil {
		r.back = make(chan struct{})
	}
}

// Heal ends a cut.
func (r *Relay) Heal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range []*chan struct{}{&r.there, &r.back} {
		if *c != nil {
			close(*c)
			*c = nil
		}
	}
}

func (r *Relay) accept() {
	for {
		c, err := r.ln.Accept()
		if err != nil {
			return
		}
		r.running.Go(func() { r.pass(c) })
	}
}

// keep has close end the connection, and returns false when it is too late.
func (r *Relay) keep(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.closed:
		_ = c.Close()
		return false
	default:
		r.conns[c] = true
		return true
	}
}

func (r *Relay) forget(c net.Conn) {
	_ = c.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

func (r *Relay) close() {
	_ = r.ln.Close()
	r.mu.Lock()
	close(r.closed)
	for c := range r.conns {
		_ = c.Close()
	}
	r.mu.Unlock()
	r.running.Wait()
}

// pass carries one connection. A target that refuses is told by a reset, as it would be.
func (r *Relay) pass(from net.Conn) {
	if !r.keep(from) {
		return
	}
	defer r.forget(from)
	to, err := net.DialTimeout("tcp", r.to, 2*time.Second)
	if err != nil {
		_ = from.(*net.TCPConn).SetLinger(0)
		return
	}
	if !r.keep(to) {
		return
	}
	defer r.forget(to)
	var exempt atomic.Bool
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.pump(to, from, There, &exempt)
	}()
	r.pump(from, to, Back, &exempt)
	<-ended
}

// pump copies one direction. An end is told on, and a broken one breaks both.
func (r *Relay) pump(dst, src net.Conn, w Way, exempt *atomic.Bool) {
	buf := make([]byte, 32<<10)
	for first := true; ; first = false {
		n, err := src.Read(buf)
		if first && w == There {
			exempt.Store(r.sparing(buf[:n]))
		}
		if !exempt.Load() && !r.gate(w) {
			return
		}
		if n > 0 {
			if _, err := dst.Write(buf[:n]); err != nil {
				_ = src.Close()
				return
			}
		}
		if errors.Is(err, io.EOF) {
			_ = dst.(*net.TCPConn).CloseWrite()
			return
		}
		if err != nil {
			_ = dst.Close()
			return
		}
	}
}

func (r *Relay) sparing(first []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.spared) > 0 && bytes.HasPrefix(first, r.spared)
}

// gate waits while the way is cut, and returns false when the relay is closed.
func (r *Relay) gate(w Way) bool {
	for {
		r.mu.Lock()
		cut := r.there
		if w == Back {
			cut = r.back
		}
		r.mu.Unlock()
		if cut == nil {
			return true
		}
		select {
		case <-cut:
		case <-r.closed:
			return false
		}
	}
}

// String says from where to where it leads.
func (r *Relay) String() string { return fmt.Sprintf("%s -> %s", r.address, r.to) }
