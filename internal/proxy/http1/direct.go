package http1

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/http1/message"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// What is said between clients, proxies and backends of direct links and tickets.
const (
	TicketHeader = "Fairlead-Ticket" // in a direct answer, and to a backend
	GrantHeader  = "Fairlead-Grant"  // in a direct answer
	ticketParam  = "fairlead-ticket" // in the Location of a direct answer
	// wantHeader (Fairlead-Want): grant. A client that would not like to send its body twice sends the
	// request without it first: a pool with direct links answers as always, any other 204,
	// which says that the request is to be sent here.
	wantHeader = "fairlead-want"

	grantPath = "/v1/grant" // on a listener that only gives grants
)

// wantsGrant tells whether a client asks how its request will be served.
func (x *exchange) wantsGrant() bool {
	f := x.c.req.Find(wantHeader)
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
	b = append(b, "Location: "+at+target+sep+ticketParam+"="+g.Ticket+"\r\n"...)
	b = append(b, "Referrer-Policy: no-referrer\r\n"...) // the ticket is for the backend alone
	return x.direct(g, b, "", nil)
}

// grantAnswer is what a listener for direct links answers where clients speak something
// else than HTTP to the backend.
type grantAnswer struct {
	Backend   string `json:"backend"`
	Public    string `json:"public"`
	Grant     string `json:"grant"`
	Ticket    string `json:"ticket"`
	ExpiresMs int64  `json:"expiresMs"`
}

// giveGrant answers POST /v1/grant.
func (x *exchange) giveGrant() bool {
	switch {
	case string(x.c.req.Path()) != grantPath:
		return x.refuse(onlyGrants)
	case !x.c.req.Is(http.MethodPost):
		return x.refuse(onlyPost)
	}
	g, again := x.askDirect()
	if g == nil {
		return again
	}
	body, err := json.Marshal(grantAnswer{
		string(g.Backend), g.Public, g.ID.String(), g.Ticket, g.Life.Milliseconds(),
	})
	if err != nil { // strings always can
		g.Done(link.Result{Outcome: fleet.Unused})
		return x.refuse(badAnswer)
	}
	return x.direct(g, x.beginAnswer(http.StatusOK), "application/json", append(body, '\n'))
}

// direct answers with a grant. If that cannot be written, the grant is given back.
func (x *exchange) direct(g *link.Grant, b []byte, kind string, body []byte) bool {
	b = append(b, TicketHeader+": "+g.Ticket+"\r\n"+GrantHeader+": "+g.ID.String()+"\r\n"...)
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
