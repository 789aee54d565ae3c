package http1

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/classify"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// request is what the exchange asks for.
func (x *exchange) request() link.Request {
	r := link.Request{Pool: x.pool}
	if x.pool.About {
		r.About = x.about()
	}
	return r
}

// about says what the request is, for its backend and for who decides.
func (x *exchange) about() *fleet.About {
	r := x.req
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		client = r.RemoteAddr
	}
	a := &fleet.About{
		Client: client, Method: r.Method, Host: r.Host, Path: r.URL.EscapedPath(), Deadline: deadline(r.Header),
	}
	said := x.pool.Classify.HTTP(r, a)
	x.cookie = said.Cookie
	x.serving.cfg.Classified.Missed(x.pool.Name, said.Defaults)
	return a
}

// AffinityHeader: moved. The backend that the request's affinity names was not free, so
// another one has served it.
const AffinityHeader = "Fairlead-Affinity"

// stick tells the client, in the head of an answer, what its affinity has come to.
func (x *exchange) stick(h http.Header, g *link.Grant) {
	if !x.pool.About {
		return
	}
	delete(h, AffinityHeader) // only a proxy says it
	if g.Moved {
		h.Set(AffinityHeader, "moved")
	}
	if x.cookie != "" && !classify.SetsCookie(h, x.cookie) && !shared(h) {
		h.Add("Set-Cookie", x.cookie)
	}
}

// shared tells whether a cache may give an answer to other clients too, with the cookie of
// the first.
func shared(h http.Header) bool {
	for _, line := range h["Cache-Control"] {
		if line = strings.ToLower(line); strings.Contains(line, "public") || strings.Contains(line, "s-maxage") {
			return true
		}
	}
	return false
}

// moved counts a grant that is not on the backend that the request had before.
func (x *exchange) moved(g *link.Grant) {
	if g.Moved {
		x.serving.cfg.Classified.Moved(x.pool.Name)
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
