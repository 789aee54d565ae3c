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

// hello is what begins a connection of HTTP/2, as gRPC's are: a fixed text, and a frame of
// settings without any. The other side begins with a frame of settings too.
const (
	hello         = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	frameHeader   = 9
	settingsFrame = 4
)

var (
	errNoTLS   = errors.New("no answer in TLS")
	errHangsUp = errors.New("no answer in HTTP/2")
)

// probe says why no connection to an endpoint comes about; etcd's client only says that time
// is up. nil: one does.
func probe(ctx context.Context, endpoint string, conf *tls.Config) error {
	ctx, done := context.WithTimeout(ctx, opTime)
	defer done()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", endpoint)
	if err != nil {
		return err
	}
	defer func() { conn.Close() }()
	if until, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(until) // of no consequence; what follows fails too
	}
	if conf != nil {
		conf = conf.Clone()
		conf.NextProtos = []string{"h2"}
		if conf.ServerName, _, err = net.SplitHostPort(endpoint); err != nil {
			return err
		}
		secured := tls.Client(conn, conf)
		if err := secured.HandshakeContext(ctx); err != nil {
			return handshakeFailed(err)
		}
		conn = secured
	}
	if _, err := io.WriteString(conn, hello); err != nil {
		return err
	}
	answer := make([]byte, frameHeader)
	switch _, err := io.ReadFull(conn, answer); {
	case err != nil && strings.Contains(err.Error(), "remote error: tls:"): // it has looked at our certificate by now
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", errHangsUp, err)
	case answer[3] != settingsFrame:
		return fmt.Errorf("%w: it answers with %q", errHangsUp, answer)
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
		err := probe(ctx, e, conf)
		if err == nil {
			return nil
		}
		if why == nil || hopeless(err) {
			why = err
		}
	}
	return why
}
