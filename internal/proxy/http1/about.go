package http1

import (
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// request is what the exchange asks for.
func (x *exchange) request() link.Request {
	r := link.Request{Pool: x.pool}
	if x.pool.About {
		r.About = about(x.req)
	}
	return r
}

// about says what a request is, for its backend and for the choice of a zone.
func about(r *http.Request) *fleet.About {
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		client = r.RemoteAddr
	}
	return &fleet.About{
		Client: client, Method: r.Method, Host: r.Host, Path: r.URL.EscapedPath(),
		Class: fleet.Normal, Flow: client, Deadline: deadline(r.Header),
	}
}

// deadline returns for how long a client says that it waits: as gRPC says it, or as Envoy
// does. 0: it does not say.
func deadline(h http.Header) time.Duration {
	if s := h.Get("Grpc-Timeout"); len(s) >= 2 && len(s) <= 9 {
		unit := map[byte]time.Duration{
			'H': time.Hour, 'M': time.Minute, 'S': time.Second,
			'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond,
		}[s[len(s)-1]]
		if n, err := strconv.ParseUint(s[:len(s)-1], 10, 31); err == nil {
			return bounded(float64(n) * float64(unit))
		}
	}
	if n, err := strconv.ParseUint(h.Get("X-Envoy-Expected-Rq-Timeout-Ms"), 10, 31); err == nil {
		return bounded(float64(n) * float64(time.Millisecond))
	}
	return 0
}

// bounded keeps a client's wish within a day.
func bounded(d float64) time.Duration { return time.Duration(min(d, float64(24*time.Hour))) }
