package h2

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// What the proxy says of requests that only it can judge.
var (
	noConnect  = &web.Refusal{Status: http.StatusMethodNotAllowed, Reason: "no_connect", Text: "this proxy makes no tunnels (CONNECT)"}
	badUpgrade = &web.Refusal{Status: http.StatusBadRequest, Reason: "bad_request", Text: "the request's Upgrade field is malformed"}
)

// handleError is the ReverseProxy's ErrorHandler.
func handleError(w http.ResponseWriter, _ *http.Request, err error) {
	x := w.(*exchange)
	var r *web.Refusal
	switch {
	case x.hijacked: // too late for an answer
	case errors.As(err, &r):
		x.refuse(r)
	case errors.Is(err, errClientGone):
		panic(http.ErrAbortHandler) // a mere return would be an empty 200
	case x.current == nil: // an error of the ReverseProxy's, before it asked
		x.refuse(badUpgrade)
	default:
		x.refuse(web.BadAnswer)
	}
}

// refuse answers the request.
func (x *exchange) refuse(r *web.Refusal) {
	x.metrics.Refuse(r.Reason)
	x.refused = r
	h := x.Header()
	clear(h)
	h.Set(web.ReasonHeader, r.Reason)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if r.Retry {
		h.Set("Retry-After", strconv.FormatInt(r.RetrySeconds(), 10))
	}
	if r == noConnect {
		h.Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE")
	}
	x.closeIfNeeded()
	if x.refuseGRPC(r) {
		return
	}
	body, kind := r.Body(x.poolName(), strings.Contains(x.req.Header.Get("Accept"), "application/json"))
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.WriteHeader(r.Status)
	_, _ = x.Write(body) // nobody is told that the client does not listen
}

// poolName returns the pool's name; empty: none was found.
func (x *exchange) poolName() fleet.PoolName {
	if x.pool == nil {
		return ""
	}
	return x.pool.Name
}

// refuseGRPC answers a gRPC client as its protocol has it: 200, with the status in a field.
func (x *exchange) refuseGRPC(r *web.Refusal) bool {
	if kind := x.req.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/grpc") {
		return false
	}
	h := x.Header()
	h.Set("Content-Type", "application/grpc")
	status, text := r.GRPC()
	h.Set("Grpc-Status", status)
	h.Set("Grpc-Message", text)
	x.WriteHeader(http.StatusOK)
	x.code = r.Status // which says more, to who counts
	return true
}
