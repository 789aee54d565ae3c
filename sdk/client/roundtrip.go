package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// RoundTripper returns what sends requests through the proxies of an HTTP listener, for
// the Transport of an http.Client. URLs have to begin with http://; their host becomes
// the Host field. The Request of an answer is the one that was given, wherever it went.
// The package comment tells when a request is sent again, and what becomes of the 307 of
// a direct link. Each call costs nothing; connections are the Client's.
func (c *Client) RoundTripper(listener string) http.RoundTripper {
	return &tripper{c: c, listener: listener}
}

type tripper struct {
	c        *Client
	listener string
}

// RoundTrip implements http.RoundTripper.
func (t *tripper) RoundTrip(req *http.Request) (*http.Response, error) {
	x := &exchange{c: t.c, req: req, body: source{req: req}}
	defer x.body.end()
	if req.URL == nil || !strings.EqualFold(req.URL.Scheme, "http") || req.URL.Host == "" && req.Host == "" {
		return nil, errors.New("client: the request's URL is not of the form http://host/path, which is what proxies speak; use an http URL")
	}
	l, err := t.c.listener(t.listener)
	if err != nil {
		return nil, err
	}
	x.l = l
	resp, err := x.run(req.Context())
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	resp.Request = req // where Location is relative to, for one
	return resp, nil
}

// CloseIdleConnections is what http.Client's method of this name calls.
func (t *tripper) CloseIdleConnections() { t.c.CloseIdleConnections() }

// exchange is one request, until it has an answer.
type exchange struct {
	c    *Client
	l    *listener
	req  *http.Request
	body source

	tried     []string // proxies that failed
	last      error    // of the latest of them
	regranted bool     // a second grant was asked for
}

// verdict says what becomes of an exchange after something was sent.
type verdict int

const (
	settled   verdict = iota // the answer, or the error, is the caller's
	elsewhere                // the proxy failed, and another one may have the request
	anew                     // the grant was of no use, and another one may be asked for
	here                     // the proxy takes the request itself
)

func (x *exchange) run(ctx context.Context) (*http.Response, error) {
	for {
		a, p, err := x.l.pick(ctx, x.tried)
		switch {
		case err != nil && x.last != nil:
			return nil, fmt.Errorf("%w; and no other proxy: %w", x.last, err)
		case err != nil:
			return nil, err
		case a.Protocol != HTTP:
			return nil, fmt.Errorf("listener %q speaks %s; use DialContext", x.l.name, a.Protocol)
		}
		resp, v, err := x.attempt(ctx, p)
		if v == settled {
			return resp, err
		}
	}
}

// attempt gives the request to one proxy, and follows it from there.
func (x *exchange) attempt(ctx context.Context, p Proxy) (*http.Response, verdict, error) {
	if x.body.single() {
		if resp, v, err := x.askFirst(ctx, p); v != here {
			return resp, v, err
		}
	}
	body, err := x.body.next()
	if err != nil {
		return nil, settled, fmt.Errorf("the request's GetBody: %w", err)
	}
	resp, s, err := x.c.send(x.toProxy(p, body))
	if err != nil {
		v, err := x.failed(ctx, p, s, err, isIdempotent(x.req))
		return nil, v, err
	}
	if !isTicketed(resp) {
		return resp, settled, nil
	}
	if !x.body.again() {
		discard(resp)
		return nil, settled, fmt.Errorf("%s sends the request on to a backend, but its body was read already and cannot be read again; "+
			"set the request's GetBody", x.l.naming(p))
	}
	return x.follow(ctx, p, resp)
}

// toProxy returns the request as a proxy gets it.
func (x *exchange) toProxy(p Proxy, body io.ReadCloser) *http.Request {
	out := x.req.Clone(x.req.Context())
	if out.Host == "" {
		out.Host = x.req.URL.Host
	}
	out.URL.Scheme, out.URL.Host, out.Body = "http", p.Address, body
	if x.body.single() {
		out.GetBody = nil
	}
	return out
}

// askFirst asks a proxy what it would do with a request whose body can be read only once.
// The package comment has the rule.
func (x *exchange) askFirst(ctx context.Context, p Proxy) (*http.Response, verdict, error) {
	ask := x.toProxy(p, http.NoBody)
	ask.Method, ask.ContentLength, ask.TransferEncoding, ask.Trailer = http.MethodOptions, 0, nil, nil
	for _, field := range []string{"Content-Length", "Transfer-Encoding", "Expect", "Trailer", "Upgrade", "Connection"} {
		ask.Header.Del(field)
	}
	ask.Header.Set(wantField, "grant")
	resp, s, err := x.c.send(ask)
	switch {
	case err != nil:
		v, err := x.failed(ctx, p, s, err, true)
		return nil, v, err
	case isTicketed(resp):
		return x.follow(ctx, p, resp)
	case resp.StatusCode >= 400 && resp.Header.Get(reasonField) != "":
		return resp, settled, nil
	}
	discard(resp)
	return nil, here, nil
}

// failed finds out whose fault an error is, and whether another proxy may have the
// request.
func (x *exchange) failed(ctx context.Context, p Proxy, s *sending, err error, repeatable bool) (verdict, error) {
	unreached := s.unreached(ctx, err)
	ours := !unreached && (!s.brokeOff(ctx, err) || x.body.once.broke())
	err = fmt.Errorf("%s: %w", x.l.naming(p), err)
	if ours {
		return settled, err
	}
	x.l.fail(p, err)
	x.tried, x.last = append(x.tried, p.Name), err
	if len(x.tried) > x.c.cfg.Retries || !unreached && !repeatable || !x.body.again() {
		return settled, err
	}
	return elsewhere, nil
}

// naming names a proxy in errors.
func (l *listener) naming(p Proxy) string {
	return fmt.Sprintf("listener %q: proxy %s (%s)", l.name, p.Name, p.Address)
}

// mayAskAnew tells whether another grant may be asked for, which then has to be done.
func (x *exchange) mayAskAnew() bool {
	if x.regranted || !x.body.again() {
		return false
	}
	x.regranted = true
	return true
}

// isTicketed tells whether a proxy leads a request to a backend.
func isTicketed(resp *http.Response) bool {
	return resp.StatusCode == http.StatusTemporaryRedirect && len(resp.Header[ticketField]) > 0
}

// isForgotten tells whether a backend has refused a ticket because the controller that
// made it is gone. A new one may do better.
func isForgotten(resp *http.Response) bool {
	return resp.StatusCode == http.StatusForbidden &&
		slices.Contains([]string{"ticket_epoch", "ticket_unknown_key"}, resp.Header.Get(reasonField))
}
