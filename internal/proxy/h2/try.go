package h2

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/originate"
	"github.com/fairlead/fairlead/internal/proxy/web"
	"github.com/fairlead/fairlead/internal/report"
)

// try is a request's way to one backend: one grant, from its start to its Done.
type try struct {
	x      *exchange
	grant  *link.Grant
	began  time.Time
	ctx    context.Context
	cancel context.CancelCauseFunc

	conn  *backendConn // nil: none was got
	wrote int64        // what conn had written before this try, in bytes

	answer   *answer // nil: none
	upgraded bool
	result   link.Result

	alarm atomic.Pointer[time.Timer] // rings when the answer takes too long; nil: it is not set

	shared   atomic.Bool // the connection is other requests' too
	answered atomic.Bool // answer is set
	lost     atomic.Bool // conn was given up before there was an answer
	dropped  atomic.Bool // and it was the backend that broke off
	finished atomic.Bool
}

// send sends the request, and returns the answer's head with a body that calls Done.
func (t *try) send(transport *http.Transport, out *http.Request) (*http.Response, error) {
	t.ctx, t.cancel = context.WithCancelCause(t.x.ctx)
	t.grant.OnCut(t.cut)
	t.x.enableDuplex()
	trace := &httptrace.ClientTrace{GotConn: t.gotConn, WroteRequest: t.wroteRequest}
	if above := httptrace.ContextClientTrace(out.Context()); above != nil {
		trace.Got1xxResponse = passInformational(above.Got1xxResponse)
	}
	req := out.WithContext(httptrace.WithClientTrace(t.ctx, trace))
	url := *out.URL // the transport may still read that of the try before
	url.Host = string(t.grant.Backend)
	if t.x.pool.TLS != nil {
		url.Scheme = "https"
	}
	req.URL = &url
	if t.grant.Ticket != "" {
		req.Header = out.Header.Clone() // the transport may still read that one too
		req.Header.Set(web.TicketHeader, t.grant.Ticket)
	}
	if out.Body != nil {
		req.Body = &tryBody{t.x.body, t}
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	t.receive(res)
	return res, nil
}

// passInformational passes on all but 100: net/http says that itself, when the
// transport begins to read the body.
func passInformational(pass func(int, textproto.MIMEHeader) error) func(int, textproto.MIMEHeader) error {
	return func(code int, h textproto.MIMEHeader) error {
		if code == http.StatusContinue {
			return nil
		}
		return pass(code, h)
	}
}

// gotConn is called before anything is sent, and again when the transport tries another
// connection because a kept one turned out to be dead.
func (t *try) gotConn(info httptrace.GotConnInfo) {
	if t.x.pool.HTTP2 {
		t.shared.Store(true) // what others write on it says nothing of this request
		return
	}
	t.lost.Store(false)
	t.dropped.Store(false)
	t.conn = info.Conn.(*backendConn)
	t.wrote = t.conn.written.Load()
	t.conn.user.Store(t)
}

// errSlow ends a try whose answer takes too long.
var errSlow = errors.New("the backend took too long to answer")

// wroteRequest is called when the whole request is sent, and again if the transport sends it
// again.
func (t *try) wroteRequest(info httptrace.WroteRequestInfo) {
	if t.x.serving.cfg.FirstByte == nil || info.Err != nil || t.answered.Load() {
		return
	}
	limit := t.x.serving.cfg.FirstByte()
	if limit <= 0 {
		return
	}
	t.hush(time.AfterFunc(limit, func() {
		if !t.answered.Load() {
			t.cancel(errSlow)
		}
	}))
}

// hush stops the alarm, and has another one in its place, or nil.
func (t *try) hush(next *time.Timer) {
	if last := t.alarm.Swap(next); last != nil {
		last.Stop()
	}
}

// receive takes an answer's head.
func (t *try) receive(res *http.Response) {
	h := res.Header
	r, reported, err := report.FromHeader(h)
	if err != nil {
		t.x.serving.cfg.Logger.Debug("unusable load report", "backend", t.grant.Backend, "error", err)
	}
	if reported {
		t.grant.Head(r)
	}
	delete(h, report.Header)
	delete(h, report.HeaderBin)
	t.x.stick(h, t.grant)
	t.upgraded = res.StatusCode == http.StatusSwitchingProtocols
	t.result.Outcome = fleet.OK
	switch res.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		t.result.Outcome = fleet.Failed
	}
	t.answer = &answer{body: res.Body, try: t}
	res.Body = t.answer
	t.answered.Store(true)
	t.hush(nil)
	if t.upgraded {
		return
	}
	addVia(h)
	if _, ok := h["Content-Type"]; !ok {
		t.x.Header()["Content-Type"] = nil // else net/http guesses one
	}
	t.x.closeIfNeeded()
}

