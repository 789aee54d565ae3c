package h2

import (
	"net"
	"net/http"
	"strings"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/classify"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/web"
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
		Client: client, Method: r.Method, Host: r.Host, Path: r.URL.EscapedPath(), Deadline: web.Deadline(r.Header),
	}
	said := x.pool.Classify.HTTP(r, a)
	x.cookie = said.Cookie
	x.serving.cfg.Classified.Missed(x.pool.Name, said.Defaults)
	return a
}

// stick tells the client, in the head of an answer, what its affinity has come to.
func (x *exchange) stick(h http.Header, g *link.Grant) {
	if !x.pool.About {
		return
	}
	delete(h, web.AffinityHeader) // only a proxy says it
	if g.Moved {
		h.Set(web.AffinityHeader, "moved")
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
