// Package http_test sends messages that parsers disagree about (internal/proxy/http1/corpus)
// through a proxy's HTTP server, to a backend that records every byte.
package http_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/hangup"
	"github.com/fairlead/fairlead/internal/proxy/http1"
	"github.com/fairlead/fairlead/internal/proxy/http1/corpus"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/route"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	// soon is for what takes no time on a machine that is not stuck.
	soon = 20 * time.Second
	// briefly is for what is known not to come.
	briefly = time.Second
)

// site is a server under test. It plays one case at a time.
type site struct {
	addr     string
	server   *http1.Server
	playing  atomic.Pointer[play]
	pieces   atomic.Pointer[[]int] // of the next connection
	shutdown func() error
	number   atomic.Uint64
}

// play is a case that is played, once or in several ways.
type play struct {
	*corpus.Case
	backend *backend
	asks    atomic.Int64
	done    chan link.Result
	errs    []error
	broke   bool          // a request was broken off, so its beginning may have arrived
	wait    time.Duration // for what should come
}

func newPlay(c *corpus.Case, b *backend, known map[string]flaw) *play {
	p := &play{Case: c, backend: b, done: make(chan link.Result, 10_000), wait: soon}
	if _, is := known[c.Name]; is {
		p.wait = briefly
	}
	return p
}

// Ask grants the backend of what is played.
func (s *site) Ask(_ context.Context, r link.Request) (*link.Grant, error) {
	p := s.playing.Load()
	p.asks.Add(1)
	id := fleet.GrantID{Number: s.number.Add(1)}
	return link.NewGrant(id, r.Pool, p.backend.name(), func(_ *link.Grant, r link.Result) { p.done <- r }), nil
}

func newSite(t testing.TB) *site {
	t.Helper()
	watcher, err := hangup.New()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{addr: l.Addr().String()}
	pool := &link.Pool{Name: "render", ConnectTimeout: soon}
	table := route.New([]route.Rule{{Host: "*", Path: "/", Pool: pool}})
	s.server = http1.New(http1.Config{
		Granter: s, Routes: func() *route.Table { return table }, Hangup: watcher,
		Logger: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.server.Serve(ctx, &pieceListener{l, s}) }()
	s.shutdown = func() error {
		cancel()
		return errors.Join(<-ended, watcher.Close())
	}
	return s
}

// pieceListener gives its connections' bytes to the server in the pieces that a test says,
// wherever the network has cut them.
type pieceListener struct {
	net.Listener
	site *site
}

func (l *pieceListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	p := &pieceConn{TCPConn: c.(*net.TCPConn)}
	if sizes := l.site.pieces.Load(); sizes != nil {
		p.sizes = *sizes
	}
	return p, nil
}

type pieceConn struct {
	*net.TCPConn
	sizes []int // of what is read next; afterwards as it comes
}

// Read returns no byte from behind the end of a piece.
func (c *pieceConn) Read(p []byte) (int, error) {
	if len(c.sizes) == 0 {
		return c.TCPConn.Read(p)
	}
	n, err := c.TCPConn.Read(p[:min(len(p), c.sizes[0])])
	left := c.sizes[0] - n
	c.sizes = c.sizes[1:]
	if left > 0 {
		c.sizes = append([]int{left}, c.sizes...)
	}
	return n, err
}

// client is a connection to the server. What it reads is kept.
type client struct {
	*net.TCPConn
	read bytes.Buffer
	r    *bufio.Reader
	used int // of read: bytes of answers that were taken
}

// dial connects, and sends bytes while others are read.
func (s *site) dial(sent []byte, closes bool, wait time.Duration) (*client, error) {
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		return nil, err
	}
	c := &client{TCPConn: conn.(*net.TCPConn)}
	c.r = bufio.NewReader(io.TeeReader(c.TCPConn, &c.read))
	_ = c.SetDeadline(time.Now().Add(wait))
	_ = c.SetLinger(0)                 // thousands of connections would wait for their last packets
	if len(sent) <= 16<<10 || closes { // the kernel takes that at once
		_, _ = c.Write(sent)
		if closes {
			_ = c.CloseWrite()
		}
		return c, nil
	}
	go func() { _, _ = c.Write(sent) }() // ends when the connection is closed
	return c, nil
}

// maxInformational is how many informational answers are a flood.
const maxInformational = 200

var errFlood = errors.New("more informational answers than anybody wants")

// answer reads an answer, with http.ReadResponse and strictly. Without an error they agree.
func (c *client) answer(method string) (*message, *http.Response, error) {
	for range maxInformational {
		res, err := http.ReadResponse(c.r, &http.Request{Method: method})
		if err != nil {
			return nil, nil, err
		}
		if res.StatusCode < 200 && res.StatusCode != http.StatusSwitchingProtocols {
			c.used = c.read.Len() - c.r.Buffered()
			continue
		}
		body, err := io.ReadAll(res.Body)
		if err != nil && !(errors.Is(err, syscall.ECONNRESET) && res.ContentLength < 0 && res.Close) {
			return nil, res, err // a reset ends an answer that nothing else would end
		}
		upTo := c.read.Len() - c.r.Buffered()
		m, rest, err := strictAnswer(c.read.Bytes()[c.used:upTo], method)
		c.used = upTo
		switch {
		case err != nil:
			return nil, res, errors.Join(errUnclear, err)
		case len(rest) > 0 || !bytes.Equal(body, m.body):
			return nil, res, errUnclear
		}
		return m, res, nil
	}
	return nil, nil, errFlood
}

var errUnclear = errors.New("the client cannot read for sure what it was answered")

// ended waits for the connection's end, and says what came before it.
func (c *client) ended() error {
	b, err := io.ReadAll(c.r)
	var timeout net.Error
	switch {
	case len(b) > 0:
		return errors.New("behind the last answer there is: " + string(b[:min(len(b), 100)]))
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("the connection is not closed")
	}
	return nil // a reset will do
}

// settle waits until every grant is given back.
func (p *play) settle() error {
	timeout := time.NewTimer(p.wait)
	defer timeout.Stop()
	for range p.asks.Swap(0) {
		select {
		case <-p.done:
		case <-timeout.C:
			return errors.New("a grant is not given back")
		}
	}
	return nil
}
