package gate

import (
	"context"
	"errors"
	"net"
	"testing"
)

func TestGate(t *testing.T) {
	g := New(2)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		if !g.Enter(t.Context()) {
			t.Fatal("there was room, and nobody may enter")
		}
	}
	if g.Enter(over) {
		t.Fatal("a third may enter")
	}
	entered := make(chan bool)
	go func() { entered <- g.Enter(t.Context()) }()
	g.Leave()
	if !<-entered {
		t.Fatal("who waited may not enter when somebody has left")
	}
	if g.Most() != 2 {
		t.Errorf("Most = %d, want 2", g.Most())
	}
}

func TestNil(t *testing.T) {
	var g *Gate
	if !g.Enter(t.Context()) || g.Most() != 0 {
		t.Error("a gate that is not there keeps people out")
	}
	g.Leave()
}

// TestListen: a listener whose context ends while the gate is full ends too, and an error
// of the listener takes no place.
func TestListen(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := New(1)
	ctx, cancel := context.WithCancel(t.Context())
	l := g.Listen(ctx, ln)
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	failed := make(chan error)
	go func() { _, err := l.Accept(); failed <- err }()
	cancel()
	if err := <-failed; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept = %v, want net.ErrClosed", err)
	}
	g.Leave()
	ln.Close()
	if _, err := g.Listen(t.Context(), ln).Accept(); err == nil {
		t.Error("a closed listener accepts")
	}
	if !g.Enter(t.Context()) {
		t.Error("a failed Accept has taken the place")
	}
}
