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
// one hop only, and what was said of X-Forwarded-* and Forwarded, which is put back if it comes
// from a trusted network: else those are claims that nobody has checked. Host and query
// stay as the client sent them.
func rewrite(p *httputil.ProxyRequest) {
	p.SetXForwarded()
	if w, ok := p.In.Context().Value(waiterKey{}).(*waiter); ok && w.secure {
		p.Out.Header.Set("X-Forwarded-Proto", "https")
	}
	p.Out.Header.Set("Forwarded", element(p))
	if _, vouched := exchangeOf(p.In.Context()).client(); vouched {
		keepSaid(p)
	}
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

// keepSaid puts back what a trusted peer said of who the client is.
func keepSaid(p *httputil.ProxyRequest) {
	for _, name := range []string{"X-Forwarded-For", "Forwarded"} {
		var all []string
		for _, v := range p.In.Header[name] {
			if v != "" {
				all = append(all, v)
			}
		}
		p.Out.Header.Set(name, strings.Join(append(all, p.Out.Header.Get(name)), ", "))
	}
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto"} {
		if said := p.In.Header[name]; len(said) > 0 {
			p.Out.Header[name] = said
		}
	}
}

func addVia(h http.Header) {
	if had := h["Via"]; len(had) > 0 {
		h["Via"] = []string{strings.Join(had, ", ") + ", " + via}
		return
	}
	h["Via"] = []string{via}
}

// element says who the other side is (RFC 7239).
func element(p *httputil.ProxyRequest) string {
	who := p.Out.Header.Get("X-Forwarded-For")
	if strings.Contains(who, ":") {
		who = `"[` + who + `]"`
	}
	return "for=" + who + `;host="` + p.In.Host + `";proto=` + p.Out.Header.Get("X-Forwarded-Proto")
}
