// Package proxy is the proxy's shell: it keeps the session with the controller, opens
// the listeners that the controller hands out, and has the carriers (packages http1 and
// l4) link clients to the backends that are granted.
package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/shirou/gopsutil/v4/process"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/proxy/accesslog"
	"github.com/fairlead/fairlead/internal/proxy/classify"
	"github.com/fairlead/fairlead/internal/proxy/front"
	"github.com/fairlead/fairlead/internal/proxy/gate"
	"github.com/fairlead/fairlead/internal/proxy/hangup"
	"github.com/fairlead/fairlead/internal/proxy/http1"
	"github.com/fairlead/fairlead/internal/proxy/l4"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/originate"
	"github.com/fairlead/fairlead/internal/proxy/proxyproto"
	"github.com/fairlead/fairlead/internal/proxy/session"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// Config is what a Proxy needs.
type Config struct {
	// Controllers are all that may lead pools; Dial is for where there is one.
	Controllers []session.Controller
	Dial        func() (*grpc.ClientConn, error)
	Name        string // stable over restarts, unlike any other's
	Zone        string
	Software    string
	// Advertise is the host at which clients reach this proxy; empty: the one that its
	// listeners are bound to, or that its session comes from.
	Advertise string
	// Replaces is the instance of the run of this proxy that has handed its listeners over.
	Replaces string
	// MaxConnections bounds client connections, over all listeners; 0: nothing does.
	MaxConnections int
	// Linger is for how long it goes on taking connections after Run's context ended, so
	// that clients who were led here before can still come.
	Linger time.Duration
	// Listen replaces addresses of the controller's listeners, by their names.
	Listen map[string]string
	// DrainTimeout is how long requests in flight may run on after Run's context ended.
	DrainTimeout time.Duration
	// Patience is how long a request waits for a controller that is away.
	Patience time.Duration
	// StartTimeout is how long Run waits for a first word from the controller, where no
	// last table is kept; 0: for ever.
	StartTimeout time.Duration
	// Access is told of what was carried and refused; nil: nothing is logged. It is the
	// caller's to close, once Run has returned.
	Access     *accesslog.Log
	Data       string // a directory for the last good table; empty: it is not kept
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	// Open opens a listener; net.Listen where it is nil.
	Open func(network, address string) (net.Listener, error)
}

// Proxy carries traffic for one controller. Its methods are safe for concurrent use.
type Proxy struct {
	cfg     Config
	session *session.Session
	http    *web.Metrics
	tcp     *l4.Metrics
	headers *proxyproto.Metrics

	classified   *classify.Metrics
	certificates *front.Metrics
	uplinks      *originate.Pools // TLS to backends

	gate     *gate.Gate
	watcher  *hangup.Watcher // while Run runs
	backends *http1.Backends // the same
	process  *process.Process
	tables   chan handed
	up       chan struct{}  // closed when the first table's listeners are open
	running  sync.WaitGroup // listeners

	mu        sync.Mutex // guards what is below
	listeners map[string]*listener
	problems  map[string]string // by listener: why it is not open
	draining  bool
	measured  time.Time // when cpu was
	cpu       float64   // of one core
}

// cpuEach is how often this process measures its CPU, however many controllers it tells.
const cpuEach = 900 * time.Millisecond

// handed is a table as it came from the session.
type handed struct {
	table *fairleadv1.Table
	pools map[uint32]*link.Pool
}

