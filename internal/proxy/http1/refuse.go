package http1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/http1/message"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// ReasonHeader is the field of every answer that the proxy makes itself: one word that
// says why.
const ReasonHeader = "Fairlead-Reason"

// refusal is an answer that the proxy makes itself. It never changes.
type refusal struct {
	status     int
	reason     string // for programs
	text       string // for people
	retryAfter time.Duration
	retry      bool // it makes sense to try again, after retryAfter or so
}

func (r *refusal) Error() string { return r.text }

var (
	noRoute       = &refusal{status: http.StatusNotFound, reason: "no_route", text: "no route leads from this host and path to a pool"}
	onlyGrants    = &refusal{status: http.StatusNotFound, reason: "only_grants", text: "this listener gives grants for direct links, and only that: POST /v1/grant"}
	onlyPost      = &refusal{status: http.StatusMethodNotAllowed, reason: "only_grants", text: "a grant is asked for with POST"}
	badBody       = &refusal{status: http.StatusBadRequest, reason: "bad_request", text: "the request's body broke off"}
	badAnswer     = &refusal{status: http.StatusBadGateway, reason: "backend_failed", text: "the backend's answer makes no sense"}
	brokeOff      = &refusal{status: http.StatusBadGateway, reason: "backend_failed", text: "the backend broke off before it answered"}
	backendLost   = &refusal{status: http.StatusBadGateway, reason: "backend_lost", text: "the backend was lost before it answered"}
	unreachable   = &refusal{status: http.StatusBadGateway, reason: "unreachable", text: "no backend could be reached"}
	headTimeout   = &refusal{status: http.StatusRequestTimeout, reason: "timeout", text: "the request's head took too long to come"}
	bodyTimeout   = &refusal{status: http.StatusRequestTimeout, reason: "timeout", text: "the request's body took too long to come"}
	answerTimeout = &refusal{status: http.StatusGatewayTimeout, reason: "timeout", text: "the backend took too long to answer"}
	timeLimit     = &refusal{status: http.StatusGatewayTimeout, reason: "time_limit", text: "the request ran as long as the pool allows"}
)

// refused returns what a controller's no comes to. 429 says that this client, or its
// pool's clients together, ask for too much; 503 that nobody could serve; 504 that the time
// which the request had is over, so that trying it again as it is makes no sense.
func refused(no *link.Refused) *refusal {
	r := &refusal{
		status: http.StatusServiceUnavailable, reason: no.Reason.String(), text: no.Reason.Text(),
		retryAfter: no.RetryAfter, retry: true,
	}
	switch no.Reason {
	case fleet.TooLate:
		r.status, r.retry = http.StatusGatewayTimeout, false
	case fleet.NoMatch, fleet.RetryBudget: // later it may be another matter, if the controller says when
		r.retry = no.RetryAfter > 0
	default:
		if no.Reason.Shed() {
			r.status = http.StatusTooManyRequests
		}
	}
	return r
}

// malformed returns the refusal of a request that makes no sense.
func malformed(err *message.Error) *refusal {
	r := &refusal{status: err.Status, reason: "bad_request", text: err.Text}
	if err == message.ErrConnect {
		r.reason = "no_connect"
	}
	return r
}

// refuseHead answers a request whose head could not be read. The connection ends.
func (x *exchange) refuseHead(err error) {
	x.reset()
	defer x.c.out.release()
	r, ok := err.(*refusal)
	if !ok {
		r = malformed(err.(*message.Error))
	}
	x.metrics = x.c.s.cfg.Metrics.of("")
	x.head = x.c.req.Is(http.MethodHead)
	x.keep = false
	x.refuse(r)
	x.metrics.ended(x)
}

// refuse answers the request itself. It returns whether the connection may go on.
func (x *exchange) refuse(r *refusal) bool {
	x.metrics.refuse(r.reason)
	if r == badBody || r == bodyTimeout {
		x.keep = false
	}
	body, kind := x.refusalBody(r)
	b := x.beginAnswer(r.status)
	b = append(append(append(b, ReasonHeader+": "...), r.reason...),
		"\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"...)
	if r.retry {
		b = append(b, "Retry-After: "...)
		b = append(strconv.AppendInt(b, seconds(r.retryAfter), 10), '\r', '\n')
	}
	if r.status == http.StatusMethodNotAllowed {
		allow := "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE"
		if r == onlyPost {
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
	x.c.main.set(inAnswer, x.c.s.cfg.Timeouts.Answer)
	err := x.c.out.flush()
	x.c.main.stop()
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

// refusalBody returns the body of a refusal, and its type.
func (x *exchange) refusalBody(r *refusal) (body []byte, kind string) {
	pool := ""
	if x.pool != nil {
		pool = string(x.pool.Name)
	}
	if x.json {
		b, err := json.Marshal(struct {
			Error  string `json:"error"`
			Reason string `json:"reason"`
			Pool   string `json:"pool,omitempty"`
		}{r.text, r.reason, pool})
		if err == nil { // strings always can
			return append(b, '\n'), "application/json"
		}
	}
	const text = "text/plain; charset=utf-8"
	if pool == "" {
		return fmt.Appendf(nil, "%s (%s)\n", r.text, r.reason), text
	}
	return fmt.Appendf(nil, "pool %q: %s (%s)\n", pool, r.text, r.reason), text
}

// hasJSON tells whether an Accept field names JSON.
func hasJSON(accept []byte) bool { return bytes.Contains(accept, []byte("application/json")) }

// seconds is for Retry-After: whole ones, rounded up, at least 1.
func seconds(d time.Duration) int64 {
	return max(1, int64((d+time.Second-1)/time.Second))
}
