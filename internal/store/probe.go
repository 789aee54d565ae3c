package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// protocol is what two sides say first to each other.
type protocol struct {
	name  string
	alpn  []string
	hello string
	fits  func(answer []byte) bool // the first nine bytes
}

var (
	// As gRPC's: a fixed text, and a frame of settings without any. So begins the answer, too.
	http2 = protocol{"HTTP/2", []string{"h2"}, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
		func(answer []byte) bool { return answer[3] == 4 }}
	// As between stores.
	http1 = protocol{"HTTP", nil, "GET /version HTTP/1.1\r\nHost: store\r\nConnection: close\r\n\r\n",
		func(answer []byte) bool { return strings.HasPrefix(string(answer), "HTTP/1.") }}
)

var (
	errNoTLS   = errors.New("no answer in TLS")
	errHangsUp = errors.New("no answer")
)

// probe says why no connection to an address comes about; etcd only says that time is up.
// nil: one does.
func probe(ctx context.Context, address string, conf *tls.Config, p protocol) error {
	ctx, done := context.WithTimeout(ctx, probeTime)
	defer done()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer func() { conn.Close() }()
	if until, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(until) // of no consequence; what follows fails too
	}
	if conf != nil {
		conf = conf.Clone()
		conf.NextProtos = p.alpn
		if conf.ServerName, _, err = net.SplitHostPort(address); err != nil {
			return err
		}
		secured := tls.Client(conn, conf)
		if err := secured.HandshakeContext(ctx); err != nil {
			return handshakeFailed(err)
		}
		conn = secured
	}
	if _, err := io.WriteString(conn, p.hello); err != nil {
		return err
	}
	answer := make([]byte, 9)
	switch _, err := io.ReadFull(conn, answer); {
	case err != nil && strings.Contains(err.Error(), "remote error: tls:"): // it has looked at our certificate by now
		return err
	case err != nil:
		return fmt.Errorf("%w in %s: %w", errHangsUp, p.name, err)
	case !p.fits(answer):
		return fmt.Errorf("%w in %s: it says %q", errHangsUp, p.name, answer)
	}
	return nil
}

// handshakeFailed tells one that speaks no TLS from one that says no.
func handshakeFailed(err error) error {
	var plain tls.RecordHeaderError
	if errors.As(err, &plain) || errors.Is(err, io.EOF) || strings.Contains(err.Error(), "reset by peer") {
		return fmt.Errorf("%w: %w", errNoTLS, err)
	}
	return err
}

// probeAll returns why no connection to any endpoint comes about; nil: to one it does.
func probeAll(ctx context.Context, endpoints []string, conf *tls.Config) error {
	var why error
	for _, e := range endpoints {
		err := probe(ctx, e, conf, http2)
		if err == nil {
			return nil
		}
		if why == nil || hopeless(err) {
			why = err
		}
	}
	return why
}
