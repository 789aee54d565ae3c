package http1

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
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
	noConnect   = &refusal{status: http.StatusMethodNotAllowed, reason: "no_connect", text: "this proxy makes no tunnels (CONNECT)"}
	noRoute     = &refusal{status: http.StatusNotFound, reason: "no_route", text: "no route leads from this host and path to a pool"}
	onlyGrants  = &refusal{status: http.StatusNotFound, reason: "only_grants", text: "this listener gives grants for direct links, and only that: POST /v1/grant"}
	onlyPost    = &refusal{status: http.StatusMethodNotAllowed, reason: "only_grants", text: "a grant is asked for with POST"}
	badUpgrade  = &refusal{status: http.StatusBadRequest, reason: "bad_request", text: "the request's Upgrade field is malformed"}
	badBody     = &refusal{status: http.StatusBadRequest, reason: "bad_request", text: "the request's body broke off"}
	badAnswer   = &refusal{status: http.StatusBadGateway, reason: "backend_failed", text: "the backend's answer makes no sense"}
	brokeOff    = &refusal{status: http.StatusBadGateway, reason: "backend_failed", text: "the backend broke off before it answered"}
	backendLost = &refusal{status: http.StatusBadGateway, reason: "backend_lost", text: "the backend was lost before it answered"}
	unreachable = &refusal{status: http.StatusBadGateway, reason: "unreachable", text: "no backend could be reached"}
	timeLimit   = &refusal{status: http.StatusGatewayTimeout, reason: "time_limit", text: "the request ran as long as the pool allows"}
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

// handleError is the ReverseProxy's ErrorHandler.
func handleError(w http.ResponseWriter, _ *http.Request, err error) {
	x := w.(*exchange)
	var r *refusal
	switch {
	case x.hijacked: // too late for an answer
	case errors.As(err, &r):
		x.refuse(r)
	case errors.Is(err, errClientGone):
		panic(http.ErrAbortHandler) // a mere return would be an empty 200
	case x.current == nil: // an error of the ReverseProxy's, before it asked
		x.refuse(badUpgrade)
	default:
		x.refuse(badAnswer)
	}
}

// refuse answers the request.
func (x *exchange) refuse(r *refusal) {
	x.metrics.refuse(r.reason)
	h := x.Header()
	clear(h)
	h.Set(ReasonHeader, r.reason)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if r.retry {
		h.Set("Retry-After", strconv.FormatInt(seconds(r.retryAfter), 10))
	}
	if r == noConnect {
		h.Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE")
	}
	x.closeIfNeeded()
	body := x.refusalBody(r)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.WriteHeader(r.status)
	_, _ = x.Write(body) // nobody is told that the client does not listen
}

// refusalBody sets the Content-Type, and returns the body that goes with it.
func (x *exchange) refusalBody(r *refusal) []byte {
	pool := ""
	if x.pool != nil {
		pool = string(x.pool.Name)
	}
	if strings.Contains(x.req.Header.Get("Accept"), "application/json") {
		x.Header().Set("Content-Type", "application/json")
		b, err := json.Marshal(struct {
			Error  string `json:"error"`
			Reason string `json:"reason"`
			Pool   string `json:"pool,omitempty"`
		}{r.text, r.reason, pool})
		if err == nil { // strings always can
			return append(b, '\n')
		}
	}
	x.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if pool == "" {
		return fmt.Appendf(nil, "%s (%s)\n", r.text, r.reason)
	}
	return fmt.Appendf(nil, "pool %q: %s (%s)\n", pool, r.text, r.reason)
}

// seconds is for Retry-After: whole ones, rounded up, at least 1.
func seconds(d time.Duration) int64 {
	return max(1, int64((d+time.Second-1)/time.Second))
}
