package control

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

type proxiesService struct {
	fairleadv1.UnimplementedProxiesServer
	c *Controller
}

type proxyStream = interface {
	Context() context.Context
	Send(*fairleadv1.ControllerMessage) error
	Recv() (*fairleadv1.ProxyMessage, error)
}

// proxySession is one session of one proxy.
type proxySession struct {
	c        *Controller
	hello    *fairleadv1.ProxyHello
	id       fleet.ProxyID
	peer     string
	since    time.Time
	wake     chan struct{}
	cancel   context.CancelCauseFunc
	ended    chan struct{} // closed when no runner knows it any more
	touched  []bool        // by pool; each owned by that pool's runner
	lastAsk  uint64        // owned by the receiving goroutine
	waiting  atomic.Int64  // asks without an answer
	asks     atomic.Uint64
	status   atomic.Pointer[fairleadv1.ProxyStatus]
	told     atomic.Pointer[fleet.ProxyState] // the same, for the choice of proxies
	statuses uint64                           // owned by the receiving goroutine
	hellos   map[*runner][]fleet.LiveGrant    // owned by the receiving goroutine: in parts
	asksRate atomic.Uint64                    // a second, times 100
	silent   bool                             // owned by run: it ended because nothing was heard

	mu      sync.Mutex // guards what is below
	next    *fairleadv1.ControllerMessage
	unsent  int         // answers in next
	tickets []ticketDue // of grants in next
	slab    slab
	reply   bool   // a message is due, if only an empty one
	heard   uint64 // the number of the latest status, for that message
	number  uint64 // of the latest message that was decided on
	settled bool   // number is to be told
	leads   bool   // which pools this controller leads is to be told
	table   bool   // the table is to be told anew
}

// Session implements the service.
func (s proxiesService) Session(st fairleadv1.Proxies_SessionServer) error {
	ctx, cancel := context.WithCancelCause(st.Context())
	defer cancel(nil)
	hello, err := firstOf(st.Recv, s.c.stopped)
	if err != nil {
		return err
	}
	if err := checkProxyHello(hello); err != nil {
		return err
	}
	if err := s.c.allow(ctx, asProxy(hello.GetHello().GetName())); err != nil {
		return err
	}
	p := &proxySession{
		c: s.c, hello: hello.GetHello(), since: time.Now(), cancel: cancel,
		wake: make(chan struct{}, 1), ended: make(chan struct{}),
		touched: make([]bool, len(s.c.shape.Load().all)), hellos: map[*runner][]fleet.LiveGrant{},
		leads: true,
	}
	p.peer = peerOf(ctx)
	if err := s.c.proxies.enter(ctx, p); err != nil {
		return err
	}
	defer s.c.states.changed(true) // when it has left
	defer s.c.proxies.leave(p)
	if err := s.c.note(ctx, p.hello); err != nil {
		return err
	}
	return p.run(ctx, st)
}

// firstOf receives a stream's first message, which must come soon, and before the
// controller stops.
func firstOf[M any](recv func() (M, error), stopped <-chan struct{}) (M, error) {
	type result struct {
		m   M
		err error
	}
	got := make(chan result, 1)
	go func() {
		m, err := recv()
		got <- result{m, err}
	}()
	t := time.NewTimer(silence)
	defer t.Stop()
	var none M
	select {
	case r := <-got:
		return r.m, r.err
	case <-stopped:
		return none, errStopping
	case <-t.C:
		// The goroutine ends with the stream, which ends with our return.
		return none, status.Error(codes.DeadlineExceeded, "no hello came; send one as the first message")
	}
}

// run keeps the session until either side ends it.
func (p *proxySession) run(ctx context.Context, st proxyStream) error {
	p.next = &fairleadv1.ControllerMessage{
		Welcome: &fairleadv1.Welcome{
			Version: min(newestVersion, p.hello.GetVersions().GetNewest()), Epoch: p.c.epoch, MaxOutstanding: maxOutstanding,
			GraceMs: uint64(grace.Milliseconds()), Software: p.c.cfg.Software,
		},
		Table: p.c.table(),
	}
	defer p.quit()
	p.c.states.changed(true)
	log := p.c.cfg.Logger.With("proxy", p.hello.GetName(), "peer", p.peer)
	log.Info("proxy connected", "zone", p.hello.GetZone())
	err := p.c.converse(ctx, func(heard func()) error { return p.receive(st, heard) },
		func() error { return p.send(ctx, st) })
	p.cancel(err)
	p.silent = status.Code(err) == codes.DeadlineExceeded
	if err == io.EOF {
		err = nil
	}
	log.Info("proxy disconnected", "why", errText(err))
	return err
}

// converse runs the two directions of a session until either ends, nothing is heard for
// too long, ctx ends or the controller stops, and returns why. Both may still run then,
// in a call that gRPC frees when the session's handler returns; what they say to a
// runner after that is ignored.
func (c *Controller) converse(ctx context.Context, receive func(heard func()) error, send func() error) error {
	errs := make(chan error, 2)
	watchdog := time.NewTimer(silence)
	defer watchdog.Stop()
	c.readers.Go(func() { errs <- receive(func() { watchdog.Reset(silence) }) })
	c.readers.Go(func() { errs <- send() })
	select {
	case err := <-errs:
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err
	case <-watchdog.C:
		return status.Errorf(codes.DeadlineExceeded, "nothing was heard for %s", silence)
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.stopped:
		return errStopping
	}
}

func errText(err error) string {
	if err == nil || status.Code(err) == codes.Canceled || errors.Is(err, context.Canceled) {
		return "it closed the session"
	}
	return status.Convert(err).Message()
}

