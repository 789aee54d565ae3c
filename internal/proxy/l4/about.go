package l4

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// helloWait is how long a client may take to say its TLS server name, in pools that want
// to know. A client whose protocol lets the server speak first pays it in full.
const helloWait = 20 * time.Millisecond

// maxHello is how much of a client's first words is looked at, in bytes.
const maxHello = 16 << 10

// about says what a connection is. It looks at the first bytes, if they are there soon,
// and leaves them where they are.
func (s *Server) about(ctx context.Context, client *net.TCPConn, pool *link.Pool) *fleet.About {
	a := &fleet.About{}
	if tcp, ok := client.RemoteAddr().(*net.TCPAddr); ok {
		a.Client = tcp.AddrPort().Addr().Unmap().String()
	}
	a.Host = serverName(peek(ctx, client))
	said := pool.Classify.TCP(a)
	s.cfg.Classified.Missed(pool.Name, said.Defaults)
	return a
}

// serverName returns the TLS server name in a client's first bytes; empty: there is none,
// or the bytes are no ClientHello. The standard library reads it, on a connection that
// ends with those bytes.
func serverName(first []byte) string {
	const handshake = 22
	if len(first) == 0 || first[0] != handshake {
		return ""
	}
	name := ""
	errSeen := errors.New("seen")
	_ = tls.Server(heard{bytes.NewReader(first)}, &tls.Config{
		GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			name = h.ServerName
			return nil, errSeen
		},
	}).Handshake() // always fails
	return name
}

// heard is a connection of which only what was said is there.
type heard struct{ io.Reader }

func (heard) Write(p []byte) (int, error)      { return len(p), nil }
func (heard) Close() error                     { return nil }
func (heard) LocalAddr() net.Addr              { return nil }
func (heard) RemoteAddr() net.Addr             { return nil }
func (heard) SetDeadline(time.Time) error      { return nil }
func (heard) SetReadDeadline(time.Time) error  { return nil }
func (heard) SetWriteDeadline(time.Time) error { return nil }

// ticketTLV is the type of the TLV that holds a ticket, of those that the PROXY protocol
// leaves to applications.
const ticketTLV proxyproto.PP2Type = 0xE4

// present begins a connection to a backend with the client's address and the ticket, in a
// PROXY protocol header of version 2.
func present(backend, client *net.TCPConn, g *link.Grant) error {
	h := proxyproto.HeaderProxyFromAddrs(2, client.RemoteAddr(), client.LocalAddr())
	if err := h.SetTLVs([]proxyproto.TLV{{Type: ticketTLV, Value: []byte(g.Ticket)}}); err != nil {
		return errors.Join(err, backend.Close())
	}
	if _, err := h.WriteTo(backend); err != nil {
		return errors.Join(err, backend.Close())
	}
	return nil
}
