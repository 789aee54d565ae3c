package h2

import (
	"net/http"
	"net/netip"
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

// client returns who the request is from, and whether its peer is trusted to say so. It is
// not valid where that is no address.
func (x *exchange) client() (from netip.AddrPort, vouched bool) {
	peer, err := netip.ParseAddrPort(x.req.RemoteAddr)
	if err != nil {
		return peer, false
	}
	peer = netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())
	if x.serving.cfg.Trusted == nil {
		return peer, false
	}
	trusted := x.serving.cfg.Trusted()
	if !trusted.Has(peer.Addr()) {
		return peer, false
	}
	return trusted.Client(peer, x.req.Header["X-Forwarded-For"]), true
}

// about says what the request is, for its backend and for who decides.
func (x *exchange) about() *fleet.About {
	r := x.req
	client := r.RemoteAddr
	if from, _ := x.client(); from.IsValid() {
		client = from.Addr().String()
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
