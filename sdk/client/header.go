package client

import (
	"context"
	"net/http"
	"slices"
)

type headerKey struct{}

// WithHeader returns a context by which DialContext tells a pool with direct links what a
// connection is for: its class, whose it is, what it requires of a backend, in the header
// fields that the pool's config names (class_header, flow, affinity, labels_from). A
// connection through a proxy has no fields, and they are not sent. Those of an HTTP request
// are set in the request itself.
func WithHeader(ctx context.Context, fields http.Header) context.Context {
	return context.WithValue(ctx, headerKey{}, fields.Clone())
}

// headerOf returns the fields of a context, and those of a question for a grant.
func headerOf(ctx context.Context) http.Header {
	h := http.Header{}
	if fields, ok := ctx.Value(headerKey{}).(http.Header); ok && fields != nil {
		h = fields.Clone()
	}
	h.Set("Accept", "application/json")
	h.Set("User-Agent", "fairlead sdk/client (Go)")
	return h
}

// carryOver brings what a proxy said to the client into the answer of the backend to which
// it led: the cookie by which the next request comes to the same one, and whether this one
// did.
func carryOver(to, from http.Header) {
	for _, field := range []string{"Set-Cookie", "Fairlead-Affinity"} {
		if values := from[field]; len(values) > 0 {
			to[field] = slices.Concat(to[field], values)
		}
	}
}
