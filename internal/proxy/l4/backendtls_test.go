package l4

import (
	"bufio"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/originate"
)

// overTLS is a backend that speaks TLS, and a pool that does.
func overTLS(t *testing.T, f originate.Files, handle func(c *tls.Conn)) (fleet.BackendName, *link.Pool) {
	t.Helper()
	lent := httptest.NewUnstartedServer(nil)
	lent.StartTLS()
	conf := &tls.Config{Certificates: lent.TLS.Certificates}
	lent.Close()
	m, err := originate.NewMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	of := originate.NewPools(slog.New(slog.DiscardHandler), m).Set(map[fleet.PoolName]originate.Files{"db": f})["db"]
	at := backend(t, func(c *net.TCPConn) { handle(tls.Server(c, conf)) })
	return at, &link.Pool{Name: "db", Retries: 1, ConnectTimeout: 5 * time.Second, TLS: of}
}

// TestBackendTLS: bytes and ends go both ways.
func TestBackendTLS(t *testing.T) {
	at, pool := overTLS(t, originate.Files{SkipVerify: true}, func(c *tls.Conn) {
		_, _ = io.Copy(c, c)
		_ = c.CloseWrite()
	})
	g := to(at)
	s := serve(t, g, long)
	s.pool.Store(pool)
	c := s.dial()
	send(t, c, "hello")
	expect(t, c, "hello")
	send(t, c, "and more")
	_ = c.CloseWrite()
	expect(t, c, "and more")
	if n, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read %d bytes, %v, want the end", n, err)
	}
	expectOutcome(t, g, fleet.OK)
}

// TestBackendTLSCut: an end that TLS did not tell is none.
func TestBackendTLSCut(t *testing.T) {
	at, pool := overTLS(t, originate.Files{SkipVerify: true}, func(c *tls.Conn) { _, _ = io.WriteString(c, "half") })
	g := to(at)
	s := serve(t, g, long)
	s.pool.Store(pool)
	c := s.dial()
	if b, err := io.ReadAll(c); err == nil {
		t.Errorf("read %q and an end, want a reset", b)
	}
	expectOutcome(t, g, fleet.Failed)
}

// TestBackendTLSRefused: a backend of an unknown CA cannot be reached.
func TestBackendTLSRefused(t *testing.T) {
	at, pool := overTLS(t, originate.Files{}, func(c *tls.Conn) { _ = c.Handshake() })
	g := to(at)
	s := serve(t, g, long)
	s.pool.Store(pool)
	s.dialReset()
	for range 2 {
		expectOutcome(t, g, fleet.Unreachable)
	}
}

// TestHeaderBeforeTLS: the PROXY protocol header comes first, in plain text.
func TestHeaderBeforeTLS(t *testing.T) {
	lent := httptest.NewUnstartedServer(nil)
	lent.StartTLS()
	conf := &tls.Config{Certificates: lent.TLS.Certificates}
	lent.Close()
	told := make(chan string, 1)
	at := backend(t, func(c *net.TCPConn) {
		r := bufio.NewReaderSize(c, 16) // no more than the header is taken from the connection below
		h, err := proxyproto.Read(r)
		if err != nil {
			t.Error(err)
			return
		}
		secure := tls.Server(&begun{c, r}, conf)
		b := make([]byte, 5)
		_, _ = io.ReadFull(secure, b)
		told <- h.SourceAddr.String() + " " + string(b)
	})
	_, pool := overTLS(t, originate.Files{SkipVerify: true}, nil)
	pool.SendProxy = 2
	s := serve(t, to(at), long)
	s.pool.Store(pool)
	c := s.dial()
	send(t, c, "hello")
	if got, want := get(t, "what the backend hears", told), c.LocalAddr().String()+" hello"; got != want {
		t.Errorf("the backend hears %q, want %q", got, want)
	}
}

// begun is a connection of which a reader holds the next bytes.
type begun struct {
	net.Conn
	r io.Reader
}

func (b *begun) Read(p []byte) (int, error) { return b.r.Read(p) }
