package locate

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// choosePath is where the choice is asked for.
const choosePath = "/v1/proxies/choose"

const maxPath = 2048 // bytes, of the path that a redirect leads to

// choice is the answer in JSON.
type choice struct {
	Listener string   `json:"listener"`
	Protocol string   `json:"protocol"` // http or tcp
	Link     string   `json:"link"`     // proxied or direct
	Zone     string   `json:"zone"`     // of the client; empty: none
	TTL      int64    `json:"ttlMs"`
	Proxies  []chosen `json:"proxies"` // best first
}

type chosen struct {
	Name    string `json:"name"`
	Address string `json:"address"` // host:port
	Zone    string `json:"zone"`
}

type problem struct {
	Error string `json:"error"`
}

// Handler returns what answers GET /v1/proxies/choose, and other requests with an error.
func (l *Locator) Handler() http.Handler { return http.HandlerFunc(l.serveChoice) }

func (l *Locator) serveChoice(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	switch {
	case r.URL.Path != choosePath:
		fail(w, http.StatusNotFound, "There is nothing here; ask "+choosePath+"?listener=NAME.")
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		fail(w, http.StatusMethodNotAllowed, "Only GET and HEAD are answered here.")
		return
	}
	ask, err := l.readAsk(r)
	if err != nil {
		l.meters.chose(doorHTTP, resultBad)
		failWith(w, err)
		return
	}
	a, err := l.ask(doorHTTP, ask.query)
	if err != nil {
		failWith(w, err)
		return
	}
	if ask.redirect {
		to := "http://" + a.picks[0].at.text + ask.path
		h.Set("Location", to)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	send(w, http.StatusOK, a.choice(l.conf.TTL.Milliseconds()))
}

// webAsk is a request's question.
type webAsk struct {
	query
	redirect bool
	path     string // of the redirect
}

// readAsk reads a request. Errors are statuses.
func (l *Locator) readAsk(r *http.Request) (webAsk, error) {
	var a webAsk
	p, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return a, bad("The query cannot be read: " + err.Error() + ".")
	}
	for _, name := range []string{"listener", "client", "redirect", "path"} {
		if len(p[name]) > 1 {
			return a, bad("Say " + name + " only once.")
		}
	}
	from := remoteOf(r)
	a.query = query{
		listener: p.Get("listener"), client: from,
		exclude: slices.DeleteFunc(p["exclude"], func(s string) bool { return s == "" }),
	}
	if text := p.Get("client"); text != "" && from.IsLoopback() {
		if a.client, err = netip.ParseAddr(text); err != nil {
			return a, badClient(text)
		}
	}
	if err := l.readRedirect(&a, p); err != nil {
		return a, err
	}
	// A HEAD without redirect tells nobody where to go.
	a.count = (r.Method == http.MethodGet || a.redirect) && l.counted(from)
	return a, nil
}

func (l *Locator) readRedirect(a *webAsk, p url.Values) error {
	switch p.Get("redirect") {
	case "", "0":
		return nil
	case "1":
		a.redirect = true
	default:
		return bad("redirect is 1, or not there.")
	}
	if a.path = "/"; p.Has("path") {
		a.path = p.Get("path")
	}
	if !safePath(a.path) {
		return bad("path begins with one slash, and has only visible ASCII characters but no backslash; write others as %25 and their code.")
	}
	if info, ok := l.source.Listener(a.listener); ok && !info.HTTP {
		return bad("Only HTTP listeners can be redirected to; leave redirect out.")
	}
	return nil
}

// safePath tells whether a path leads to where it is put behind an address, whatever reads
// it: browsers take "//" and "/\" at the start for another host, and drop control
// characters before they look.
func safePath(p string) bool {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || len(p) > maxPath {
		return false
	}
	return !strings.ContainsFunc(p, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' })
}

func bad(sentence string) error { return status.Error(codes.InvalidArgument, sentence) }

func remoteOf(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

func (a answer) choice(ttl int64) choice {
	c := choice{Listener: a.info.Name, Protocol: "tcp", Link: "proxied", Zone: a.zone, TTL: max(ttl, 0)}
	if a.info.HTTP {
		c.Protocol = "http"
	}
	if a.info.Direct {
		c.Link = "direct"
	}
	for _, p := range a.picks {
		c.Proxies = append(c.Proxies, chosen{Name: p.name, Address: p.at.text, Zone: p.zone})
	}
	return c
}

// failWith answers with what a status means over HTTP.
func failWith(w http.ResponseWriter, err error) {
	code := http.StatusServiceUnavailable
	switch status.Code(err) {
	case codes.InvalidArgument:
		code = http.StatusBadRequest
	case codes.NotFound:
		code = http.StatusNotFound
	default:
		w.Header().Set("Retry-After", "1")
	}
	fail(w, code, status.Convert(err).Message())
}

func fail(w http.ResponseWriter, code int, sentence string) { send(w, code, problem{sentence}) }

func send(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // a client that left needs no answer
}
