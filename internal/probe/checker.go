package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/fairlead/fairlead/internal/config"
)

const (
	maxHeader = 64 << 10 // bytes of an answer's head
	maxBody   = 64 << 10 // bytes of its body that are read and thrown away
)

// checker does checks over the network. Safe for concurrent use.
type checker struct {
	dialer    net.Dialer
	transport *http.Transport
}

func newChecker() *checker {
	c := &checker{}
	c.transport = &http.Transport{
		DialContext:    c.dialer.DialContext,
		DialTLSContext: c.dialTLS,
		// A connection that was kept would tell whether an old worker lives, and not
		// whether the backend takes a new connection, as requests need it to.
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
	}
	return c
}

type serverNameKey struct{}

// dialTLS takes any certificate: the files by which proxies check it are on their hosts, and
// nothing secret is said. It shows none of its own.
func (c *checker) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	name, _ := ctx.Value(serverNameKey{}).(string)
	if name == "" {
		name, _, _ = net.SplitHostPort(address) // which was joined just now
	}
	d := tls.Dialer{NetDialer: &c.dialer, Config: &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}}
	return d.DialContext(ctx, network, address)
}

func (c *checker) close() { c.transport.CloseIdleConnections() }

// check returns nil if the backend is alive, or a sentence that says what it met. ctx
// bounds how long it takes.
func (c *checker) check(ctx context.Context, address string, h config.Health) error {
	begun := time.Now()
	var err error
	switch h.Type {
	case config.HealthNone:
	case config.HealthHTTP:
		err = c.get(ctx, address, h)
	default:
		err = c.connect(ctx, address)
	}
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("its %s check had no answer after %v: %w",
			h.Type, time.Since(begun).Round(time.Millisecond), ctx.Err())
	}
	return err
}

func (c *checker) connect(ctx context.Context, address string) error {
	conn, err := c.dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("cannot connect: %w", plain(err))
	}
	if err := conn.Close(); err != nil {
		return fmt.Errorf("close the connection: %w", plain(err))
	}
	return nil
}

// get asks by the transport itself, which follows no redirect and keeps no cookie.
func (c *checker) get(ctx context.Context, address string, h config.Health) error {
	path := h.Path
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	scheme := "http://"
	if h.TLS {
		scheme, ctx = "https://", context.WithValue(ctx, serverNameKey{}, h.ServerName)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+address+path, nil)
	if err != nil {
		return fmt.Errorf("health check of path %s cannot be asked, correct the pool's health.path: %w", path, err)
	}
	request.Host = h.Host
	request.Header.Set("User-Agent", "fairlead-health")
	answer, err := c.transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("GET %s: %w", path, plain(err))
	}
	defer answer.Body.Close()
	// Read out of courtesy: some servers log a broken pipe otherwise. The head decides.
	_, _ = io.CopyN(io.Discard, answer.Body, maxBody)
	if answer.StatusCode < 200 || answer.StatusCode > 399 {
		return fmt.Errorf("GET %s answered %d %s", path, answer.StatusCode, http.StatusText(answer.StatusCode))
	}
	return nil
}

// plain drops the addresses and the system call that net puts before an error: who reads
// it knows the backend.
func plain(err error) error {
	var call *os.SyscallError
	if errors.As(err, &call) {
		return call.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
