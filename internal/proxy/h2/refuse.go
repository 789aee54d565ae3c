package h2

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/web"
	"google.golang.org/grpc/codes"
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

// refuseGRPC answers as gRPC has it: 200, with the status in a field. Clients would make
// something of an HTTP status too, but could not tell that a retry makes sense.
func (x *exchange) refuseGRPC(r *web.Refusal) bool {
	if kind := x.req.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/grpc") {
		return false
	}
	status := codes.Unavailable
	switch r.Status {
	case http.StatusTooManyRequests:
		status = codes.ResourceExhausted
	case http.StatusGatewayTimeout:
		status = codes.DeadlineExceeded
	case http.StatusNotFound:
		status = codes.Unimplemented
	case http.StatusBadRequest:
		status = codes.Internal
	}
	h := x.Header()
	h.Set("Content-Type", "application/grpc")
	h.Set("Grpc-Status", strconv.Itoa(int(status)))
	h.Set("Grpc-Message", grpcMessage(r.Text))
	x.WriteHeader(http.StatusOK)
	x.code = r.Status // which says more, to who counts
	return true
}

// grpcMessage encodes a text as gRPC has it in a field.
func grpcMessage(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
