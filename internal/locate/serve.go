package locate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sync/errgroup"
)

// Bounds of the DNS server.
const (
	maxQuery       = 4096 // bytes over UDP; what is longer is cut, and cannot be read
	maxReaders     = 4
	maxConns       = 256
	maxConnsEach   = 64 // of one sender
	maxConnQueries = 128

	idle        = 10 * time.Second // also for one query to arrive
	idleCrowded = time.Second      // when more than half of the connections are there
	sendTimeout = 2 * time.Second

	pauseLeast = 5 * time.Millisecond // after an error that may pass
	pauseMost  = time.Second
)

// ServeDNS answers on udp and tcp, either of which may be nil, until ctx ends, and then
// returns nil. It closes both, and joins every goroutine that it started. It fails if
// there is no domain, or if a socket was closed by somebody else. It may be called more
// than once, for several addresses.
func (l *Locator) ServeDNS(ctx context.Context, udp net.PacketConn, tcp net.Listener) error {
	var door *gate
	if tcp != nil {
		door = newGate(tcp, maxConns, maxConnsEach, func(c net.Conn) {
			l.refuse(nil, reasonConnections, addrOf(c.RemoteAddr()), "too many connections")
		})
	}
	g, ctx := errgroup.WithContext(ctx)
	if l.conf.Domain == "" {
		g.Go(func() error {
			return errors.New("locate: DNS needs a domain to answer for: set locate.domain, such as lb.example.org")
		})
	}
	g.Go(func() error {
		<-ctx.Done()
		if udp != nil {
			_ = udp.Close() // that ends its readers
		}
		if door != nil {
			door.shut()
		}
		return nil
	})
	if udp != nil {
		tellSources(udp)
		for range min(maxReaders, runtime.GOMAXPROCS(0)) {
			g.Go(func() error { return l.serveUDP(ctx, udp) })
		}
	}
	if door != nil {
		g.Go(func() error { return l.serveTCP(ctx, door, g) })
	}
	return g.Wait()
}

// tellSources has the system say to which of our addresses a packet came, so that the
// answer comes from there. Where it cannot, the system chooses.
func tellSources(udp net.PacketConn) {
	if c, ok := udp.(*net.UDPConn); ok {
		_ = ipv4.NewPacketConn(c).SetControlMessage(ipv4.FlagDst|ipv4.FlagInterface, true)
		_ = ipv6.NewPacketConn(c).SetControlMessage(ipv6.FlagDst|ipv6.FlagInterface, true)
	}
}

// serveUDP answers packets one after the other.
func (l *Locator) serveUDP(ctx context.Context, udp net.PacketConn) error {
	buf := make([]byte, maxQuery)
	var p pause
	for {
		query, from, answer, err := receive(udp, buf)
		if err != nil {
			if err := p.after(ctx, "read UDP", err); err != nil || ctx.Err() != nil {
				return err
			}
			continue
		}
		p.reset()
		if out := l.answerQuery(query, from, true); out != nil {
			_ = answer(out) // as if it was lost on the way
		}
	}
}

// receive reads one packet, and returns how to answer it.
func receive(udp net.PacketConn, buf []byte) (query []byte, from netip.Addr, answer func([]byte) error, err error) {
	if c, ok := udp.(*net.UDPConn); ok {
		n, s, err := dns.ReadFromSessionUDP(c, buf)
		if err != nil {
			return nil, from, nil, err
		}
		return buf[:n], addrOf(s.RemoteAddr()), func(b []byte) error {
			_, err := dns.WriteToSessionUDP(c, b, s)
			return err
		}, nil
	}
	n, addr, err := udp.ReadFrom(buf)
	if err != nil {
		return nil, from, nil, err
	}
	return buf[:n], addrOf(addr), func(b []byte) error {
		_, err := udp.WriteTo(b, addr)
		return err
	}, nil
}

func (l *Locator) serveTCP(ctx context.Context, door *gate, g *errgroup.Group) error {
	var p pause
	for {
		c, err := door.Accept()
		if err != nil {
			if err := p.after(ctx, "accept TCP", err); err != nil || ctx.Err() != nil {
				return err
			}
			continue
		}
		p.reset()
		g.Go(func() error {
			l.converse(c, door)
			return nil
		})
	}
}

// converse answers queries on one connection, one after the other.
func (l *Locator) converse(c net.Conn, door *gate) {
	defer c.Close()
	from := addrOf(c.RemoteAddr())
	var length [2]byte
	for range maxConnQueries {
		patience := idle
		if door.crowded() {
			patience = idleCrowded
		}
		if c.SetReadDeadline(time.Now().Add(patience)) != nil {
			return
		}
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		out := l.answerQuery(query, from, false)
		if out == nil {
			return
		}
		message := append(binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(out)), uint16(len(out))), out...)
		if c.SetWriteDeadline(time.Now().Add(sendTimeout)) != nil {
			return
		}
		if _, err := c.Write(message); err != nil {
			return
		}
	}
}

// pause waits after errors that may pass, such as too many open files; longer each time.
type pause struct{ next time.Duration }

func (p *pause) reset() { p.next = 0 }

// after waits. It returns an error if waiting will not help, and nil when ctx has ended.
func (p *pause) after(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	if errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("locate: %s: %w; leave closing to ServeDNS", what, err)
	}
	p.next = min(max(2*p.next, pauseLeast), pauseMost)
	t := time.NewTimer(p.next)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
	return nil
}
