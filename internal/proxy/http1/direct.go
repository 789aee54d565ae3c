package http1

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// What is said between clients, proxies and backends of direct links and tickets.
const (
	TicketHeader = "Fairlead-Ticket" // in a direct answer, and to a backend
	GrantHeader  = "Fairlead-Grant"  // in a direct answer
	ticketParam  = "fairlead-ticket" // in the Location of a direct answer
	// wantHeader: grant. A client that would not like to send its body twice sends the
	// request without it first: a pool with direct links answers as always, any other 204,
	// which says that the request is to be sent here.
	wantHeader = "Fairlead-Want"

	grantPath = "/v1/grant" // on a listener that only gives grants
)

// wantsGrant answers a client that asks how its request will be served.
func (x *exchange) wantsGrant() bool {
	if x.pool.Direct || !strings.EqualFold(x.req.Header.Get(wantHeader), "grant") {
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
	h.Set("Location", at+target+sep+ticketParam+"="+g.Ticket)
	h.Set("Referrer-Policy", "no-referrer") // the ticket is for the backend alone
	x.direct(g, http.StatusTemporaryRedirect, nil)
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
func (x *exchange) giveGrant() {
	switch {
	case x.req.URL.Path != grantPath:
		x.refuse(onlyGrants)
		return
	case x.req.Method != http.MethodPost:
		x.Header().Set("Allow", http.MethodPost)
		x.refuse(onlyPost)
		return
	}
	g := x.askDirect()
	if g == nil {
		return
	}
	body, err := json.Marshal(grantAnswer{
		string(g.Backend), g.Public, g.ID.String(), g.Ticket, g.Life.Milliseconds(),
	})
	if err != nil { // strings always can
		g.Done(link.Result{Outcome: fleet.Unused})
		x.refuse(badAnswer)
		return
	}
	x.Header().Set("Content-Type", "application/json")
	x.direct(g, http.StatusOK, append(body, '\n'))
}

// direct answers with a grant. If that cannot be written, the grant is given back.
func (x *exchange) direct(g *link.Grant, code int, body []byte) {
	h := x.Header()
	h.Set(TicketHeader, g.Ticket)
	h.Set(GrantHeader, g.ID.String())
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
