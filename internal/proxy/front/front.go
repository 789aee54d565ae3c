// Package front keeps the TLS of a listener: certificates that it has in files, which are
// read again when they change, and those that a CA issues; and who may connect.
package front

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/internal/proxy/acme"
	"github.com/fairlead/fairlead/internal/proxy/pemfile"
)

// Pair is a certificate with its chain, and its key, as files in PEM.
type Pair struct{ Cert, Key string }

// Files are what a listener has.
type Files struct {
	// Certificates are chosen from by the name that a client asks for (SNI); the first is for
	// clients that ask for none of them.
	Certificates []Pair
	// ClientCA has clients show certificates that it signed; empty: they need none.
	ClientCA string
	// ClientMay has those without a certificate be served as well.
	ClientMay bool
	// NoHTTP2 leaves h2 out of what is offered (ALPN).
	NoHTTP2 bool
	// ACME has certificates issued; nil: the files are all. Where both have one for a name the
	// issued one is shown.
	ACME *acme.Settings
}

func (f *Files) equal(o *Files) bool {
	return slices.Equal(f.Certificates, o.Certificates) && f.ClientCA == o.ClientCA && f.ClientMay == o.ClientMay && f.NoHTTP2 == o.NoHTTP2 && f.ACME.Equal(o.ACME)
}

// Metrics are what is known of certificates:
//
//	fairlead_proxy_certificate_expiry_seconds{listener,name}  when it ends, as Unix time
//	fairlead_proxy_certificate_errors_total{listener}         files that could not be taken, orders that failed
type Metrics struct {
	expiry *prometheus.GaugeVec
	errors *prometheus.CounterVec
}

// NewMetrics makes the metrics and registers them; with nil they are not registered.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "fairlead_proxy_certificate_expiry_seconds", Help: "When a listener's certificate ends, as Unix time.",
		}, []string{"listener", "name"}),
		prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_proxy_certificate_errors_total", Help: "Certificates that changed and could not be taken, or were ordered and could not be got.",
		}, []string{"listener"}),
	}
	if r == nil {
		return m, nil
	}
	return m, errors.Join(r.Register(m.expiry), r.Register(m.errors))
}

// Front is the TLS of one listener. It is safe for concurrent use.
type Front struct {
	listener string
	address  net.Addr
	log      *slog.Logger
	metrics  *Metrics
	conf     atomic.Pointer[tls.Config]
	issued   atomic.Pointer[acme.Manager] // nil: none are

	mu    sync.Mutex // guards what is below
	files Files
	sum   [sha256.Size]byte // of what the files held
	bad   [sha256.Size]byte // of what could not be taken, so that it is said once
}

// New makes the Front of a listener that is open at an address. It has no certificate yet.
func New(listener string, address net.Addr, log *slog.Logger, m *Metrics) *Front {
	return &Front{listener: listener, address: address, log: log, metrics: m}
}

// Config returns what to serve with now. It must not be changed.
func (f *Front) Config() *tls.Config { return f.conf.Load() }

// Set takes in which files there are, and reads them. After an error all is as before.
func (f *Front) Set(files Files) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conf.Load() != nil && f.files.equal(&files) {
		return nil
	}
	conf, leaves, sum, err := load(&files)
	if err == nil {
		err = f.issue(files.ACME)
	}
	if err != nil {
		return err
	}
	f.files = files
	f.take(conf, leaves, sum)
	return nil
}

// Refresh reads the files again if they have changed. If what they hold now is of no use the
// last certificates stay, and the log says why.
func (f *Front) Refresh() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conf.Load() == nil {
		return
	}
	conf, leaves, sum, err := load(&f.files)
	f.tell(nil)
	if err == nil {
		if sum != f.sum {
			f.take(conf, leaves, sum)
			f.log.Info("certificates read again", "listener", f.listener)
		}
		return
	}
	if sum == ([sha256.Size]byte{}) {
		sum = sha256.Sum256([]byte(err.Error()))
	}
	if sum != f.bad {
		f.bad = sum
		f.metrics.errors.WithLabelValues(f.listener).Inc()
		f.log.Error("changed certificates cannot be used; the last ones stay", "listener", f.listener, "error", err)
	}
}

// take serves with conf from now on. f.mu is held.
func (f *Front) take(conf *tls.Config, leaves []*x509.Certificate, sum [sha256.Size]byte) {
	f.sum, f.bad = sum, [sha256.Size]byte{}
	f.arrange(conf)
	f.conf.Store(conf)
	f.metrics.expiry.DeletePartialMatch(prometheus.Labels{"listener": f.listener})
	f.tell(leaves)
}

// tell says when certificates end, and when those that are issued do.
func (f *Front) tell(leaves []*x509.Certificate) {
	if m := f.issued.Load(); m != nil {
		leaves = append(leaves, m.Leaves()...)
	}
	for _, c := range leaves {
		f.metrics.expiry.WithLabelValues(f.listener, nameOf(c)).Set(float64(c.NotAfter.Unix()))
	}
}

// nameOf returns what to call a certificate.
func nameOf(c *x509.Certificate) string {
	if len(c.DNSNames) > 0 {
		return c.DNSNames[0]
	}
	if len(c.IPAddresses) > 0 {
		return c.IPAddresses[0].String()
	}
	return c.Subject.CommonName
}

// load reads files. The sum is of what they hold, and none when they cannot be read.
func load(files *Files) (conf *tls.Config, leaves []*x509.Certificate, sum [sha256.Size]byte, err error) {
	h := sha256.New()
	read := func(path string) []byte {
		b, failed := pemfile.Read(path)
		err = errors.Join(err, failed)
		h.Write(b)
		return b
	}
	var pairs [][2][]byte
	for _, p := range files.Certificates {
		pairs = append(pairs, [2][]byte{read(p.Cert), read(p.Key)})
	}
	var ca []byte
	if files.ClientCA != "" {
		ca = read(files.ClientCA)
	}
	if err != nil {
		return nil, nil, sum, err
	}
	h.Sum(sum[:0])
	conf = &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if files.NoHTTP2 {
		conf.NextProtos = conf.NextProtos[1:]
	}
	for i, p := range pairs {
		cert, err := tls.X509KeyPair(p[0], p[1])
		if err != nil {
			return nil, nil, sum, fmt.Errorf("certificate %s with key %s: %w", files.Certificates[i].Cert, files.Certificates[i].Key, err)
		}
		if now := time.Now(); now.After(cert.Leaf.NotAfter) {
			return nil, nil, sum, fmt.Errorf("certificate %s ended on %s; renew it", files.Certificates[i].Cert, cert.Leaf.NotAfter.Format(time.DateOnly))
		}
		conf.Certificates = append(conf.Certificates, cert)
		leaves = append(leaves, cert.Leaf)
	}
	if files.ClientCA != "" {
		conf.ClientCAs = x509.NewCertPool()
		if !conf.ClientCAs.AppendCertsFromPEM(ca) {
			return nil, nil, sum, fmt.Errorf("client_ca %s holds no certificate in PEM", files.ClientCA)
		}
		conf.ClientAuth = tls.RequireAndVerifyClientCert
		if files.ClientMay {
			conf.ClientAuth = tls.VerifyClientCertIfGiven
		}
	}
	return conf, leaves, sum, nil
}
