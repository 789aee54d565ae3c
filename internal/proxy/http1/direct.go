package http1

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/http1/message"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// wantsGrant tells whether a client asks how its request will be served.
func (x *exchange) wantsGrant() bool {
	f := x.c.req.Find(web.WantHeader)
	return f != nil && message.EqualFold(x.c.req.Value(f), "grant")
}

// noContent says that the request is to be sent here.
func (x *exchange) noContent() bool {
	return x.endAnswer(append(x.beginAnswer(http.StatusNoContent), "Cache-Control: no-store\r\n"...), "", nil)
}

// askDirect returns a grant for the client itself; nil: it was answered why there is none,
// and again tells whether the connection may go on.
func (x *exchange) askDirect() (g *link.Grant, again bool) {
	g, err := x.c.s.cfg.Granter.Ask(x.c.ctx, x.request())
	if err != nil {
		return nil, x.notGranted(err)
	}
	x.moved(g)
	if x.c.ctx.Err() != nil {
		g.Done(link.Result{Outcome: fleet.Unused})
		return nil, false // nobody listens
	}
	return g, true
}

// sendOn answers with where to go: to the granted backend, with the ticket for it.
func (x *exchange) sendOn() bool {
	g, again := x.askDirect()
	if g == nil {
		return again
	}
	at := g.Public
	if !strings.Contains(at, "://") {
		at = "http://" + at
	}
	target := string(x.c.req.Target())
	if target == "" || target[0] == '?' {
		target = "/" + target
	}
	sep := "?"
	if strings.Contains(target, "?") {
		sep = "&"
	}
	b := x.beginAnswer(http.StatusTemporaryRedirect)
	b = append(b, "Location: "+at+target+sep+web.TicketParam+"="+g.Ticket+"\r\n"...)
	b = append(b, "Referrer-Policy: no-referrer\r\n"...) // the ticket is for the backend alone
	return x.direct(g, b, "", nil)
}

// giveGrant answers POST /v1/grant.
func (x *exchange) giveGrant() bool {
	switch {
	case string(x.c.req.Path()) != web.GrantPath:
		return x.refuse(web.OnlyGrants)
	case !x.c.req.Is(http.MethodPost):
		return x.refuse(web.OnlyPost)
	}
	g, again := x.askDirect()
	if g == nil {
		return again
	}
	body, err := json.Marshal(web.Grant{
		Backend: string(g.Backend), Public: g.Public, Grant: g.ID.String(), Ticket: g.Ticket, ExpiresMs: g.Life.Milliseconds(),
	})
	if err != nil { // strings always can
		g.Done(link.Result{Outcome: fleet.Unused})
		return x.refuse(web.BadAnswer)
	}
	return x.direct(g, x.beginAnswer(http.StatusOK), "application/json", append(body, '\n'))
}

// direct answers with a grant. If that cannot be written, the grant is given back.
func (x *exchange) direct(g *link.Grant, b []byte, kind string, body []byte) bool {
	b = append(b, web.TicketHeader+": "+g.Ticket+"\r\n"+web.GrantHeader+": "+g.ID.String()+"\r\n"...)
	b = x.stick(b, nil, g.Moved)
	b = append(b, "Cache-Control: no-store\r\n"...)
	again := x.endAnswer(b, kind, body)
	how := fleet.OK
	if x.c.out.broken != nil {
		how = fleet.Unused
	}
	g.Done(link.Result{Outcome: how})
	return again
}
