package client

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// sending is one request on its way through the transport, and how far it came.
type sending struct {
	connected atomic.Bool // it had a connection; so something may have been sent
	answered  atomic.Bool // a first byte has come back
}

// send sends a request to a proxy or a backend. The error says how far it came.
func (c *Client) send(req *http.Request) (*http.Response, *sending, error) {
	s := &sending{}
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { s.connected.Store(true) },
		GotFirstResponseByte: func() { s.answered.Store(true) },
	})
	resp, err := c.through.RoundTrip(req.WithContext(ctx))
	return resp, s, err
}

// unreached tells whether a sending ended without a connection, so that the other end
// knows nothing of the request.
func (s *sending) unreached(ctx context.Context, err error) bool {
	var op *net.OpError
	return ctx.Err() == nil && !s.connected.Load() && errors.As(err, &op) && op.Op == "dial"
}

// brokeOff tells whether the connection broke before the first byte of an answer. Who
// gave up for lack of patience (a timeout of the transport's) cannot say so.
func (s *sending) brokeOff(ctx context.Context, err error) bool {
	var timeout net.Error
	return ctx.Err() == nil && s.connected.Load() && !s.answered.Load() &&
		!(errors.As(err, &timeout) && timeout.Timeout())
}

// isIdempotent tells whether it makes no difference if a request is done twice (RFC 9110,
// section 9.2.2, and what net/http takes for a promise of that).
func isIdempotent(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace,
		http.MethodPut, http.MethodDelete:
		return true
	}
	_, promised := req.Header["Idempotency-Key"]
	return promised
}
