// Package originate speaks TLS to backends: with certificates and CAs from files, which are
// read again when they change, and with a word for each way in which a handshake fails.
package originate

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/pemfile"
)

// Protocols that backends are offered (ALPN). A backend has to choose HTTP2 where it is; it
// may leave HTTP1 out.
const (
	HTTP1 = "http/1.1"
	HTTP2 = "h2"
)

// sessions bounds the TLS sessions of one pool that are kept to be resumed.
const sessions = 256

// Files are what a pool has, in PEM.
type Files struct {
	// CA signs backends' certificates; empty: as the system says.
	CA string
	// ServerName stands in backends' certificates; empty: the host of each one's address.
	ServerName string
	// Cert and Key are what backends are shown; empty: nothing.
	Cert, Key string
	// SkipVerify takes whatever certificate a backend has.
	SkipVerify bool
}

// TLS is how one pool's backends are spoken to. It is safe for concurrent use.
type TLS struct {
	pool  fleet.PoolName
	files Files
	of    *Pools
	use   atomic.Pointer[credentials]

	mu   sync.Mutex // guards what is below
	sum  [sha256.Size]byte
	bad  string               // what is wrong with the files; empty: nothing
	told map[string]time.Time // by reason
}

// credentials are what the files held.
type credentials struct {
	conf *tls.Config
	err  error // why there is no conf
}

// Client speaks TLS on a new connection to a backend. If that fails it closes the
// connection; the error says what is wrong, and has been counted and logged. protocol is
// offered; empty: none is.
func (t *TLS) Client(ctx context.Context, nc net.Conn, backend fleet.BackendName, protocol string) (*Conn, error) {
	c, err := t.handshake(ctx, nc, backend, protocol)
	if err == nil {
		return c, nil
	}
	_ = nc.Close()
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, err // nobody waits for it any more
	}
	return nil, t.Failed(backend, err)
}

func (t *TLS) handshake(ctx context.Context, nc net.Conn, backend fleet.BackendName, protocol string) (*Conn, error) {
	has := t.use.Load()
	if has.err != nil {
		return nil, &filesError{has.err}
	}
	conf := has.conf.Clone()
	if conf.ServerName == "" {
		conf.ServerName = hostOf(backend)
	}
	if protocol != "" {
		conf.NextProtos = []string{protocol}
	}
	u := newUnder(nc)
	c := &Conn{Conn: tls.Client(u, conf), under: u}
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	if protocol == HTTP2 && c.ConnectionState().NegotiatedProtocol != HTTP2 {
		return nil, errNoHTTP2
	}
	return c, nil
}

// hostOf returns what a backend's certificate has to be for.
func hostOf(backend fleet.BackendName) string {
	host, _, err := net.SplitHostPort(string(backend))
	if err != nil {
		host = string(backend)
	}
	host, _, _ = strings.Cut(host, "%") // an interface is this host's own matter
	return host
}

// tellEach is how often the log says the same of a pool, at most.
const tellEach = 10 * time.Second

// Failed counts and logs that a backend could not be spoken to over TLS, and returns an error
// that says so. Client calls it for what it met itself.
func (t *TLS) Failed(backend fleet.BackendName, err error) error {
	why := reason(err)
	t.of.metrics.errors.WithLabelValues(string(t.pool), why).Inc()
	now := time.Now()
	t.mu.Lock()
	last, told := t.told[why]
	tell := !told || now.Sub(last) >= tellEach
	if tell {
		t.told[why] = now
	}
	t.mu.Unlock()
	err = fmt.Errorf("TLS with backend %q: %w; %s", string(backend), err, advice[why])
	if tell {
		t.of.log.Warn("a backend cannot be spoken to over TLS", "pool", t.pool, "backend", backend, "reason", why, "error", err)
	}
	return err
}

// refresh reads the files, if they are not what they were. What is of no use then leaves the
// last credentials as they are, if there are any.
func (t *TLS) refresh() {
	t.mu.Lock()
	defer t.mu.Unlock()
	conf, sum, err := load(&t.files)
	has := t.use.Load()
	if err == nil {
		if has == nil || has.err != nil || sum != t.sum {
			t.use.Store(&credentials{conf: conf})
			if has != nil {
				t.of.log.Info("the files of backend_tls were read again", "pool", t.pool)
			}
		}
		t.sum, t.bad = sum, ""
		return
	}
	if has == nil || has.err != nil {
		t.use.Store(&credentials{err: err})
	}
	if err.Error() != t.bad {
		t.bad = err.Error()
		t.of.metrics.errors.WithLabelValues(string(t.pool), "files").Inc()
		what := "the files of backend_tls cannot be used; no backend of the pool can be reached"
		if has != nil && has.err == nil {
			what = "changed files of backend_tls cannot be used; what they held before stays"
		}
		t.of.log.Error(what, "pool", t.pool, "error", err)
	}
}

// load reads files. The sum is of what they hold.
func load(f *Files) (conf *tls.Config, sum [sha256.Size]byte, err error) {
	h := sha256.New()
	read := func(path string) []byte {
		if path == "" {
			return nil
		}
		b, failed := pemfile.Read(path)
		err = errors.Join(err, failed)
		_, _ = fmt.Fprintf(h, "%d ", len(b)) // a hash takes all
		_, _ = h.Write(b)
		return b
	}
	ca, cert, key := read(f.CA), read(f.Cert), read(f.Key)
	if err != nil {
		return nil, sum, err
	}
	h.Sum(sum[:0])
	conf = &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: f.ServerName, InsecureSkipVerify: f.SkipVerify,
		ClientSessionCache: tls.NewLRUClientSessionCache(sessions),
	}
	if f.CA != "" {
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(ca) {
			return nil, sum, fmt.Errorf("ca %s holds no certificate in PEM", f.CA)
		}
	}
	if f.Cert != "" {
		own, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, sum, fmt.Errorf("certificate %s with key %s: %w", f.Cert, f.Key, err)
		}
		if time.Now().After(own.Leaf.NotAfter) {
			return nil, sum, fmt.Errorf("certificate %s ended on %s; renew it", f.Cert, own.Leaf.NotAfter.Format(time.DateOnly))
		}
		conf.Certificates = []tls.Certificate{own}
	}
	return conf, sum, nil
}
