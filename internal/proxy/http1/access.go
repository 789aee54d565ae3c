package http1

import (
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/accesslog"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// noting begins what the access log is told of a request. Its head is copied now, as the
// memory is used again while a body comes.
func (x *exchange) noting() {
	c, r := x.c, &x.c.req
	if c.s.cfg.Access == nil {
		return
	}
	e := &c.entry
	*e = accesslog.Entry{
		Time: x.started, Listener: c.s.cfg.Name, Method: string(r.Method()), Host: string(r.Host()), Target: string(r.Target()),
		Protocol: "HTTP/1.1",
	}
	switch {
	case c.stream != nil:
		e.Protocol = "HTTP/2.0"
	case r.Minor == 0:
		e.Protocol = "HTTP/1.0"
	}
	e.Client = x.from
	if f := r.Find("user-agent"); f != nil {
		e.UserAgent = string(r.Value(f))
	}
	if f := r.Find("referer"); f != nil {
		e.Referer = string(r.Value(f))
	}
	if c.secure != nil {
		s := c.secure.ConnectionState()
		e.TLSVersion, e.TLSName = s.Version, s.ServerName
	}
}

// log writes the request to the access log.
func (x *exchange) log() {
	c := x.c
	if c.s.cfg.Access == nil {
		return
	}
	e := &c.entry
	e.Status, e.Total, e.Wait = x.code, time.Since(x.started), x.ask.Waited
	e.BytesIn, e.BytesOut = x.body.total, x.sent
	e.Pool = x.poolName()
	if e.End == accesslog.NoEnd {
		e.End, e.Reason = x.ending()
	}
	c.s.cfg.Access.Write(e)
}

// ending says how a request ended that was not refused.
func (x *exchange) ending() (accesslog.End, string) {
	why := x.c.stopped()
	switch {
	case x.outcome == fleet.Revoked:
		return accesslog.CutFor(why)
	case why == errIdle:
		return accesslog.TimedOut, "tunnel"
	case x.whole:
		return accesslog.Done, ""
	case x.c.ctx.Err() != nil && x.c.s.base.Err() != nil:
		return accesslog.Cut, "stopping"
	case why == errTimeout:
		return accesslog.TimedOut, "answer"
	case x.outcome == fleet.Failed:
		return accesslog.BackendFailed, ""
	}
	return accesslog.ClientGone, ""
}

// noteRefusal says so in the access log.
func (x *exchange) noteRefusal(r *web.Refusal) {
	x.c.entry.Reason = r.Reason
	switch r {
	case web.Unreachable:
		x.c.entry.End = accesslog.BackendFailed
	case web.BadAnswer, web.BrokeOff:
		x.c.entry.End, x.c.entry.Reason = accesslog.BackendFailed, ""
	case web.BackendLost:
		x.c.entry.End, x.c.entry.Reason = accesslog.BackendLost, ""
	case web.TimeLimit:
		x.c.entry.End = accesslog.TimedOut
	case web.HeadTimeout:
		x.c.entry.End, x.c.entry.Reason = accesslog.TimedOut, "head"
	case web.BodyTimeout:
		x.c.entry.End, x.c.entry.Reason = accesslog.TimedOut, "body"
	case web.AnswerTimeout:
		x.c.entry.End, x.c.entry.Reason = accesslog.TimedOut, "first_byte"
	case web.BadBody:
		x.c.entry.End = accesslog.ClientGone
	default:
		x.c.entry.End = accesslog.Refused
	}
}
