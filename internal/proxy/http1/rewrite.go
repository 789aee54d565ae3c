package http1

import (
	"net/http"
	"strconv"

	"github.com/fairlead/fairlead/internal/proxy/http1/message"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// via is this proxy's name in Via. It is the same for all, so that it tells nothing.
const via = "1.1 fairlead"

// writeRequest makes the request that the backend gets. What was said of
// X-Forwarded-* and Forwarded is left out, unless it comes from a trusted network: those are
// claims that nobody has checked. Host and query stay as the client sent them.
func (x *exchange) writeRequest() {
	r := &x.c.req
	x.to.begin()
	b := append(append(x.to.b[:0], r.Method()...), ' ')
	target := r.Target()
	switch {
	case len(target) == 0 && r.Is(http.MethodOptions):
		b = append(b, '*')
	case len(target) == 0 || target[0] == '?':
		b = append(b, '/')
	}
	b = append(append(b, target...), " HTTP/1.1\r\nHost: "...)
	if host := r.Host(); len(host) > 0 {
		b = append(b, host...)
	} else {
		b = append(b, x.grant.Backend...) // an old client named none, and HTTP/1.1 has one
	}
	b = append(b, '\r', '\n')
	var via0 []byte
	for i := range r.Fields {
		f := &r.Fields[i]
		switch f.Known {
		case message.Host, message.TransferEncoding, message.TE, message.Expect, message.Upgrade, message.HTTP2Settings,
			message.XForwardedFor, message.XForwardedHost, message.XForwardedProto, message.Forwarded, message.Ticket:
			continue
		case message.Trailer:
			if !message.Announces(r.Value(f)) {
				continue
			}
		case message.Via:
			via0 = appendVia(via0, r.Value(f))
			continue
		}
		if !hopByHop(f) {
			b = appendField(b, r.Name(f), r.Value(f))
		}
	}
	b = x.framing(b)
	b = x.forwarded(b)
	b = append(append(append(b, "Via: "...), via0...), via+"\r\n"...)
	if x.grant.Ticket != "" {
		b = append(append(append(b, web.TicketHeader+": "...), x.grant.Ticket...), '\r', '\n')
	}
	b = append(b, '\r', '\n')
	x.to.b = append(b, x.early...)
}

// framing writes what is between this proxy and the backend only.
func (x *exchange) framing(b []byte) []byte {
	r := &x.c.req
	if x.chunks {
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	if r.Trailers {
		b = append(b, "TE: trailers\r\n"...)
	}
	if x.continues && !x.body.done && len(x.early) == 0 {
		b = append(b, "Expect: 100-continue\r\n"...)
	}
	if x.upgrade {
		b = append(b, "Connection: Upgrade\r\n"...)
		f := r.Get(message.Upgrade)
		b = appendField(b, r.Name(f), r.Value(f))
	}
	return b
}

func appendVia(b, value []byte) []byte { return append(append(b, value...), ", "...) }

// hopByHop tells whether a field is for one hop only.
func hopByHop(f *message.Field) bool {
	switch f.Known {
	case message.Connection, message.KeepAlive, message.ProxyConnection, message.ProxyAuthenticate,
		message.ProxyAuthorization:
		return true
	}
	return f.Dropped
}

func appendStatusLine(b []byte, r *message.Response) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(r.Status), 10)
	b = append(b, ' ')
	if reason := r.Reason(); len(reason) > 0 {
		b = append(b, reason...)
	} else {
		b = append(b, http.StatusText(r.Status)...)
	}
	return append(b, '\r', '\n')
}

// appendFields writes the fields of an answer that are for the client.
func appendFields(b []byte, h *message.Head) []byte {
	for i := range h.Fields {
		f := &h.Fields[i]
		switch f.Known {
		case message.TransferEncoding, message.Via, message.Upgrade, message.LoadMetrics, message.LoadMetricsBin, message.Affinity, message.Reason:
			continue
		case message.Trailer:
			if !message.Announces(h.Value(f)) {
				continue
			}
		}
		if !hopByHop(f) {
			b = appendField(b, h.Name(f), h.Value(f))
		}
	}
	return b
}
