// Package acme has a CA issue the certificates of a listener (RFC 8555), keeps them in a
// directory that proxies may share, and renews them. It is certmagic, fitted to a listener:
// the listener and those that speak plain HTTP solve the challenges, so nothing else is opened.
package acme

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"

	"github.com/fairlead/fairlead/internal/proxy/pemfile"
)

// Protocol is what a CA speaks (ALPN) to see a challenge solved. Nothing is said in it beyond the
// handshake.
const Protocol = acmez.ACMETLS1Protocol

// ChallengePath begins the paths at which a CA asks for what solves a challenge over HTTP.
const ChallengePath = "/.well-known/acme-challenge/"

// Settings say which certificates to get, and where.
type Settings struct {
	Domains   []string // in lower case, at least one
	Email     string
	Directory string // of the CA, a URL
	CA        string // a file, who signed the directory's certificate; empty: as the system says
	Storage   string // a directory
	TLSALPN   bool   // tls-alpn-01 is solved
	HTTP      bool   // http-01 is solved
}

// Equal tells whether two are the same.
func (s *Settings) Equal(o *Settings) bool {
	if s == nil || o == nil {
		return s == o
	}
	return slices.Equal(s.Domains, o.Domains) && s.SameBut(o)
}

// SameBut tells whether two differ in nothing but their domains.
func (s *Settings) SameBut(o *Settings) bool {
	return s.Email == o.Email && s.Directory == o.Directory && s.CA == o.CA && s.Storage == o.Storage && s.TLSALPN == o.TLSALPN && s.HTTP == o.HTTP
}

// Config is what a Manager needs.
type Config struct {
	Settings
	Address net.Addr // where the listener is open
	Logger  *slog.Logger
	// Failed is called each time that a certificate could not be got; nil: nobody is told.
	Failed func()
	// Check is how often certificates are looked at, whether they are to be renewed; 0: 10 min.
	Check time.Duration
}

// Manager has the certificates of one listener. It is safe for concurrent use.
type Manager struct {
	cfg    Config
	ctx    context.Context // ends when nothing more is to be got
	cancel context.CancelFunc
	cache  *certmagic.Cache
	certs  *certmagic.Config
	issuer *certmagic.ACMEIssuer
	ended  func() // stops the cache, once
	tasks  sync.WaitGroup
	names  atomic.Pointer[names]

	mu      sync.Mutex // guards what is below
	getting map[string]context.CancelFunc
}

// names are the domains that hold now.
type names struct {
	all   map[string]bool
	first string
}

// Start begins to get certificates. Those that the storage has are there when it returns. An
// error is about files.
func Start(cfg Config) (*Manager, error) {
	roots, err := readRoots(cfg.CA)
	if err != nil {
		return nil, err
	}
	if err := prepare(cfg.Storage); err != nil {
		return nil, err
	}
	m := &Manager{cfg: cfg, getting: map[string]context.CancelFunc{}}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	log := bridge(cfg.Logger)
	m.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return m.certs, nil },
		RenewCheckInterval: cfg.Check, Logger: log,
	})
	m.ended = sync.OnceFunc(m.cache.Stop)
	m.certs = certmagic.New(m.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: cfg.Storage}, Logger: log, OnEvent: m.event,
	})
	host, port := at(cfg.Address)
	m.issuer = certmagic.NewACMEIssuer(m.certs, certmagic.ACMEIssuer{
		CA: cfg.Directory, Email: cfg.Email, Agreed: true, TrustedRoots: roots, Logger: log,
		DisableTLSALPNChallenge: !cfg.TLSALPN, DisableHTTPChallenge: !cfg.HTTP,
		// It would open listeners for challenges, but for addresses that are taken: there it
		// leaves them to who listens. The address of our own listener is taken.
		ListenHost: host, AltTLSALPNPort: port, AltHTTPPort: port,
		HTTPProxy: m.proxyFor,
	})
	m.certs.Issuers = []certmagic.Issuer{m.issuer}
	m.SetDomains(cfg.Domains)
	m.tasks.Go(func() { // the first look, for the next one is some time away
		if err := m.cache.RenewManagedCertificates(m.ctx); err != nil && m.ctx.Err() == nil {
			m.fail("renewing", err)
		}
	})
	return m, nil
}

// at returns the host and the port of an address.
func at(a net.Addr) (string, int) {
	if t, ok := a.(*net.TCPAddr); ok {
		if t.IP.IsUnspecified() {
			return "", t.Port
		}
		return t.IP.String(), t.Port
	}
	return "", 0
}

// proxyFor is how the CA is reached: as the environment says. Once the manager has stopped it is
// not, which ends rounds of questions that have no other end.
func (m *Manager) proxyFor(r *http.Request) (*url.URL, error) {
	if err := m.ctx.Err(); err != nil {
		return nil, err
	}
	return http.ProxyFromEnvironment(r)
}

// readRoots reads who may have signed the directory's certificate; nil: as the system says.
func readRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := pemfile.Read(file)
	if err != nil {
		return nil, fmt.Errorf("acme: ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("acme: ca %s holds no certificate in PEM", file)
	}
	return roots, nil
}

// prepare makes the storage, which nobody else may read, or looks at it: who writes there has
// our names.
func prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("acme: storage: %w", err)
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return fmt.Errorf("acme: storage: %w", err)
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("acme: storage %s may be written by others than its owner; chmod go-w it", dir)
	}
	return nil
}