// New makes a Proxy. Run has to be called for it to do anything.
func New(cfg Config) (*Proxy, error) {
	if cfg.Open == nil {
		cfg.Open = net.Listen
	}
	self, err := process.NewProcess(int32(os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("measuring this process: %w", err)
	}
	carried, err1 := web.NewMetrics(cfg.Registerer)
	tcp, err2 := l4.NewMetrics(cfg.Registerer)
	classified, err3 := classify.NewMetrics(cfg.Registerer)
	decisions, err4 := session.NewMetrics(cfg.Registerer)
	certificates, errCerts := front.NewMetrics(cfg.Registerer)
	secured, errSecured := originate.NewMetrics(cfg.Registerer)
	headers, err5 := proxyproto.NewMetrics(cfg.Registerer)
	if err := errors.Join(err1, err2, err3, err4, err5, errCerts, errSecured); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	p := &Proxy{
		cfg: cfg, process: self, http: carried, tcp: tcp, headers: headers, classified: classified, certificates: certificates,
		uplinks: originate.NewPools(cfg.Logger, secured),
		tables:  make(chan handed, 1), up: make(chan struct{}),
		listeners: map[string]*listener{}, problems: map[string]string{},
	}
	if cfg.MaxConnections > 0 {
		p.gate = gate.New(cfg.MaxConnections)
	}
	if p.lastTable() != nil {
		cfg.StartTimeout = 0
	}
	if cfg.Dial != nil {
		cfg.Controllers = append(cfg.Controllers, session.Controller{Name: "controller", Dial: cfg.Dial})
	}
	p.session = session.New(session.Config{
		StartTimeout: cfg.StartTimeout,
		Controllers:  cfg.Controllers, Name: cfg.Name, Zone: cfg.Zone, Advertise: cfg.Advertise, Replaces: cfg.Replaces, Software: cfg.Software, Logger: cfg.Logger,
		Patience: cfg.Patience, OnTable: p.offer, Status: p.status, Metrics: decisions,
	})
	return p, nil
}

// offer leaves a table for Run, in place of one that was not looked at yet. Only the
// session's goroutine calls it.
func (p *Proxy) offer(t *fairleadv1.Table, pools map[uint32]*link.Pool) {
	select {
	case <-p.tables:
	default:
	}
	p.tables <- p.hand(t, pools)
}

// Instance names this run of the proxy.
func (p *Proxy) Instance() string { return p.session.Instance() }

// Up is closed when the listeners of the first table are open.
func (p *Proxy) Up() <-chan struct{} { return p.up }

// Ready returns nil when requests are served, else why not.
func (p *Proxy) Ready() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.draining:
		return errors.New("the proxy is draining")
	case len(p.listeners) == 0:
		return errors.New("no listener is open")
	}
	return p.session.Serves()
}

// Address returns where a listener is open; empty: it is not.
func (p *Proxy) Address(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.listeners[name]; l != nil {
		return l.ln.Addr().String()
	}
	return ""
}

// Run serves until ctx ends; then it takes no more connections, lets what runs finish
// within the drain timeout, and returns nil. It returns an error when a listener of the
// first table cannot be opened, or the controller refuses the proxy for good. It joins
// all that it started.
func (p *Proxy) Run(ctx context.Context) error {
	watcher, err := hangup.New()
	if err != nil {
		return fmt.Errorf("watching clients: %w", err)
	}
	p.watcher = watcher
	defer watcher.Close()
	p.backends = http1.NewBackends(0)
	defer p.backends.Close()
	// The session outlives the listeners: what finishes is still told.
	talking, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	lingering, leave := p.linger(ctx)
	defer leave()
	g, serving := errgroup.WithContext(lingering)
	told := make(chan error, 1)
	opened := make(chan struct{})
	go func() {
		<-opened // the last table comes before any other
		told <- p.session.Run(talking)
	}()
	g.Go(func() error { return p.follow(serving, sync.OnceFunc(func() { close(opened) })) })
	g.Go(func() error { p.refresh(serving); return nil })
	if p.cfg.Data != "" {
		g.Go(func() error { p.keepBackends(serving); return nil })
	}
	g.Go(func() error {
		select {
		case err := <-told:
			told <- nil
			return err
		case <-serving.Done():
			return nil
		}
	})
	err = g.Wait()
	p.drain()
	err = errors.Join(err, p.closeAll())
	hangUp()
	return errors.Join(err, <-told)
}

