package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
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
	asksRate atomic.Uint64 // a second, times 100

	mu    sync.Mutex // guards what is below
	next  *fairleadv1.ControllerMessage
	slab  slab
	reply bool // a message is due, if only an empty one
}

// Session implements the service.
func (s proxiesService) Session(st fairleadv1.Proxies_SessionServer) error {
	ctx, cancel := context.WithCancelCause(st.Context())
	defer cancel(nil)
	hello, err := firstOf(ctx, st.Recv)
	if err != nil {
		return err
	}
	if err := checkProxyHello(hello); err != nil {
		return err
	}
	p := &proxySession{
		c: s.c, hello: hello.GetHello(), since: time.Now(), cancel: cancel,
		wake: make(chan struct{}, 1), ended: make(chan struct{}),
		touched: make([]bool, len(s.c.order)),
	}
	if pe, ok := peer.FromContext(ctx); ok {
		p.peer = pe.Addr.String()
	}
	if err := s.c.proxies.enter(ctx, p); err != nil {
		return err
	}
	defer s.c.proxies.leave(p)
	return p.run(ctx, st)
}

// firstOf receives a stream's first message, which must come soon.
func firstOf[M any](ctx context.Context, recv func() (M, error)) (M, error) {
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
	select {
	case r := <-got:
		return r.m, r.err
	case <-t.C:
		// The goroutine ends with the stream, which ends with our return.
		var none M
		return none, status.Error(codes.DeadlineExceeded, "no hello came; send one as the first message")
	}
}

// run keeps the session until either side ends it.
func (p *proxySession) run(ctx context.Context, st proxyStream) error {
	p.next = &fairleadv1.ControllerMessage{
		Welcome: &fairleadv1.Welcome{
			Version: newestVersion, Epoch: p.c.epoch, MaxOutstanding: maxOutstanding,
			GraceMs: uint64(grace.Milliseconds()), Software: p.c.cfg.Software,
		},
		Table: p.c.table,
	}
	p.join()
	defer p.quit()
	log := p.c.cfg.Logger.With("proxy", p.hello.GetName(), "peer", p.peer)
	log.Info("proxy connected", "zone", p.hello.GetZone(), "live", len(p.hello.GetLive()))
	errs := make(chan error, 2)
	watchdog := time.NewTimer(silence)
	defer watchdog.Stop()
	p.c.readers.Go(func() { errs <- p.receive(st, watchdog) })
	sender := make(chan struct{})
	go func() {
		defer close(sender)
		errs <- p.send(ctx, st)
	}()
	var err error
	select {
	case err = <-errs:
	case <-watchdog.C:
		err = status.Errorf(codes.DeadlineExceeded, "nothing was heard for %s", silence)
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-p.c.stopped:
		err = status.Error(codes.Unavailable, "the controller is stopping")
	}
	p.cancel(err)
	// The receiving goroutine ends when gRPC sees us return; what it still hands over is
	// of a session that the runners have ended, and is ignored.
	<-sender
	if err == io.EOF {
		err = nil
	}
	log.Info("proxy disconnected", "why", errText(err))
	return err
}

func errText(err error) string {
	if err == nil || status.Code(err) == codes.Canceled || errors.Is(err, context.Canceled) {
		return "it closed the session"
	}
	return status.Convert(err).Message()
}

// join makes the session known to every runner, with the grants that it brings.
func (p *proxySession) join() {
	live := map[fleet.PoolName][]fleet.LiveGrant{}
	for _, g := range p.hello.GetLive() {
		name := fleet.PoolName(g.GetPool())
		live[name] = append(live[name], fleet.LiveGrant{
			ID: grantID(g.GetId()), Backend: fleet.BackendName(g.GetBackend()),
			Held: time.Duration(g.GetHeldMs()) * time.Millisecond,
		})
	}
	for _, r := range p.c.order {
		r.do(func() {
			r.sessions[p.id] = p
			r.step(&dispatch.SessionUp{Proxy: p.id, Live: live[r.conf.Name]})
		})
	}
}

// quit ends the session at every runner.
func (p *proxySession) quit() {
	for _, r := range p.c.order {
		r.do(func() {
			if r.sessions[p.id] != p {
				return
			}
			delete(r.sessions, p.id)
			r.step(&dispatch.SessionLost{Proxy: p.id})
		})
	}
	close(p.ended)
}

func (p *proxySession) rouse() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// put writes an effect into the next message. Any runner may call it.
func (p *proxySession) put(pool uint32, e *dispatch.Effect) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.next
	if m == nil {
		m = &fairleadv1.ControllerMessage{}
		p.next = m
	}
	switch e.Kind {
	case dispatch.Granted:
		p.waiting.Add(-1)
		g := p.slab.grant()
		g.Ask, g.Backend, g.LimitMs, g.Pool = uint64(e.Ask), string(e.Backend), uint64(e.Limit.Milliseconds()), pool
		g.Id.Epoch, g.Id.Number = e.Grant.Epoch, e.Grant.Number
		m.Grants = append(m.Grants, g)
	case dispatch.Refused:
		p.waiting.Add(-1)
		m.Refusals = append(m.Refusals, &fairleadv1.Refusal{
			Ask: uint64(e.Ask), Reason: fairleadv1.Reason(e.Reason), RetryAfterMs: uint64(e.RetryAfter.Milliseconds()),
		})
	case dispatch.Revoked:
		m.Revokes = append(m.Revokes, &fairleadv1.Revoke{
			Grant:  &fairleadv1.GrantID{Epoch: e.Grant.Epoch, Number: e.Grant.Number},
			Reason: fairleadv1.Reason(e.Reason),
		})
	}
}