// SetDomains says which certificates are wanted from now on.
func (m *Manager) SetDomains(domains []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := &names{all: map[string]bool{}, first: domains[0]}
	for _, d := range domains {
		next.all[d] = true
	}
	for d, stop := range m.getting {
		if !next.all[d] {
			stop()
			delete(m.getting, d)
			m.cache.RemoveManaged([]certmagic.SubjectIssuer{{Subject: d}})
		}
	}
	var missing []string
	reading, cancel := context.WithTimeout(m.ctx, readTime)
	defer cancel()
	for _, d := range domains {
		if m.getting[d] == nil {
			if _, err := m.certs.CacheManagedCertificate(reading, d); err != nil {
				if !errors.Is(err, fs.ErrNotExist) {
					m.fail("reading the one in storage", err, "domain", d)
				}
				missing = append(missing, d)
			}
			m.getting[d] = func() {}
		}
	}
	m.names.Store(next)
	for _, d := range missing {
		ctx, stop := context.WithCancel(m.ctx)
		m.getting[d] = stop
		m.tasks.Go(func() {
			defer stop()
			m.get(ctx, d)
		})
	}
}

const (
	// readTime bounds the reading of certificates that are there, for which certmagic may ask a
	// CA whether they were revoked.
	readTime = 5 * time.Second
	// again is when what cannot even be tried is tried again, such as with a storage that is full.
	again = time.Minute
)

// get gets a certificate. Certmagic tries for as long as ctx lasts, with pauses that grow.
func (m *Manager) get(ctx context.Context, domain string) {
	for {
		err := m.certs.ObtainCertAsync(ctx, domain)
		if err == nil {
			_, err = m.certs.CacheManagedCertificate(ctx, domain)
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		m.fail("obtaining", err, "domain", domain)
		select {
		case <-ctx.Done():
			return
		case <-time.After(again):
		}
	}
}

// event hears from certmagic.
func (m *Manager) event(ctx context.Context, event string, data map[string]any) error {
	switch event {
	case "cert_obtained":
		m.cfg.Logger.Info("certificate obtained", "domain", data["identifier"], "renewal", data["renewal"])
	case "cert_failed":
		if err, _ := data["error"].(error); ctx.Err() == nil && !errors.Is(err, context.Canceled) && m.ctx.Err() == nil {
			m.fail("obtaining", err, "domain", data["identifier"], "renewal", data["renewal"])
		}
	}
	return nil
}

// fail says that a certificate could not be got.
func (m *Manager) fail(what string, err error, about ...any) {
	if m.cfg.Failed != nil {
		m.cfg.Failed()
	}
	m.cfg.Logger.Error("a certificate is missing or old, and will be tried again: "+what+" failed", append(about, "directory", m.cfg.Directory, "error", err)...)
}

// Certificate returns the certificate for a client, and nil if there is none. mine: the name that
// it asks for is one of the domains.
func (m *Manager) Certificate(hello *tls.ClientHelloInfo) (cert *tls.Certificate, mine bool) {
	now, name := m.names.Load(), strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	mine = now.all[name]
	if !mine {
		name = now.first
	}
	got, err := certmagic.DefaultCertificateSelector(hello, m.cache.AllMatchingCertificates(name))
	if err != nil {
		return nil, mine
	}
	return &got.Certificate, mine
}

// Challenge returns what to answer a CA with that asks over TLS; nil: this client is none.
func (m *Manager) Challenge(hello *tls.ClientHelloInfo) *tls.Config {
	if !m.cfg.TLSALPN || len(hello.SupportedProtos) != 1 || hello.SupportedProtos[0] != Protocol {
		return nil
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{Protocol}, SessionTicketsDisabled: true,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if !m.names.Load().all[strings.ToLower(hello.ServerName)] {
				return nil, fmt.Errorf("%q is none of the domains of acme", hello.ServerName)
			}
			return m.certs.GetCertificate(hello)
		},
	}
}

// HTTPChallenge returns what to answer a CA with that asks a host for a path over HTTP; nil:
// there is no challenge that it would solve.
func (m *Manager) HTTPChallenge(ctx context.Context, host, path string) []byte {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(host)
	if !m.names.Load().all[host] {
		return nil
	}
	r := &http.Request{Method: http.MethodGet, Host: host, URL: &url.URL{Path: path}, RequestURI: path}
	w := &answer{}
	if !m.issuer.HandleHTTPChallenge(w, r.WithContext(ctx)) {
		return nil
	}
	return w.body
}

// answer is an http.ResponseWriter that keeps what it is given.
type answer struct {
	header http.Header
	body   []byte
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(int) {}

// Write implements io.Writer.
func (a *answer) Write(p []byte) (int, error) {
	a.body = append(a.body, p...)
	return len(p), nil
}

// Leaves returns the certificates that there are, in the order of their names.
func (m *Manager) Leaves() (leaves []*x509.Certificate) {
	for name := range m.names.Load().all {
		for _, c := range m.cache.AllMatchingCertificates(name) {
			leaves = append(leaves, c.Leaf)
		}
	}
	slices.SortFunc(leaves, func(a, b *x509.Certificate) int { return cmp.Compare(a.DNSNames[0], b.DNSNames[0]) })
	return leaves
}

// Stop has nothing more be got. The certificates that are there may be used on.
func (m *Manager) Stop() { m.cancel() }

// Close stops, and returns when what was begun has ended.
func (m *Manager) Close() {
	m.cancel()
	m.tasks.Wait()
	m.ended()
}
