// Package http_test sends messages that parsers disagree about (internal/proxy/http1/corpus)
// through a proxy's HTTP server, to a backend that records every byte.
package http_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
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
	pieces   atomic.Pointer[pieces] // of the next connection
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

// listen listens on an address of the loopback where nobody else on this machine looks for
// a server that had the port before: here every stray byte is a failure.
func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.77.1:0")
	if err != nil { // not every system has more than one such address
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func newSite(t testing.TB) *site {
	t.Helper()
	watcher, err := hangup.New()
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t)
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
