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

// TestListen: a listener that waits takes no place from another; who comes when the gate is
// full is let in when somebody leaves, or turned away when the context ends; and an error of
// the listener takes no place.
func TestListen(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := New(1)
	ctx, cancel := context.WithCancel(t.Context())
	l := g.Listen(ctx, ln)
	dial := func() net.Conn {
		client, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.Close() })
		return client
	}
	accepted, failed := make(chan net.Conn), make(chan error)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				failed <- err
				return
			}
			accepted <- c
		}
	}()
	if !g.Enter(t.Context()) { // as another listener's client does
		t.Fatal("a listener that waits has taken the place")
	}
	dial()
	select {
	case <-accepted:
		t.Fatal("two are in, and there is one place")
	default:
	}
	g.Leave()
	c := <-accepted
	defer c.Close()
	turned := dial()
	cancel()
	if err := <-failed; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept = %v, want net.ErrClosed", err)
	}
	if _, err := turned.Read(make([]byte, 1)); err == nil {
		t.Error("who was turned away was told something")
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
