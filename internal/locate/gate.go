package locate

import (
	"net"
	"sync"
)

// gate is a listener that lets only so many connections in, in all and from one sender,
// and closes those beyond at once. It is safe for concurrent use.
type gate struct {
	net.Listener
	most, mostEach int
	turnedAway     func(net.Conn) // nil: nobody wants to know

	mu     sync.Mutex // guards what is below
	open   map[*guest]struct{}
	each   map[sender]int
	closed bool
}

// guest is a connection that was let in.
type guest struct {
	net.Conn
	gate *gate
	from sender
	once sync.Once
}

func newGate(ln net.Listener, most, mostEach int, turnedAway func(net.Conn)) *gate {
	return &gate{
		Listener: ln, most: most, mostEach: mostEach, turnedAway: turnedAway,
		open: map[*guest]struct{}{}, each: map[sender]int{},
	}
}

// Accept implements net.Listener.
func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if in, ok := g.enter(c); ok {
			return in, nil
		}
		if g.turnedAway != nil {
			g.turnedAway(c)
		}
		_ = c.Close() // nothing was read or written
	}
}

func (g *gate) enter(c net.Conn) (*guest, bool) {
	in := &guest{Conn: c, gate: g, from: prefixOf(addrOf(c.RemoteAddr()))}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || len(g.open) >= g.most || g.each[in.from] >= g.mostEach {
		return nil, false
	}
	g.open[in] = struct{}{}
	g.each[in.from]++
	return in, true
}

// Close implements net.Conn.
func (c *guest) Close() error {
	c.once.Do(func() {
		g := c.gate
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.open, c)
		if g.each[c.from]--; g.each[c.from] == 0 {
			delete(g.each, c.from)
		}
	})
	return c.Conn.Close()
}

// crowded tells whether more than half of those that may are inside.
func (g *gate) crowded() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return 2*len(g.open) > g.most
}

// shut closes the listener and every connection.
func (g *gate) shut() {
	_ = g.Listener.Close() // it accepts no more either way
	g.mu.Lock()
	g.closed = true
	all := make([]*guest, 0, len(g.open))
	for c := range g.open {
		all = append(all, c)
	}
	g.mu.Unlock()
	for _, c := range all {
		_ = c.Close() // its peer is told by that, and by nothing else
	}
}
