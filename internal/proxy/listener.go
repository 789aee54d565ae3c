package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/acme"
	"github.com/fairlead/fairlead/internal/proxy/forwarded"
	"github.com/fairlead/fairlead/internal/proxy/front"
	"github.com/fairlead/fairlead/internal/proxy/http1"
	"github.com/fairlead/fairlead/internal/proxy/l4"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/proxyproto"
	"github.com/fairlead/fairlead/internal/proxy/route"
)

// listener is one that is open, with what carries its traffic.
type listener struct {
	name     string
	address  string // as it was asked for
	protocol fairleadv1.Protocol
	grants   bool // it gives grants for direct links, and carries nothing
	ln       net.Listener
	cancel   context.CancelFunc
	done     chan struct{} // closed when it has drained
	err      error         // why it ended, once done is closed

	connections func() int
	headers     *proxyproto.Acceptor
	front       *front.Front                // nil: plain text
	routes      atomic.Pointer[route.Table] // HTTP
	timeouts    atomic.Pointer[http1.Timeouts]
	rules       atomic.Pointer[l4.Rules] // TCP
	trusted     atomic.Pointer[forwarded.Trusted]
}

// stop ends a listener in its own time; done tells when. Its address is free at once, as
// another listener may be about to have it.
func (l *listener) stop() {
	if l.front != nil {
		l.front.Stop()
	}
	l.cancel()
	_ = l.ln.Close()
}

// address returns where this proxy opens a listener.
func (p *Proxy) address(spec *fairleadv1.Listener) string {
	if other, ok := p.cfg.Listen[spec.GetName()]; ok {
		return other
	}
	return spec.GetAddress()
}

// retire stops the listeners that a table has no more, or has elsewhere.
func (p *Proxy) retire(t *fairleadv1.Table) {
	stays := map[string]bool{}
	p.mu.Lock()
	clear(p.problems)
	for _, spec := range t.GetListeners() {
		l := p.listeners[spec.GetName()]
		stays[spec.GetName()] = l != nil && l.address == p.address(spec) && (l.front != nil) == (spec.GetTls() != nil) && l.protocol == spec.GetProtocol() && l.grants == grants(t, spec)
	}
	var gone []*listener
	for name, l := range p.listeners {
		if !stays[name] {
			gone = append(gone, l)
			delete(p.listeners, name)
		}
	}
	p.mu.Unlock()
	for _, l := range gone {
		p.cfg.Logger.Info("listener closed", "listener", l.name, "address", l.address)
		l.stop()
	}
}

// ensure opens a listener of the table, or brings the one that is open up to date.
func (p *Proxy) ensure(ctx context.Context, spec *fairleadv1.Listener, h handed) error {
	p.mu.Lock()
	l := p.listeners[spec.GetName()]
	p.mu.Unlock()
	from, err := proxyproto.Subnets(spec.GetAcceptProxyFrom())
	trusted, err2 := forwarded.Networks(spec.GetTrusted())
	err = errors.Join(err, err2)
	fresh := l == nil
	if err == nil && fresh {
		l, err = p.open(spec, p.address(spec))
	}
	if err == nil {
		err = l.secure(spec)
	}
	if err != nil && !fresh { // all else of the table holds
		p.cfg.Logger.Error("a listener stays as it was", "error", err)
		p.mu.Lock()
		p.problems[spec.GetName()] = err.Error()
		p.mu.Unlock()
		err = nil
	} else if err != nil && l != nil {
		_ = l.ln.Close()
	}
	if err != nil {
		p.mu.Lock()
		p.problems[spec.GetName()] = err.Error()
		p.mu.Unlock()
		return err
	}
	l.headers.Expect(from)
	l.trusted.Store(&trusted)
	l.route(spec, h)
	if !fresh {
		return nil
	}
	l.grants = grants(h.table, spec)
	p.serve(ctx, l)
	p.mu.Lock()
	p.listeners[l.name] = l
	p.mu.Unlock()
	p.cfg.Logger.Info("listener open", "listener", l.name, "address", l.ln.Addr().String())
	return nil
}

