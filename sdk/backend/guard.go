package backend

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/ticket"
)

const (
	// TicketHeader is the field of a request in which Guard looks for the ticket.
	TicketHeader = "Fairlead-Ticket"
	// TicketParam is the query parameter in which it looks else.
	TicketParam = "fairlead-ticket"

	reasonHeader = "Fairlead-Reason"
)

// Guard returns a handler that serves as next does, and lets in only requests that carry
// a ticket of the controller for this backend, each ticket once. It takes the ticket from
// the field TicketHeader, else from the query parameter TicketParam, and next sees the
// request without either. An answer to a request with a ticket in its URL begins with
// Referrer-Policy: no-referrer.
//
// Others get 401 without a ticket, 403 with a bad one and 503 while too many tickets are
// remembered, with the field Fairlead-Reason: ticket_REASON (see Refused) and a sentence.
// So leave paths that are asked for without a grant, such as a health check's, outside.
//
// Guard counts as Handler does; next needs no Handler of its own. With Config.Direct it
// also tells the controller when a grant's request has come, when next has returned, and
// how it went: as failed when next panicked or answered 502, 503 or 504, as cancelled when
// the client went away. What outlives next, such as a hijacked connection, is not
// counted. When the controller takes the grant back the request's context ends with the
// cause ErrRevoked.
//
// Before the first session with a controller there are no keys, and nobody is let in; while
// a controller is away its last keys are good. Safe for concurrent use, and with several
// handlers: a ticket let in by one is used up for all.
func (r *Reporter) Guard(next http.Handler) http.Handler {
	r.count.used.Store(true)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		text, inQuery, bare := withoutTicket(req)
		claims, err := r.tickets.Check(time.Now(), text)
		if err != nil {
			writeRefusal(w, r.refuse(req.RemoteAddr, err), err)
			return
		}
		if inQuery {
			w.Header().Set("Referrer-Policy", "no-referrer")
		}
		r.serveGrant(next, w, bare, claims.Grant)
	})
}

// serveGrant serves a request that was let in.
func (r *Reporter) serveGrant(next http.Handler, w http.ResponseWriter, req *http.Request, id fleet.GrantID) {
	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	run := &running{of: r.grants, id: id, since: time.Now(), end: func() { cancel(ErrRevoked) }}
	run.enter()
	r.serve(next, w, req.WithContext(ctx), func(rec *recorder, returned bool) {
		// A client that has the whole answer may leave before next has returned.
		gone := req.Context().Err() != nil
		served := gone && rec.complete(req.Method)
		how := outcomeOf(rec.status, returned || served, gone && !served)
		latency := time.Since(run.since)
		if !returned || how == fairleadv1.Outcome_OUTCOME_CANCELLED {
			latency = 0 // it tells nothing about the backend's speed
		}
		run.leave(how, latency)
	})
}

// outcomeOf says how a request went, as a proxy would.
func outcomeOf(status int, returned, gone bool) fairleadv1.Outcome {
	switch {
	case gone:
		return fairleadv1.Outcome_OUTCOME_CANCELLED
	case !returned, status == http.StatusBadGateway, status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		return fairleadv1.Outcome_OUTCOME_FAILED
	}
	return fairleadv1.Outcome_OUTCOME_OK
}

// writeRefusal answers a request that is not let in.
func writeRefusal(w http.ResponseWriter, reason ticket.Reason, err error) {
	status := http.StatusForbidden
	h := w.Header()
	switch reason {
	case ticket.Missing:
		status = http.StatusUnauthorized
		h.Set("WWW-Authenticate", TicketHeader) // RFC 9110 wants one
	case ticket.Full:
		status = http.StatusServiceUnavailable
	}
	h.Set(reasonHeader, "ticket_"+string(reason))
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, err.Error()+"\n") // nobody is told that the client does not listen
}

// withoutTicket returns the ticket, whether the URL had one, and a copy of the request
// without any. The field goes before the parameter, and the first of several before the
// others.
func withoutTicket(req *http.Request) (text string, inQuery bool, bare *http.Request) {
	bare = req.WithContext(req.Context())
	text = req.Header.Get(TicketHeader)
	if _, has := req.Header[TicketHeader]; has {
		bare.Header = req.Header.Clone()
		bare.Header.Del(TicketHeader)
	}
	value, inQuery, rest := cutParam(req.URL.RawQuery)
	if !inQuery {
		return text, false, bare
	}
	if text == "" {
		text = value
	}
	u := *req.URL
	u.RawQuery = rest
	bare.URL = &u
	bare.RequestURI, _, _ = strings.Cut(req.RequestURI, "?")
	if rest != "" {
		bare.RequestURI += "?" + rest
	}
	if req.Form != nil { // somebody before us has parsed it
		bare.Form = maps.Clone(req.Form)
		bare.Form.Del(TicketParam)
	}
	return text, true, bare
}

// cutParam removes TicketParam from a query, and leaves the rest as it is written.
func cutParam(query string) (value string, found bool, rest string) {
	var kept []string
	for part := range strings.SplitSeq(query, "&") {
		name, text, _ := strings.Cut(part, "=")
		if name, err := url.QueryUnescape(name); err != nil || name != TicketParam {
			kept = append(kept, part)
			continue
		}
		if !found {
			value, _ = url.QueryUnescape(text) // what is no ticket is refused as such
		}
		found = true
	}
	return value, found, strings.Join(kept, "&")
}
