package dash

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// policy lets the page load its own files and talk to its own server, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// guard puts the security headers on every answer, and refuses what another site's page
// could have sent.
func guard(next http.Handler) http.Handler {
	origins := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY") // for those who do not know frame-ancestors
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case overLoopback(r) && !namesLoopback(r.Host):
			fail(w, http.StatusForbidden, fmt.Sprintf("This server listens on loopback and does not answer to the host %q: "+
				"use localhost or 127.0.0.1.", r.Host))
		case origins.Check(r) != nil || fetchedElsewhere(r):
			fail(w, http.StatusForbidden, "The request comes from a page of another site, and was refused.")
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			next.ServeHTTP(w, r)
		}
	})
}

// overLoopback tells whether the request came in over loopback, or cannot tell. It looks
// at the connection and not at the listener: one that listens on every address is
// reachable over loopback too.
func overLoopback(r *http.Request) bool {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return !ok || isLocal(addr)
}

// isLocal tells whether only this host can reach addr.
func isLocal(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback() // others: a Unix socket, an in-memory network
}

// namesLoopback tells whether a Host header is localhost or a loopback address.
func namesLoopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.Unmap().IsLoopback()
}

// fetchedElsewhere tells whether a page of another site asks for the API. It could not
// read the answer, but it could take up the places of those who watch.
func fetchedElsewhere(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return strings.HasPrefix(r.URL.Path, "/api/") && (site == "cross-site" || site == "same-site")
}
