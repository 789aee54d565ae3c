package trust

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const year = 365 * 24 * time.Hour

// authority is a CA of a test.
type authority struct{ cert, key []byte }

func newAuthority(t *testing.T) authority {
	t.Helper()
	cert, key, err := NewCA("test CA", year)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key}
}

// give writes a certificate of an identity, and returns the files, which trust this CA.
func (a authority) give(t *testing.T, role Role, name string) Files {
	t.Helper()
	cert, key, err := Issue(a.cert, a.key, Identity{role, name}, []string{"127.0.0.1"}, year)
	if err != nil {
		t.Fatal(err)
	}
	return put(t, cert, key, a.cert)
}

// load is give, loaded.
func (a authority) load(t *testing.T, role Role, name string) *Credentials {
	t.Helper()
	c, err := Load(a.give(t, role, name), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// put writes files of their own.
func put(t *testing.T, cert, key, ca []byte) Files {
	t.Helper()
	dir := t.TempDir()
	f := Files{filepath.Join(dir, "it.crt"), filepath.Join(dir, "it.key"), filepath.Join(dir, "ca.crt")}
	replace(t, f.Cert, cert)
	replace(t, f.Key, key)
	replace(t, f.CA, ca)
	return f
}

// replace puts a new file in the place of one.
func replace(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// move puts the files of b in the place of those of f.
func (f Files) move(t *testing.T, b Files) {
	t.Helper()
	for from, to := range map[string]string{b.Cert: f.Cert, b.Key: f.Key, b.CA: f.CA} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
}

// clock is a time that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now()} }

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// logs is a log that a test reads.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// lines returns how many lines hold some words.
func (l *logs) lines(words string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), words)
}

// refused is what a server was told of a handshake that failed.
type refused struct {
	peer   net.Addr
	reason Reason
	err    error
}

// server is a gRPC server that tells whom it is called by.
type server struct {
	fairleadv1.UnimplementedToolsServer
	address string
	refused chan refused
	peers   chan Identity
	unknown chan struct{} // a call without an identity
}

// serve runs a server with some credentials.
func serve(t *testing.T, with func(func(net.Addr, Reason, error)) credentials.TransportCredentials) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{
		address: ln.Addr().String(),
		refused: make(chan refused, 100), peers: make(chan Identity, 100), unknown: make(chan struct{}, 100),
	}
	g := grpc.NewServer(grpc.Creds(with(func(peer net.Addr, reason Reason, err error) {
		s.refused <- refused{peer, reason, err}
	})))
	fairleadv1.RegisterToolsServer(g, s)
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(ln) }()
	t.Cleanup(func() {
		g.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// GetSnapshot notes who calls.
func (s *server) GetSnapshot(ctx context.Context, _ *fairleadv1.GetSnapshotRequest) (*fairleadv1.Snapshot, error) {
	if who, ok := PeerOf(ctx); ok {
		s.peers <- who
	} else {
		s.unknown <- struct{}{}
	}
	return &fairleadv1.Snapshot{}, nil
}

// client is a connection to a server.
type client struct {
	conn *grpc.ClientConn

	mu    sync.Mutex
	local []string // the own addresses of the connections that were made
}

func (s *server) dial(t *testing.T, with credentials.TransportCredentials) *client {
	t.Helper()
	c := &client{}
	var dialer net.Dialer
	var err error
	c.conn, err = grpc.NewClient("passthrough:///"+s.address, grpc.WithTransportCredentials(with),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, "tcp", address)
			if err == nil {
				c.mu.Lock()
				c.local = append(c.local, conn.LocalAddr().String())
				c.mu.Unlock()
			}
			return conn, err
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// dialed returns the own address of the first connection, and how many there were.
func (c *client) dialed() (string, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.local == nil {
		return "", 0
	}
	return c.local[0], len(c.local)
}

// call makes one call.
func (c *client) call(t *testing.T) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err := fairleadv1.NewToolsClient(c.conn).GetSnapshot(ctx, &fairleadv1.GetSnapshotRequest{})
	return err
}

// works makes a call that has to work, and has to come from an identity.
func (s *server) works(t *testing.T, c *client, from string) {
	t.Helper()
	if err := c.call(t); err != nil {
		t.Errorf("a call from %s: %v", from, err)
		return
	}
	if who := <-s.peers; who.String() != from {
		t.Errorf("a call comes from %s, want %s", who, from)
	}
}

// fails makes a call whose handshake the server has to refuse for a reason.
func (s *server) fails(t *testing.T, c *client, reason Reason) {
	t.Helper()
	if err := c.call(t); err == nil {
		t.Errorf("a call works that is to be refused for %s", reason)
		return
	}
	got := <-s.refused
	local, _ := c.dialed()
	if got.reason != reason || got.peer.String() != local || got.err == nil {
		t.Errorf("%s is refused for %q (%v), want %s for %q", got.peer, got.reason, got.err, local, reason)
	}
}