// linger returns a context that ends some time after ctx, which the controller uses to
// lead nobody here any more.
func (p *Proxy) linger(ctx context.Context) (context.Context, func()) {
	lingering, leave := context.WithCancel(context.WithoutCancel(ctx))
	var mu sync.Mutex // guards timer
	var timer *time.Timer
	stop := context.AfterFunc(ctx, func() {
		p.drain()
		mu.Lock()
		defer mu.Unlock()
		timer = time.AfterFunc(p.cfg.Linger, leave)
	})
	return lingering, func() {
		stop()
		leave()
		mu.Lock()
		defer mu.Unlock()
		if timer != nil {
			timer.Stop()
		}
	}
}

// drain has the controller told, at once, that nobody should be led here.
func (p *Proxy) drain() {
	p.mu.Lock()
	p.draining = true
	p.mu.Unlock()
	p.session.Tell()
}

// follow opens and closes listeners as the tables say. It calls opened when those of the last
// table are.
func (p *Proxy) follow(ctx context.Context, opened func()) error {
	defer opened()
	first := true
	if t := p.lastTable(); t != nil {
		p.cfg.Logger.Info("serving the last table until a controller answers", "data", p.cfg.Data)
		backends := &fairleadv1.LastBackends{}
		p.last(backendsFile, backends)
		p.session.Restore(t, backends)
		if err := p.apply(ctx, p.hand(t, session.Pools(t))); err != nil {
			p.cfg.Logger.Warn("the last table does not fit any more; waiting for a controller", "error", err)
		}
	}
	opened()
	retry := time.NewTicker(5 * time.Second)
	defer retry.Stop()
	var now handed
	for {
		select {
		case now = <-p.tables:
			err := p.apply(ctx, now)
			if err != nil && first {
				return err
			}
			p.session.Tell() // where the listeners are
			p.keepTable(now.table)
			if first {
				first = false
				close(p.up)
			}
		case <-retry.C:
			if now.table != nil && p.troubled() {
				_ = p.apply(ctx, now) // what is still wrong stands in the status
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (p *Proxy) troubled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.problems) > 0
}

// apply makes the listeners what a table says. Those that it does not change go on.
func (p *Proxy) apply(ctx context.Context, h handed) error {
	if err := p.checkOverrides(h.table); err != nil {
		return err
	}
	p.retire(h.table)
	var errs []error
	for _, spec := range h.table.GetListeners() {
		if err := p.ensure(ctx, spec, h); err != nil {
			p.cfg.Logger.Error("a listener is not open", "listener", spec.GetName(), "error", err)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// checkOverrides returns an error when --listen names a listener that is not there.
func (p *Proxy) checkOverrides(t *fairleadv1.Table) error {
	var names []string
	for _, l := range t.GetListeners() {
		names = append(names, l.GetName())
	}
	for name := range p.cfg.Listen {
		if !slices.Contains(names, name) {
			return fmt.Errorf("the controller has no listener named %q to be moved by --listen; it has %q", name, names)
		}
	}
	return nil
}

// status is the proxy's own state, for the controller.
func (p *Proxy) status() *fairleadv1.ProxyStatus {
	s := &fairleadv1.ProxyStatus{MaxConnections: uint32(p.gate.Most()), Cores: uint32(runtime.GOMAXPROCS(0))}
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); now.Sub(p.measured) >= cpuEach {
		if cpu, err := p.process.Percent(0); err == nil {
			p.cpu = cpu / 100
		}
		p.measured = now
	}
	s.Cpu = p.cpu
	s.Draining = p.draining
	for name, l := range p.listeners {
		s.Connections += uint32(l.connections())
		s.Listeners = append(s.Listeners, &fairleadv1.BoundListener{Name: name, Address: l.ln.Addr().String()})
	}
	for name, problem := range p.problems {
		s.Listeners = append(s.Listeners, &fairleadv1.BoundListener{Name: name, Error: problem})
	}
	slices.SortFunc(s.Listeners, func(a, b *fairleadv1.BoundListener) int {
		return cmp.Compare(a.GetName(), b.GetName())
	})
	return s
}
