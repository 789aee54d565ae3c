package control

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	"github.com/fairlead/fairlead/internal/trust"
)

// How many connections may be open of which nobody has said who they are. They cost
// memory for the five seconds that they get for that, so they are few; a peer that was
// turned away comes back.
const (
	maxStrangers     = 4096
	maxStrangersEach = 256 // from one address
)

// doorman is the listener before the gRPC server: it keeps strangers few.
type doorman struct {
	net.Listener
	refused func(who net.Addr, why trust.Reason, err error)

	mu        sync.Mutex // guards what is below
	strangers int
	each      map[netip.Addr]int
}

func newDoorman(ln net.Listener, refused func(net.Addr, trust.Reason, error)) *doorman {
	return &doorman{Listener: ln, refused: refused, each: map[netip.Addr]int{}}
}

var errCrowd = errors.New("too many connections that have not said who they are")

// tooMany is the reason of errCrowd, for the counter.
const tooMany trust.Reason = "too_many"

// Accept implements net.Listener.
func (d *doorman) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := addressOf(c)
		if !d.enter(from) {
			d.refused(c.RemoteAddr(), tooMany, errCrowd)
			_ = c.Close() // it is a stranger's
			continue
		}
		return &stranger{Conn: c, from: from, door: d}, nil
	}
}

func addressOf(c net.Conn) netip.Addr {
	if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

func (d *doorman) enter(from netip.Addr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.strangers >= maxStrangers || d.each[from] >= maxStrangersEach {
		return false
	}
	d.strangers++
	d.each[from]++
	return true
}

func (d *doorman) leave(from netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.strangers--
	if d.each[from]--; d.each[from] == 0 {
		delete(d.each, from)
	}
}

// stranger is a connection of which nobody has said yet whose it is.
type stranger struct {
	net.Conn
	from netip.Addr
	door *doorman
	once sync.Once
}

// known says that it is a stranger's no more. Only the first call counts.
func (s *stranger) known() { s.once.Do(func() { s.door.leave(s.from) }) }

func (s *stranger) Close() error {
	s.known()
	return s.Conn.Close()
}

// counting wraps a server's credentials, so that each connection counts what is written
// on it: the order in which an agent and a proxy are told is a promise, and gRPC's Send
// returns before anything is written.
type counting struct {
	credentials.TransportCredentials
	inner bool // it does not leave the process
}

// newCredentials returns the server's side of the wire: mutual TLS, or plain text.
func newCredentials(t *trust.Credentials, refused func(net.Addr, trust.Reason, error)) credentials.TransportCredentials {
	if t == nil {
		return counting{insecure.NewCredentials(), false}
	}
	return counting{t.Server(refused), false}
}

func (c counting) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := c.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		return nil, nil, err
	}
	s, _ := raw.(*stranger)
	w := &written{Conn: conn, stranger: s, more: make(chan struct{})}
	return w, wireInfo{info, w, c.inner}, nil
}

func (c counting) Clone() credentials.TransportCredentials {
	return counting{c.TransportCredentials.Clone(), c.inner}
}

// wireInfo leads from a call to its connection.
type wireInfo struct {
	credentials.AuthInfo
	conn  *written
	inner bool // it does not leave the process
}

// Unwrap returns what the handshake yielded, for trust.PeerOf.
func (i wireInfo) Unwrap() credentials.AuthInfo { return i.AuthInfo }

// wireOf returns a call's connection, or nil.
func wireOf(ctx context.Context) *written {
	if p, ok := peer.FromContext(ctx); ok {
		if i, ok := p.AuthInfo.(wireInfo); ok {
			return i.conn
		}
	}
	return nil
}

// written is a connection that knows how much of what was sent is written to its socket.
// It reads the HTTP/2 frames that go out (RFC 9113, section 4.1), and counts the payload
// of DATA frames, which is the messages and nothing else.
type written struct {
	net.Conn
	stranger *stranger

	mu      sync.Mutex // guards what is below
	queued  uint64     // bytes of messages that were or are about to be sent
	data    uint64     // bytes of messages that were written
	head    [9]byte    // of the frame under way
	headLen int
	payload int  // still to come of that frame
	isData  bool // it is a DATA frame
	waiting int
	more    chan struct{} // closed and made anew when somebody waits and data has grown
}

// Write implements net.Conn.
func (w *written) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.data
	w.scan(p[:n])
	if w.data != before && w.waiting > 0 {
		close(w.more)
		w.more = make(chan struct{})
	}
	return n, err
}

// scan follows the frames. w.mu is held.
func (w *written) scan(p []byte) {
	const dataFrame = 0
	for len(p) > 0 {
		if w.payload > 0 {
			n := min(w.payload, len(p))
			if w.isData {
				w.data += uint64(n)
			}
			w.payload -= n
			p = p[n:]
			continue
		}
		n := copy(w.head[w.headLen:], p)
		w.headLen += n
		p = p[n:]
		if w.headLen == len(w.head) {
			w.headLen = 0
			w.payload = int(binary.BigEndian.Uint32(w.head[:4]) >> 8)
			w.isData = w.head[3] == dataFrame
		}
	}
}

// grpcPrefix is what goes before each message: a flag and the length.
const grpcPrefix = 5

// sending notes a message that is about to be sent.
func (w *written) sending(m any) {
	if pm, ok := m.(proto.Message); ok {
		w.mu.Lock()
		w.queued += uint64(grpcPrefix + proto.Size(pm))
		w.mu.Unlock()
	}
}

// flushed waits until all that was sent is written, or ctx ends.
func (w *written) flushed(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	mark := w.queued
	for w.data < mark {
		more := w.more
		w.waiting++
		w.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
		}
		w.mu.Lock()
		w.waiting--
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// meet is what every call goes through first: its connection is a stranger's no more.
func meet(ctx context.Context) *written {
	w := wireOf(ctx)
	if w != nil && w.stranger != nil {
		w.stranger.known()
	}
	return w
}

func interceptUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	w := meet(ctx)
	out, err := next(ctx, req)
	if w != nil && err == nil {
		w.sending(out)
	}
	return out, err
}

func interceptStream(srv any, st grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if w := meet(st.Context()); w != nil {
		st = countedStream{st, w}
	}
	return next(srv, st)
}

// countedStream notes what is sent.
type countedStream struct {
	grpc.ServerStream
	w *written
}

func (s countedStream) SendMsg(m any) error {
	s.w.sending(m)
	return s.ServerStream.SendMsg(m)
}
