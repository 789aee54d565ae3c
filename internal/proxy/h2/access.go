package h2

import (
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/accesslog"
)

// Write implements http.ResponseWriter.
func (x *exchange) Write(p []byte) (int, error) {
	n, err := x.ResponseWriter.Write(p)
	x.sent += int64(n)
	return n, err
}

// log writes the request to the access log.
func (x *exchange) log() {
	cfg := &x.serving.cfg
	if cfg.Access == nil {
		return
	}
	r := x.req
	e := accesslog.Entry{
		Time: x.started, Listener: cfg.Name, Method: r.Method, Host: r.Host, Target: r.RequestURI, Protocol: r.Proto,
		Status: x.code, BytesOut: x.sent, Pool: x.poolName(), Total: time.Since(x.started), UserAgent: r.UserAgent(), Referer: r.Referer(),
	}
	e.Client, _ = x.client()
	if r.TLS != nil {
		e.TLSVersion, e.TLSName = r.TLS.Version, r.TLS.ServerName
	}
	if x.body != nil {
		e.BytesIn = x.body.total.Load()
	}
	if t := x.current; t != nil {
		e.Backend, e.Grant, e.Moved, e.Tries, e.Wait = t.grant.Backend, t.grant.ID, t.grant.Moved, x.tries, x.waited
	}
	e.End, e.Reason = x.ending()
	cfg.Access.Write(&e)
}

// ending says how the request ended.
func (x *exchange) ending() (accesslog.End, string) {
	if r := x.refused; r != nil {
		switch r.Reason {
		case "unreachable":
			return accesslog.BackendFailed, r.Reason
		case "backend_failed":
			return accesslog.BackendFailed, ""
		case "backend_lost":
			return accesslog.BackendLost, ""
		case "timeout":
			return accesslog.TimedOut, "first_byte"
		case "time_limit":
			return accesslog.TimedOut, r.Reason
		}
		return accesslog.Refused, r.Reason
	}
	if x.current == nil {
		return accesslog.Done, "" // answered without a backend
	}
	switch x.current.result.Outcome {
	case fleet.Revoked:
		return accesslog.Cut, ""
	case fleet.Cancelled:
		return accesslog.ClientGone, ""
	case fleet.Failed:
		if x.code < 500 {
			return accesslog.BackendFailed, ""
		}
	}
	return accesslog.Done, ""
}
