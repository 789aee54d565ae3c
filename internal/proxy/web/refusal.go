// Package web is what carriers of HTTP have in common, whatever its version: what they count,
// and the answers that they make themselves.
package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// ReasonHeader is the field of every answer that the proxy makes itself: one word that
// says why.
const ReasonHeader = "Fairlead-Reason"

// Refusal is an answer that the proxy makes itself. It never changes.
type Refusal struct {
	Status     int
	Reason     string // for programs
	Text       string // for people
	RetryAfter time.Duration
	Retry      bool // it makes sense to try again, after RetryAfter or so
}

// Error implements error.
func (r *Refusal) Error() string { return r.Text }

// What the proxy says of itself. Those of a controller's are made by Refused.
var (
	NoRoute       = &Refusal{Status: http.StatusNotFound, Reason: "no_route", Text: "no route leads from this host and path to a pool"}
	OnlyGrants    = &Refusal{Status: http.StatusNotFound, Reason: "only_grants", Text: "this listener gives grants for direct links, and only that: POST /v1/grant"}
	OnlyPost      = &Refusal{Status: http.StatusMethodNotAllowed, Reason: "only_grants", Text: "a grant is asked for with POST"}
	BadBody       = &Refusal{Status: http.StatusBadRequest, Reason: "bad_request", Text: "the request's body broke off"}
	BadAnswer     = &Refusal{Status: http.StatusBadGateway, Reason: "backend_failed", Text: "the backend's answer makes no sense"}
	BrokeOff      = &Refusal{Status: http.StatusBadGateway, Reason: "backend_failed", Text: "the backend broke off before it answered"}
	BackendLost   = &Refusal{Status: http.StatusBadGateway, Reason: "backend_lost", Text: "the backend was lost before it answered"}
	Unreachable   = &Refusal{Status: http.StatusBadGateway, Reason: "unreachable", Text: "no backend could be reached"}
	HeadTimeout   = &Refusal{Status: http.StatusRequestTimeout, Reason: "timeout", Text: "the request's head took too long to come"}
	BodyTimeout   = &Refusal{Status: http.StatusRequestTimeout, Reason: "timeout", Text: "the request's body took too long to come"}
	AnswerTimeout = &Refusal{Status: http.StatusGatewayTimeout, Reason: "timeout", Text: "the backend took too long to answer"}
	TimeLimit     = &Refusal{Status: http.StatusGatewayTimeout, Reason: "time_limit", Text: "the request ran as long as the pool allows"}
)

// Refused returns what a controller's no comes to. 429 says that this client, or its
// pool's clients together, ask for too much; 503 that nobody could serve; 504 that the time
// which the request had is over, so that trying it again as it is makes no sense.
func Refused(no *link.Refused) *Refusal {
	r := &Refusal{
		Status: http.StatusServiceUnavailable, Reason: no.Reason.String(), Text: no.Reason.Text(),
		RetryAfter: no.RetryAfter, Retry: true,
	}
	switch no.Reason {
	case fleet.TooLate:
		r.Status, r.Retry = http.StatusGatewayTimeout, false
	case fleet.NoMatch, fleet.RetryBudget: // later it may be another matter, if the controller says when
		r.Retry = no.RetryAfter > 0
	default:
		if no.Reason.Shed() {
			r.Status = http.StatusTooManyRequests
		}
	}
	return r
}

// NoController is the refusal for want of one.
func NoController(why error) *Refusal {
	return &Refusal{Status: http.StatusServiceUnavailable, Reason: "no_controller", Text: why.Error(), Retry: true}
}

// Internal is the refusal for a reason that nobody foresaw.
var Internal = &Refusal{Status: http.StatusServiceUnavailable, Reason: "internal", Text: "the proxy could not ask for a backend", Retry: true}

// Body returns the body of a refusal, and its type. pool may be empty.
func (r *Refusal) Body(pool fleet.PoolName, inJSON bool) (body []byte, kind string) {
	if inJSON {
		b, err := json.Marshal(struct {
			Error  string `json:"error"`
			Reason string `json:"reason"`
			Pool   string `json:"pool,omitempty"`
		}{r.Text, r.Reason, string(pool)})
		if err == nil { // strings always can
			return append(b, '\n'), "application/json"
		}
	}
	const text = "text/plain; charset=utf-8"
	if pool == "" {
		return fmt.Appendf(nil, "%s (%s)\n", r.Text, r.Reason), text
	}
	return fmt.Appendf(nil, "pool %q: %s (%s)\n", string(pool), r.Text, r.Reason), text
}

// RetrySeconds is for Retry-After: whole ones, rounded up, at least 1.
func (r *Refusal) RetrySeconds() int64 {
	return max(1, int64((r.RetryAfter+time.Second-1)/time.Second))
}