// cut is what the grant calls when the link must end.
func (t *try) cut(cause error) {
	t.cancel(cause)
	switch {
	case !t.answered.Load():
		t.x.interruptRead()
	case t.upgraded:
		t.x.cancel(cause)
	default:
		t.x.interruptRead()
		t.x.interruptWrite()
	}
}

// lostConn is called when the transport gives the connection up. Before the answer's
// head that means that none will come on it; after it, the transport reads no more.
func (t *try) lostConn() {
	if t.answered.Load() || t.finished.Load() {
		return
	}
	byClient := t.x.ctx.Err() != nil || t.x.body != nil && t.x.body.broke.Load()
	t.dropped.Store(!byClient) // before the body is freed, which looks like a client that left
	t.lost.Store(true)
	t.x.interruptRead()
}

// untouched tells whether no backend has seen anything of the request.
func (t *try) untouched(err error) bool {
	if t.x.body != nil && t.x.body.began.Load() {
		return false
	}
	var d *dialError
	if t.shared.Load() {
		return errors.As(err, &d)
	}
	return errors.As(err, &d) || t.conn == nil || t.conn.written.Load() == t.wrote
}

// failed ends a try that brought no answer. It tells whether another backend may be
// tried, and what the client is told otherwise; that is errClientGone if nobody listens.
func (t *try) failed(err error) (again bool, verdict error) {
	x := t.x
	x.serving.cfg.Logger.Debug("no answer", "pool", x.pool.Name, "backend", t.grant.Backend, "error", err)
	if x.pool.TLS != nil && originate.Unwelcome(err) { // the backend has looked at nothing
		err = &dialError{x.pool.TLS.Failed(t.grant.Backend, err)}
	}
	untouched := t.untouched(err)
	switch {
	case t.grant.WasCut():
		t.finish(fleet.Revoked)
		if link.CutFor(context.Cause(t.ctx), fleet.TimeLimit) {
			return false, web.TimeLimit
		}
		return untouched && x.ctx.Err() == nil, web.BackendLost
	case context.Cause(t.ctx) == errSlow:
		t.finish(fleet.Failed)
		return false, web.AnswerTimeout
	case t.dropped.Load() && !untouched: // before ctx, which net/http ends when a read fails
		t.finish(fleet.Failed)
		return false, web.BrokeOff
	case x.ctx.Err() != nil:
		t.finish(fleet.Cancelled)
		return false, errClientGone
	case x.body != nil && x.body.broke.Load():
		t.finish(fleet.Cancelled)
		return false, web.BadBody
	case untouched:
		t.finish(fleet.Unreachable)
		return true, web.Unreachable
	}
	t.finish(fleet.Failed)
	return false, web.BrokeOff
}

// complete ends a try whose answer came to its end; only then its time says something
// about the backend's speed.
func (t *try) complete() {
	if !t.finished.Load() {
		t.result.Latency = time.Since(t.began)
		t.finish(t.result.Outcome)
	}
}

// broke says how an answer ended that did not come to its end.
func (t *try) broke() fleet.Outcome {
	if t.x.ctx.Err() != nil {
		return fleet.Cancelled
	}
	return fleet.Failed
}

// abandon ends a try that nobody else has ended.
func (t *try) abandon() {
	if t.finished.Load() {
		return
	}
	switch {
	case t.x.hijacked:
		_ = t.answer.Close() // the ReverseProxy is about to, too
	case t.answer != nil:
		_ = t.answer.body.Close()
	}
	t.finish(t.broke())
}

// finish calls Done; only the first call counts.
func (t *try) finish(o fleet.Outcome) {
	if !t.finished.CompareAndSwap(false, true) {
		return
	}
	t.hush(nil)
	t.result.Outcome = o
	t.grant.Done(t.result)
	if t.cancel != nil {
		t.cancel(nil)
	}
	if t.conn != nil {
		t.conn.user.CompareAndSwap(t, nil)
	}
}
