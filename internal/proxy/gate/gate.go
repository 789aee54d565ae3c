// Package gate bounds a proxy's client connections over all its listeners. At the bound
// nothing more is accepted: who comes then waits in the kernel's backlog, or goes to
// another proxy, as the controller leads nobody to one that is full.
package gate

import (
	"context"
	"net"
)

// Gate counts connections. It is safe for concurrent use. A nil Gate lets everyone in.
type Gate struct{ places chan struct{} }

// New makes a Gate for most connections at a time; it panics when that is below 1.
func New(most int) *Gate {
	if most < 1 {
		panic("gate: no place for a single connection")
	}
	return &Gate{places: make(chan struct{}, most)}
}

// Most returns how many connections there may be; 0: any number.
func (g *Gate) Most() int {
	if g == nil {
		return 0
	}
	return cap(g.places)
}

// Enter waits for a place. False: ctx has ended.
func (g *Gate) Enter(ctx context.Context) bool {
	if g == nil {
		return ctx.Err() == nil
	}
	select {
	case g.places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// Leave gives a place back, once for each Enter that returned true.
func (g *Gate) Leave() {
	if g != nil {
		<-g.places
	}
}

// Listen returns a listener whose connections each have a place. One that comes when there
// is none waits until somebody leaves, and is closed if ctx ends before; those after it wait
// in the kernel's backlog. A connection's owner calls Leave when it is closed.
func (g *Gate) Listen(ctx context.Context, ln net.Listener) net.Listener {
	if g == nil {
		return ln
	}
	return listener{ln, g, ctx}
}

type listener struct {
	net.Listener
	gate *Gate
	ctx  context.Context
}

func (l listener) Accept() (net.Conn, error) {
	// A listener that waits for clients must not hold a place that another could fill.
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if !l.gate.Enter(l.ctx) {
		_ = c.Close() // nothing was said on it
		return nil, net.ErrClosed
	}
	return c, nil
}