func (p *Proxy) open(spec *fairleadv1.Listener, address string) (*listener, error) {
	ln, err := p.cfg.Open("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listener %q: the address %s is in use; stop what listens there, or give this proxy another address with --listen %s=HOST:PORT",
			spec.GetName(), address, spec.GetName())
	}
	if err != nil {
		return nil, fmt.Errorf("listener %q: %w; another address can be given with --listen %s=HOST:PORT", spec.GetName(), err, spec.GetName())
	}
	l := &listener{
		name: spec.GetName(), address: address, protocol: spec.GetProtocol(), ln: ln,
		done: make(chan struct{}), headers: p.headers.Acceptor(spec.GetName()),
	}
	if spec.GetTls() != nil {
		l.front = front.New(l.name, ln.Addr(), p.cfg.Logger, p.certificates)
	}
	return l, nil
}

// secure takes in which certificates a listener has. After an error it has those of before.
func (l *listener) secure(spec *fairleadv1.Listener) error {
	if l.front == nil {
		return nil
	}
	m := spec.GetTls()
	files := front.Files{ClientCA: m.GetClientCa(), ClientMay: m.GetClientMay(), NoHTTP2: m.GetNoHttp2()}
	if a := m.GetAcme(); len(a.GetDomains()) > 0 {
		files.ACME = &acme.Settings{
			Domains: a.GetDomains(), Email: a.GetEmail(), Directory: a.GetDirectory(), CA: a.GetCa(), Storage: a.GetStorage(),
			TLSALPN: a.GetTlsAlpn(), HTTP: a.GetHttp(),
		}
	}
	for _, c := range m.GetCertificates() {
		files.Certificates = append(files.Certificates, front.Pair{Cert: c.GetCert(), Key: c.GetKey()})
	}
	if err := l.front.Set(files); err != nil {
		return fmt.Errorf("listener %q: its TLS cannot be used: %w; the files are looked for on the proxy's host", l.name, err)
	}
	return nil
}

// refreshEach is how often certificates are looked at.
const refreshEach = 5 * time.Second

// refresh has changed certificates read again, until ctx ends.
func (p *Proxy) refresh(ctx context.Context) {
	tick := time.NewTicker(refreshEach)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		p.mu.Lock()
		var fronts []*front.Front
		for _, l := range p.listeners {
			if l.front != nil {
				fronts = append(fronts, l.front)
			}
		}
		p.mu.Unlock()
		for _, f := range fronts {
			f.Refresh()
		}
		p.uplinks.Refresh()
	}
}

// grants tells whether a listener is TCP, and its pool's links are direct: a client can
// only be sent on in words, so it is HTTP that is spoken there.
func grants(t *fairleadv1.Table, spec *fairleadv1.Listener) bool {
	if spec.GetProtocol() != fairleadv1.Protocol_PROTOCOL_TCP {
		return false
	}
	for _, r := range t.GetRoutes() {
		if r.GetListener() != spec.GetName() {
			continue
		}
		for _, pool := range t.GetPools() {
			if pool.GetNumber() == r.GetPool() {
				return pool.GetLink() == fairleadv1.Link_LINK_DIRECT
			}
		}
	}
	return false
}

// route takes the listener's routes from a table.
func (l *listener) route(spec *fairleadv1.Listener, h handed) {
	ms := func(n uint64) time.Duration { return time.Duration(min(n, 1<<40)) * time.Millisecond }
	t := spec.GetTimeouts()
	wait := http1.Timeouts{
		Idle: ms(t.GetIdleMs()), Head: ms(t.GetHeadMs()), Body: ms(t.GetBodyMs()), Answer: ms(t.GetAnswerMs()), FirstByte: ms(t.GetFirstByteMs()),
	}
	if t != nil && t.TunnelMs != nil {
		wait.Tunnel = cmp.Or(ms(t.GetTunnelMs()), -1)
	}
	l.timeouts.Store(&wait)
	var rules []route.Rule
	tcp := l4.Rules{IdleTimeout: time.Duration(min(spec.GetIdleTimeoutMs(), 1<<40)) * time.Millisecond}
	named := false
	for _, r := range h.table.GetRoutes() {
		if r.GetListener() == l.name {
			pool := routed(h.pools[r.GetPool()], r)
			rules = append(rules, route.Rule{Host: r.GetHost(), Path: r.GetPath(), Pool: pool})
			tcp.Pool = pool
			named = named || r.GetHost() != "*" && r.GetHost() != ""
		}
	}
	table := route.New(rules)
	if named {
		tcp.Names = table
	}
	l.rules.Store(&tcp)
	l.routes.Store(table)
}

