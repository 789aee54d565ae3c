package backend

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/fairlead/fairlead/internal/ticket"
)

// TicketTLV is the type of the TLV that holds the ticket in the PROXY protocol's header.
// It is in the range that the protocol leaves to applications.
const TicketTLV = 0xE4

const (
	headerTime = 5 * time.Second // for the whole header to come
	headerMost = 4 << 10         // bytes after its first 16
	headerHead = 16              // bytes: signature, command, family, length
	// maxHeaders is how many connections may be about to send their header. More wait in
	// the kernel's backlog.
	maxHeaders = 1024
)

// GuardListener returns a listener for servers of any protocol, whose Accept returns only
// connections that carry a ticket of the controller for this backend, each ticket once.
// A connection has to begin with a header of the PROXY protocol, version 2, that has the
// ticket in a TLV of type TicketTLV, within 5 s and 4 KiB; the server does not see it.
// Any other connection is closed, counted in Refused and logged, but those that close
// without a word, as a health check's, are neither counted nor logged. A slow header holds
// up nobody else, unless there are more than a thousand.
//
// A connection from Accept is a *Conn. Its RemoteAddr is what the header says, which for a
// direct link is the client's own word. It counts as a request in flight until Close. With
// Config.Direct its coming and its end are told to the controller. When the controller
// takes its grant back it is closed.
//
// Close closes ln and the connections that Accept has not returned. Safe for concurrent
// use, as are its connections.
func (r *Reporter) GuardListener(ln net.Listener) net.Listener {
	r.count.used.Store(true)
	return &guardListener{
		Listener: ln, r: r, places: make(chan struct{}, maxHeaders),
		admitted: make(chan *Conn), failed: make(chan error), closed: make(chan struct{}),
		early: map[net.Conn]struct{}{},
	}
}

type guardListener struct {
	net.Listener
	r        *Reporter
	places   chan struct{} // one for each connection in early
	admitted chan *Conn
	failed   chan error    // what ln.Accept returned
	closed   chan struct{} // closed with done
	all      sync.WaitGroup

	mu    sync.Mutex // guards what is below, and all.Go
	begun bool
	done  bool
	early map[net.Conn]struct{} // not yet returned by Accept
}

// Accept implements net.Listener.
func (l *guardListener) Accept() (net.Conn, error) {
	l.mu.Lock()
	if !l.begun && !l.done {
		l.begun = true
		l.all.Go(l.accept)
	}
	l.mu.Unlock()
	select {
	case c := <-l.admitted:
		return c, nil
	case err := <-l.failed:
		return nil, err
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: net.ErrClosed}
	}
}

// Close implements net.Listener. Every goroutine of the listener has ended when it returns.
func (l *guardListener) Close() error {
	err := l.Listener.Close()
	l.stop()
	l.all.Wait()
	return err
}

func (l *guardListener) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return
	}
	l.done = true
	close(l.closed)
	for c := range l.early {
		_ = c.Close()
	}
}

// accept takes connections and has each one's header read.
func (l *guardListener) accept() {
	for {
		select {
		case l.places <- struct{}{}:
		case <-l.closed:
			return
		}
		raw, err := l.Listener.Accept()
		if err == nil {
			l.greet(raw)
			continue
		}
		<-l.places
		if errors.Is(err, net.ErrClosed) {
			l.stop()
			return
		}
		select {
		case l.failed <- err:
		case <-l.closed:
			return
		}
	}
}

func (l *guardListener) greet(raw net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		<-l.places
		_ = raw.Close()
		return
	}
	l.early[raw] = struct{}{}
	l.all.Go(func() {
		l.admit(raw)
		l.mu.Lock()
		delete(l.early, raw)
		l.mu.Unlock()
		<-l.places
	})
}

// admit hands a connection with a good ticket to Accept, and closes any other.
func (l *guardListener) admit(raw net.Conn) {
	c, err := l.r.admit(raw)
	if err != nil {
		select {
		case <-l.closed: // it was cut by us
		default:
			if !errors.Is(err, errNoWord) {
				l.r.refuse(raw.RemoteAddr().String(), err)
			}
		}
		_ = raw.Close()
		return
	}
	select {
	case l.admitted <- c:
	case <-l.closed:
		c.giveBack()
	}
}

// admit reads a connection's header and checks its ticket.
func (r *Reporter) admit(raw net.Conn) (*Conn, error) {
	if err := raw.SetReadDeadline(time.Now().Add(headerTime)); err != nil {
		return nil, errNoWord
	}
	header, early, err := readHeader(raw)
	if err != nil {
		return nil, err
	}
	text, err := ticketOf(header)
	if err != nil {
		return nil, err
	}
	if err := raw.SetReadDeadline(time.Time{}); err != nil {
		return nil, errNoWord
	}
	claims, err := r.tickets.Check(time.Now(), text)
	if err != nil {
		return nil, err
	}
	return r.newConn(raw, header, early, claims.Grant), nil
}

// errNoWord says that a peer left before it said anything.
var errNoWord = errors.New("the connection ended before its first byte")

func noTicket(detail string) error { return &ticket.Error{Reason: ticket.Missing, Detail: detail} }

func badHeader(detail string) error { return &ticket.Error{Reason: ticket.Malformed, Detail: detail} }

// readHeader reads the PROXY protocol's header, and returns what came after it too.
func readHeader(src io.Reader) (*proxyproto.Header, []byte, error) {
	reader := bufio.NewReaderSize(src, 512)
	head, err := reader.Peek(headerHead)
	switch {
	case len(head) == 0 && err != nil && !isTimeout(err):
		return nil, nil, errNoWord
	case err != nil && bytes.HasPrefix(proxyproto.SIGV2, head[:min(len(head), len(proxyproto.SIGV2))]):
		return nil, nil, noTicket("no whole header of the PROXY protocol came in time")
	case err != nil, !bytes.HasPrefix(head, proxyproto.SIGV2):
		return nil, nil, noTicket("the connection does not begin with a header of the PROXY protocol, version 2")
	case binary.BigEndian.Uint16(head[headerHead-2:]) > headerMost:
		return nil, nil, badHeader("the header of the PROXY protocol is longer than 4 KiB")
	}
	header, err := proxyproto.Read(reader)
	if err != nil {
		return nil, nil, badHeader("the header of the PROXY protocol makes no sense, or is not whole")
	}
	early, err := reader.Peek(reader.Buffered())
	if err != nil {
		return nil, nil, badHeader("the connection broke off")
	}
	return header, bytes.Clone(early), nil
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// ticketOf finds the ticket in a header.
func ticketOf(header *proxyproto.Header) (string, error) {
	tlvs, err := header.TLVs()
	if err != nil {
		return "", badHeader("the TLVs in the header of the PROXY protocol make no sense")
	}
	for _, tlv := range tlvs {
		if tlv.Type == TicketTLV {
			return string(tlv.Value), nil
		}
	}
	return "", noTicket("the header of the PROXY protocol has no TLV of type 0xE4")
}
