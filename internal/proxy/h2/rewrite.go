package h2

import (
	"net/http"
	"net/http/httputil"
	"strings"

	"github.com/fairlead/fairlead/internal/proxy/web"
)

// via is this proxy's name in Via. It is the same for all, so that it tells nothing.
const via = "1.1 fairlead"

// rewrite makes the request that a backend gets. ReverseProxy has taken off what is for
// one hop only, and what the client said of X-Forwarded-* and Forwarded: Fairlead
// stands at the edge, so those would be claims that nobody has checked. Host and query
// stay as the client sent them.
func rewrite(p *httputil.ProxyRequest) {
	p.SetXForwarded()
	if w, ok := p.In.Context().Value(waiterKey{}).(*waiter); ok && w.secure {
		p.Out.Header.Set("X-Forwarded-Proto", "https")
	}
	p.Out.Header.Set("Forwarded", forwarded(p))
	p.Out.URL.Scheme = "http"
	p.Out.URL.RawQuery = p.In.URL.RawQuery
	p.Out.Trailer = p.In.Trailer // net/http fills that map when the body has ended
	addVia(p.Out.Header)
	p.Out.Header.Del(web.TicketHeader) // only a proxy says it
	// HTTP/2 over an upgraded connection would bring many requests on one grant.
	if u := p.Out.Header.Get("Upgrade"); strings.Contains(strings.ToLower(u), "h2c") {
		p.Out.Header.Del("Upgrade")
		p.Out.Header.Del("Connection")
		p.Out.Header.Del("Http2-Settings")
	}
}

func addVia(h http.Header) {
	if had := h["Via"]; len(had) > 0 {
		h["Via"] = []string{strings.Join(had, ", ") + ", " + via}
		return
	}
	h["Via"] = []string{via}
}

// forwarded says who the client is (RFC 7239).
func forwarded(p *httputil.ProxyRequest) string {
	who := p.Out.Header.Get("X-Forwarded-For")
	if strings.Contains(who, ":") {
		who = `"[` + who + `]"`
	}
	return "for=" + who + `;host="` + p.In.Host + `";proto=` + p.Out.Header.Get("X-Forwarded-Proto")
}