// carrying returns the rules for the next TCP connection.
func (l *listener) carrying() l4.Rules { return *l.rules.Load() }

// granting returns the pool for whose direct links grants are given.
func (l *listener) granting() *link.Pool { return l.rules.Load().Pool }

// routed returns a pool as it is for the requests of one route.
func routed(pool *link.Pool, r *fairleadv1.Route) *link.Pool {
	class := fleet.Class(min(max(r.GetClass(), 0), fairleadv1.Class(fleet.Classes)))
	if pool == nil || class == fleet.NoClass && len(r.GetLabels()) == 0 {
		return pool
	}
	of := *pool
	of.Classify = pool.Classify.OnRoute(class, r.GetLabels())
	return &of
}

// serve starts a listener's carrier.
func (p *Proxy) serve(ctx context.Context, l *listener) {
	ctx, l.cancel = context.WithCancel(ctx)
	var run func() error
	if l.protocol == fairleadv1.Protocol_PROTOCOL_TCP && !l.grants {
		s := l4.New(l4.Config{
			Gate: p.gate, Granter: p.session, Logger: p.cfg.Logger, Hangup: p.watcher, Metrics: p.tcp, DrainTimeout: p.cfg.DrainTimeout,
			Classified: p.classified, Name: l.name, Headers: l.headers, Access: p.cfg.Access,
		})
		l.connections = s.Connections
		run = func() error { return s.Serve(ctx, l.ln, l.carrying) }
	} else {
		cfg := http1.Config{
			Gate: p.gate, Granter: p.session, Logger: p.cfg.Logger, Hangup: p.watcher, Metrics: p.http, DrainTimeout: p.cfg.DrainTimeout,
			Routes: l.routes.Load, Classified: p.classified, Backends: p.backends, Headers: l.headers,
			Name: l.name, Access: p.cfg.Access,
		}
		cfg.Timeouts = func() http1.Timeouts { return *l.timeouts.Load() }
		cfg.Trusted = func() forwarded.Trusted { return *l.trusted.Load() }
		if l.front != nil {
			cfg.TLS = l.front.Config
		} else {
			cfg.Challenge = p.challenge
		}
		if l.grants {
			cfg.Grants = l.granting
		}
		s := http1.New(cfg)
		l.connections = s.Connections
		run = func() error { return s.Serve(ctx, l.ln) }
	}
	p.running.Go(func() {
		defer close(l.done)
		if l.front != nil {
			defer l.front.Close()
		}
		// Once it is stopped its socket is closed, which is no failure.
		if err := run(); err != nil && ctx.Err() == nil {
			l.err = err
			p.cfg.Logger.Error("a listener failed; opening it again soon", "listener", l.name, "error", l.err)
			p.failed(l)
		}
	})
}

// failed notes that a listener is not open any more, so that it is opened again.
func (p *Proxy) failed(l *listener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listeners[l.name] == l {
		delete(p.listeners, l.name)
		p.problems[l.name] = l.err.Error()
	}
}

// closeAll stops every listener and waits until what runs has finished.
func (p *Proxy) closeAll() error {
	p.mu.Lock()
	all := p.listeners
	p.listeners = map[string]*listener{}
	p.mu.Unlock()
	for _, l := range all {
		l.stop()
	}
	p.running.Wait()
	var errs []error
	for _, l := range all {
		errs = append(errs, l.err)
	}
	return errors.Join(errs...)
}
