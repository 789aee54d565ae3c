package http1

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/http1/message"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// malformed returns the refusal of a request that makes no sense.
func malformed(err *message.Error) *web.Refusal {
	r := &web.Refusal{Status: err.Status, Reason: "bad_request", Text: err.Text}
	if err == message.ErrConnect {
		r.Reason = "no_connect"
	}
	return r
}

// refuseHead answers a request whose head could not be read. The connection ends.
func (x *exchange) refuseHead(err error) {
	x.reset()
	defer x.c.out.release()
	r, ok := err.(*web.Refusal)
	if !ok {
		r = malformed(err.(*message.Error))
	}
	x.metrics = x.c.s.cfg.Metrics.Of("")
	x.head = x.c.req.Is(http.MethodHead)
	x.keep = false
	x.refuse(r)
	x.metrics.Ended(x.code, x.started, x.tunneled)
	x.log()
}

// refuse answers the request itself. It returns whether the connection may go on.
func (x *exchange) refuse(r *web.Refusal) bool {
	x.metrics.Refuse(r.Reason)
	x.noteRefusal(r)
	if r == web.BadBody || r == web.BodyTimeout {
		x.keep = false
	}
	if x.speaksGRPC() {
		return x.refuseGRPC(r)
	}
	body, kind := r.Body(x.poolName(), x.json)
	b := x.beginAnswer(r.Status)
	b = append(append(append(b, web.ReasonHeader+": "...), r.Reason...),
		"\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"...)
	if r.Retry {
		b = append(b, "Retry-After: "...)
		b = append(strconv.AppendInt(b, r.RetrySeconds(), 10), '\r', '\n')
	}
	if r.Status == http.StatusMethodNotAllowed {
		allow := "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE"
		if r == web.OnlyPost {
			allow = http.MethodPost
		}
		b = append(append(append(b, "Allow: "...), allow...), '\r', '\n')
	}
	return x.endAnswer(b, kind, body)
}

// beginAnswer begins an answer of the proxy's own.
func (x *exchange) beginAnswer(status int) []byte {
	x.code = status
	x.c.out.begin()
	b := append(x.c.out.b[:0], "HTTP/1.1 "...)
	b = append(strconv.AppendInt(b, int64(status), 10), ' ')
	b = append(append(b, http.StatusText(status)...), "\r\nDate: "...)
	return append(append(b, *x.c.s.date.Load()...), '\r', '\n')
}

// endAnswer sends it, with a body that may be empty.
func (x *exchange) endAnswer(b []byte, kind string, body []byte) bool {
	x.skipBody()
	if kind != "" {
		b = append(append(append(b, "Content-Type: "...), kind...), '\r', '\n')
	}
	if x.code != http.StatusNoContent {
		b = append(b, "Content-Length: "...)
		b = append(strconv.AppendInt(b, int64(len(body)), 10), '\r', '\n')
	}
	b = append(x.connection(b), '\r', '\n')
	if !x.head {
		b = append(b, body...)
	}
	x.c.out.b = b
	x.c.out.finish(nil)
	x.c.main.set(inAnswer, x.c.limits.Answer)
	err := x.c.out.flush()
	x.c.main.stop()
	x.whole, x.sent = err == nil, int64(len(body))
	if err == nil && !x.keep {
		x.c.linger()
	}
	return err == nil && x.keep
}

// skipBody reads over a body that came with its head. Where there is more, the connection
// cannot be used again: the rest could be taken for a request.
func (x *exchange) skipBody() {
	for !x.body.done && x.keep {
		p, err := x.body.next()
		if err != nil || p == nil && !x.body.done {
			x.keep = false
		}
	}
	if x.c.s.leaving.Load() {
		x.keep = false
	}
}

// hasJSON tells whether an Accept field names JSON.
func hasJSON(accept []byte) bool { return bytes.Contains(accept, []byte("application/json")) }

// poolName returns the pool's name; empty: none was found.
func (x *exchange) poolName() fleet.PoolName {
	if x.pool == nil {
		return ""
	}
	return x.pool.Name
}
