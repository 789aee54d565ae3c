package l4

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/hello"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/peek"
	"github.com/fairlead/fairlead/internal/proxy/proxyproto"
)

// aboutWait is how long a client may take to say its TLS server name, in pools that want
// to know, on listeners that do not route by it. A client whose protocol lets the server
// speak first pays it in full.
const aboutWait = 20 * time.Millisecond

// helloWait is how long a client may take for its ClientHello where that says which pool it
// is for.
const helloWait = 5 * time.Second

// caller is a client's connection. Its own addresses are those of whoever is in front, where
// a PROXY protocol header tells the client's.
type caller struct {
	*net.TCPConn
	ends proxyproto.Ends
	name string // the TLS server name
	read bool   // name was looked for

	visit visit
}

// readName reads the server name, and leaves the bytes where they are.
func (c *caller) readName(ctx context.Context, wait time.Duration) error {
	c.read = true
	var err error
	_, waiting := peek.Until(ctx, c.TCPConn, wait, hello.Max, func(first []byte) bool {
		c.name, err = hello.ServerName(first)
		return !errors.Is(err, hello.ErrShort)
	})
	if waiting != nil {
		return waiting
	}
	return err
}

// about says what a connection is.
func (s *Server) about(ctx context.Context, client *caller, pool *link.Pool) *fleet.About {
	a := &fleet.About{}
	if tcp, ok := client.ends.Client.(*net.TCPAddr); ok {
		a.Client = tcp.AddrPort().Addr().Unmap().String()
	}
	if !client.read {
		_ = client.readName(ctx, aboutWait) // then it has none
	}
	a.Host = client.name
	said := pool.Classify.TCP(a)
	s.cfg.Classified.Missed(pool.Name, said.Defaults)
	return a
}

// ticketTLV is the type of the TLV that holds a ticket, of those that the PROXY protocol
// leaves to applications.
const ticketTLV = 0xE4

// present begins a connection to a backend with what the pool wants it to be told: the
// client's address, and the ticket.
func present(backend *net.TCPConn, client *caller, g *link.Grant) error {
	version, more := g.Pool.SendProxy, []proxyproto.TLV(nil)
	if g.Ticket != "" {
		version, more = 2, []proxyproto.TLV{{Type: ticketTLV, Value: []byte(g.Ticket)}}
	}
	if version == 0 {
		return nil
	}
	if err := proxyproto.Send(backend, version, client.ends, more...); err != nil {
		return errors.Join(err, backend.Close())
	}
	return nil
}
