package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// follow sends the request to the backend that a proxy's 307 names. The body can be sent.
func (x *exchange) follow(ctx context.Context, p Proxy, redirect *http.Response) (*http.Response, verdict, error) {
	discard(redirect)
	to, ticket, err := readRedirect(redirect.Header)
	if err != nil {
		return nil, settled, fmt.Errorf("%s answers 307 with a Fairlead-Ticket, but %w; use the same version of Fairlead everywhere",
			x.l.naming(p), err)
	}
	body, err := x.body.next()
	if err != nil {
		return nil, settled, fmt.Errorf("the request's GetBody: %w", err)
	}
	resp, s, err := x.c.send(x.toBackend(to, ticket, body))
	switch {
	case err != nil && s.unreached(ctx, err) && x.mayAskAnew():
		return nil, anew, nil
	case err != nil:
		return nil, settled, fmt.Errorf("listener %q: backend %s, to which %s leads: %w", x.l.name, to.Host, p.Name, err)
	case isForgotten(resp) && x.mayAskAnew():
		discard(resp)
		return nil, anew, nil
	}
	carryOver(resp.Header, redirect.Header)
	return resp, settled, nil
}

// toBackend returns the request as a backend gets it.
func (x *exchange) toBackend(to *url.URL, ticket string, body io.ReadCloser) *http.Request {
	out := x.req.Clone(x.req.Context())
	out.URL.Scheme, out.URL.Host, out.Host = to.Scheme, to.Host, ""
	out.Body = body
	if out.Header == nil {
		out.Header = http.Header{}
	}
	out.Header.Set(ticketField, ticket)
	return out
}

// readRedirect reads where a 307 leads, and the ticket. Of Location only scheme and host
// matter: path and query are those of the request.
func readRedirect(h http.Header) (*url.URL, string, error) {
	ticket := h.Get(ticketField)
	if err := checkTicket(ticket); err != nil {
		return nil, "", fmt.Errorf("the ticket %w", err)
	}
	to, err := url.Parse(h.Get("Location"))
	if err != nil {
		return nil, "", errors.New("its Location is no URL")
	}
	switch scheme := strings.ToLower(to.Scheme); {
	case scheme != "http" && scheme != "https":
		return nil, "", fmt.Errorf("its Location has scheme %.20q, not http or https", to.Scheme)
	case to.User != nil:
		return nil, "", errors.New("its Location has a user name")
	}
	if err := checkHost(to); err != nil {
		return nil, "", fmt.Errorf("its Location %w", err)
	}
	return to, ticket, nil
}
