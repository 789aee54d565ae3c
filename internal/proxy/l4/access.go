package l4

import (
	"context"
	"net"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/accesslog"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// visit is what the access log is told of a connection besides its end.
type visit struct {
	came    time.Time
	grant   *link.Grant // the last one; nil: none
	granted time.Time
	waited  time.Duration // for grants
	connect time.Duration // to the backend; 0: it was not reached
	tries   int
}

// try notes a grant that is used, and how long all asks have taken.
func (v *visit) try(g *link.Grant, waited time.Duration) {
	v.grant, v.waited, v.granted = g, waited, time.Now()
	v.tries++
}

// log writes a connection to the access log. p is nil where it was never linked.
func (s *Server) log(client *caller, pool fleet.PoolName, p *pair, end accesslog.End, reason string) {
	if s.cfg.Access == nil {
		return
	}
	v := &client.visit
	e := accesslog.Entry{
		Time: v.came, Listener: s.cfg.Name, Protocol: "TCP", Pool: pool, Tries: v.tries, End: end, Reason: reason,
		Wait: v.waited, Connect: v.connect, Total: time.Since(v.came), TLSName: client.name,
	}
	if tcp, ok := client.ends.Client.(*net.TCPAddr); ok {
		e.Client = tcp.AddrPort()
	}
	if g := v.grant; g != nil {
		e.Backend, e.Grant, e.Moved = g.Backend, g.ID, g.Moved
	}
	if p != nil {
		e.BytesIn, e.BytesOut = p.in, p.out
	}
	s.cfg.Access.Write(&e)
}

// unlinked says how a connection ended that was never linked, by the word that metrics have.
func unlinked(word string) (end accesslog.End, reason string) {
	switch word {
	case "client_gone":
		return accesslog.ClientGone, ""
	case "unreachable":
		return accesslog.BackendFailed, word
	case "stopping":
		return accesslog.Cut, word
	case "hello_timeout":
		return accesslog.TimedOut, word
	}
	return accesslog.Refused, word
}

// ending says how a link ended. The grant is not done yet. ctx is that of all links.
func ending(ctx context.Context, g *link.Grant, o fleet.Outcome, idled bool) (end accesslog.End, reason string) {
	switch {
	case o == fleet.Revoked:
		return cutFor(g)
	case idled:
		return accesslog.TimedOut, "idle"
	case o == fleet.Failed:
		return accesslog.BackendFailed, ""
	case o == fleet.Cancelled && ctx.Err() != nil:
		return accesslog.Cut, "stopping"
	case o == fleet.Cancelled:
		return accesslog.ClientGone, ""
	}
	return accesslog.Done, ""
}

// cutFor says why a link was cut.
func cutFor(g *link.Grant) (end accesslog.End, reason string) {
	var why error
	g.OnCut(func(err error) { why = err }) // at once, as it was cut
	return accesslog.CutFor(why)
}
