package h2

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// wantsGrant answers a client that asks how its request will be served.
func (x *exchange) wantsGrant() bool {
	if x.pool.Direct || !strings.EqualFold(x.req.Header.Get(web.WantHeader), "grant") {
		return false
	}
	h := x.Header()
	h.Set("Cache-Control", "no-store")
	x.WriteHeader(http.StatusNoContent)
	return true
}

// askDirect returns a grant for the client itself, or answers why there is none.
func (x *exchange) askDirect() *link.Grant {
	g, err := x.serving.cfg.Granter.Ask(x.ctx, x.request())
	if err != nil {
		handleError(x, x.req, x.notGranted(err))
		return nil
	}
	x.moved(g)
	if x.ctx.Err() != nil {
		g.Done(link.Result{Outcome: fleet.Unused})
		panic(http.ErrAbortHandler) // nobody listens
	}
	return g
}

// sendOn answers with where to go: to the granted backend, with the ticket for it.
func (x *exchange) sendOn() {
	g := x.askDirect()
	if g == nil {
		return
	}
	at := g.Public
	if !strings.Contains(at, "://") {
		at = "http://" + at
	}
	target := x.req.RequestURI
	if !strings.HasPrefix(target, "/") { // absolute form
		target = x.req.URL.RequestURI()
	}
	sep := "?"
	if strings.Contains(target, "?") {
		sep = "&"
	}
	h := x.Header()
	h.Set("Location", at+target+sep+web.TicketParam+"="+g.Ticket)
	h.Set("Referrer-Policy", "no-referrer") // the ticket is for the backend alone
	x.direct(g, http.StatusTemporaryRedirect, nil)
}

// giveGrant answers POST /v1/grant.
func (x *exchange) giveGrant() {
	switch {
	case x.req.URL.Path != web.GrantPath:
		x.refuse(web.OnlyGrants)
		return
	case x.req.Method != http.MethodPost:
		x.Header().Set("Allow", http.MethodPost)
		x.refuse(web.OnlyPost)
		return
	}
	g := x.askDirect()
	if g == nil {
		return
	}
	body, err := json.Marshal(web.Grant{
		Backend: string(g.Backend), Public: g.Public, Grant: g.ID.String(), Ticket: g.Ticket, ExpiresMs: g.Life.Milliseconds(),
	})
	if err != nil { // strings always can
		g.Done(link.Result{Outcome: fleet.Unused})
		x.refuse(web.BadAnswer)
		return
	}
	x.Header().Set("Content-Type", "application/json")
	x.direct(g, http.StatusOK, append(body, '\n'))
}

// direct answers with a grant. If that cannot be written, the grant is given back.
func (x *exchange) direct(g *link.Grant, code int, body []byte) {
	h := x.Header()
	h.Set(web.TicketHeader, g.Ticket)
	h.Set(web.GrantHeader, g.ID.String())
	x.stick(h, g)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.WriteHeader(code)
	_, err := x.Write(body)
	if err == nil {
		err = http.NewResponseController(x.ResponseWriter).Flush()
	}
	how := fleet.OK
	if err != nil {
		how = fleet.Unused
	}
	g.Done(link.Result{Outcome: how})
}