// quit ends the session at every runner.
func (p *proxySession) quit() {
	for _, r := range p.c.runners() {
		r.do(func() {
			if r.sessions[p.id] != p {
				return
			}
			delete(r.sessions, p.id)
			r.silent(p.id)
			r.step(&dispatch.SessionLost{Proxy: p.id})
			r.left(p)
			r.reshare()
		})
	}
	close(p.ended)
}

// untouch notes that a runner has roused the session.
func (p *proxySession) untouch(r *runner) {
	if i := int(r.number) - 1; i < len(p.touched) {
		p.touched[i] = false
	}
}

func (p *proxySession) rouse() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// put writes an effect into the next message. Any runner may call it; r is nil for an ask
// of no pool.
func (p *proxySession) put(r *runner, e *dispatch.Effect) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.next
	if m == nil {
		m = &fairleadv1.ControllerMessage{}
		p.next = m
	}
	if p.unsent++; p.unsent == maxUnsent {
		p.cancel(status.Errorf(codes.ResourceExhausted, "%d answers wait to be read; read them as they come", maxUnsent))
	}
	switch e.Kind {
	case dispatch.Granted:
		p.waiting.Add(-1)
		g := p.slab.grant()
		g.Ask, g.Backend, g.LimitMs, g.Pool = uint64(e.Ask), string(e.Backend), uint64(e.Limit.Milliseconds()), r.number
		g.Moved, g.KeepMs = e.Moved, uint64(e.Keep.Milliseconds())
		g.Id.Epoch, g.Id.Number = e.Grant.Epoch, e.Grant.Number
		if r.conf().Tickets {
			g.Public = r.public.of(e.Backend)
			p.tickets = append(p.tickets, ticketDue{g, r})
		}
		m.Grants = append(m.Grants, g)
	case dispatch.Refused:
		p.waiting.Add(-1)
		m.Refusals = append(m.Refusals, &fairleadv1.Refusal{
			Ask: uint64(e.Ask), Reason: fairleadv1.Reason(e.Reason), RetryAfterMs: uint64(e.RetryAfter.Milliseconds()),
		})
	case dispatch.Revoked:
		m.Revokes = append(m.Revokes, &fairleadv1.Revoke{
			Grant:  &fairleadv1.GrantID{Epoch: e.Grant.Epoch, Number: e.Grant.Number},
			Reason: fairleadv1.Reason(e.Reason), Uses: e.Uses,
		})
	case dispatch.Reclaimed:
		m.Reclaims = append(m.Reclaims, &fairleadv1.GrantID{Epoch: e.Grant.Epoch, Number: e.Grant.Number})
	}
}

// decided has the next message say that the proxy's message of a number was decided on. Any
// runner may call it.
func (p *proxySession) decided(number uint64) {
	p.mu.Lock()
	p.number, p.settled = max(p.number, number), true
	p.mu.Unlock()
}

// send sends whatever gathers, until ctx ends or the stream breaks.
func (p *proxySession) send(ctx context.Context, st proxyStream) error {
	for {
		p.mu.Lock()
		m, tickets := p.next, p.tickets
		if m == nil && (p.reply || p.settled || p.leads || p.table) {
			m = &fairleadv1.ControllerMessage{}
		}
		if p.table && m.Table == nil {
			m.Table = p.c.table()
		}
		if p.leads {
			m.Leads = p.c.leads()
		}
		if p.reply {
			m.Status = p.heard
		}
		if p.settled {
			m.Heard = p.number
		}
		p.next, p.reply, p.settled, p.leads, p.table, p.unsent, p.tickets = nil, false, false, false, false, 0, nil
		p.mu.Unlock()
		if m != nil {
			if err := p.c.sign(tickets); err != nil {
				return err
			}
			if err := st.Send(m); err != nil {
				return err
			}
			continue
		}
		select {
		case <-p.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

// receive checks what comes and hands it to the runners.
func (p *proxySession) receive(st proxyStream, heard func()) error {
	var byPool []*batch // by number, less one
	for {
		m, err := st.Recv()
		if err != nil {
			return err
		}
		heard()
		for _, h := range m.GetPoolHellos() {
			if err := p.greets(h); err != nil {
				return err
			}
		}
		if n := len(p.c.shape.Load().all); n > len(byPool) {
			byPool = append(byPool, make([]*batch, n-len(byPool))...)
		}
		if err := p.sort(m, byPool); err != nil {
			return err
		}
		for i, b := range byPool {
			if b == nil {
				continue
			}
			byPool[i] = nil
			if r := p.c.byNumber(uint32(i + 1)); r == nil || !r.submit(work{batch: b}) {
				if p.c.hasStopped() {
					return errStopping
				}
				b.release() // the pool is gone
			}
		}
		if s := m.GetStatus(); s != nil {
			p.tell(trimmed(s))
			number := s.GetNumber()
			if !p.c.sure() {
				number = 0 // a lease that this answer extended could outlive our term
			}
			p.mu.Lock()
			p.reply, p.heard = true, number
			p.mu.Unlock()
			p.rouse()
		}
	}
}

// slab makes grants for messages, many at a time: one is made for each decision, and
// the collector's work is what deciding fast costs most.
type slab struct {
	grants []fairleadv1.Grant
	ids    []fairleadv1.GrantID
}

func (s *slab) grant() *fairleadv1.Grant {
	const many = 64
	if len(s.grants) == 0 {
		s.grants, s.ids = make([]fairleadv1.Grant, many), make([]fairleadv1.GrantID, many)
	}
	g := &s.grants[0]
	g.Id = &s.ids[0]
	s.grants, s.ids = s.grants[1:], s.ids[1:]
	return g
}