// send sends whatever gathers, until ctx ends or the stream breaks.
func (p *proxySession) send(ctx context.Context, st proxyStream) error {
	for {
		p.mu.Lock()
		m := p.next
		if m == nil && p.reply {
			m = &fairleadv1.ControllerMessage{}
		}
		p.next, p.reply = nil, false
		p.mu.Unlock()
		if m != nil {
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
func (p *proxySession) receive(st proxyStream, watchdog *time.Timer) error {
	byPool := make([]*batch, len(p.c.order))
	for {
		m, err := st.Recv()
		if err != nil {
			return err
		}
		watchdog.Reset(silence)
		if err := p.sort(m, byPool); err != nil {
			return err
		}
		for i, b := range byPool {
			if b == nil {
				continue
			}
			byPool[i] = nil
			r := p.c.order[i]
			if !r.submit(work{batch: b}) {
				return status.Error(codes.Unavailable, "the controller is stopping")
			}
		}
		if s := m.GetStatus(); s != nil {
			p.status.Store(s)
			p.mu.Lock()
			p.reply = true
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

// proxyRegistry knows the sessions by their proxies' names.
type proxyRegistry struct {
	mu     sync.Mutex // guards what is below
	live   map[string]*proxySession
	known  map[string]knownProxy // by name: the latest run
	names  map[fleet.ProxyID]string
	lastID fleet.ProxyID
	counts map[string]uint64 // asks at the last sample, by name
}

type knownProxy struct {
	instance string
	id       fleet.ProxyID
	last     *proxySession
	left     time.Time
}

func newProxyRegistry() *proxyRegistry {
	return &proxyRegistry{
		live: map[string]*proxySession{}, known: map[string]knownProxy{},
		names: map[fleet.ProxyID]string{}, counts: map[string]uint64{},
	}
}

// enter admits a session. Another session of the same run of the proxy is ended first,
// because the proxy knows better that it is dead; another run's is not.
func (g *proxyRegistry) enter(ctx context.Context, p *proxySession) error {
	name, instance := p.hello.GetName(), p.hello.GetInstance()
	for {
		g.mu.Lock()
		old := g.live[name]
		if old == nil {
			g.admit(p)
			g.mu.Unlock()
			return nil
		}
		g.mu.Unlock()
		if old.hello.GetInstance() != instance {
			return status.Errorf(codes.AlreadyExists,
				"a proxy named %q is connected from %s; give each proxy a name of its own (--name)", name, old.peer)
		}
		old.cancel(status.Error(codes.Aborted, "the proxy has opened another session"))
		select {
		case <-old.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
		g.mu.Lock()
		if g.live[name] == old {
			delete(g.live, name)
		}
		g.mu.Unlock()
	}
}

// admit notes a session. g.mu is held.
func (g *proxyRegistry) admit(p *proxySession) {
	name := p.hello.GetName()
	k := g.known[name]
	if k.instance != p.hello.GetInstance() {
		delete(g.names, k.id)
		g.lastID++
		k = knownProxy{instance: p.hello.GetInstance(), id: g.lastID}
	}
	p.id, k.last = k.id, p
	g.known[name], g.names[k.id], g.live[name] = k, name, p
	g.counts[name] = 0
}

func (g *proxyRegistry) leave(p *proxySession) {
	g.mu.Lock()
	defer g.mu.Unlock()
	name := p.hello.GetName()
	if g.live[name] == p {
		delete(g.live, name)
	}
	if k := g.known[name]; k.last == p {
		k.left = time.Now()
		g.known[name] = k
	}
}

// remember is how long a proxy that is gone is still shown, and its ID kept.
const remember = 10 * time.Minute

// sample measures rates, and forgets those who are gone for long.
func (g *proxyRegistry) sample(seconds float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, p := range g.live {
		asks := p.asks.Load()
		p.asksRate.Store(uint64(float64(asks-g.counts[name]) / seconds * 100))
		g.counts[name] = asks
	}
	for name, k := range g.known {
		if g.live[name] == nil && !k.left.IsZero() && time.Since(k.left) > remember {
			delete(g.known, name)
			delete(g.names, k.id)
			delete(g.counts, name)
		}
	}
}

func (g *proxyRegistry) name(id fleet.ProxyID) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n, ok := g.names[id]; ok {
		return n
	}
	return fmt.Sprintf("#%d", id)
}

// standings returns every known proxy, by name.
func (g *proxyRegistry) standings() []*fairleadv1.ProxyStanding {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []*fairleadv1.ProxyStanding
	for name, k := range g.known {
		p := k.last
		s := &fairleadv1.ProxyStanding{
			Name: name, Instance: k.instance, Zone: p.hello.GetZone(), Connected: g.live[name] == p,
			Status: p.status.Load(), Software: p.hello.GetSoftware(), Address: p.peer,
		}
		if s.Connected {
			s.AsksPerSecond = float64(p.asksRate.Load()) / 100
			s.ConnectedMs = uint64(time.Since(p.since).Milliseconds())
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *fairleadv1.ProxyStanding) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
