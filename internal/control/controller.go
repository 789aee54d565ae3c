// Package control is the controller's shell: it keeps the sessions of proxies and
// agents, has backends' health checked, and runs one goroutine around each pool's mind
// (package dispatch).
//
// How a word travels: a session's receiving goroutine checks a message, and hands what
// concerns a pool to the pool's runner, in order. The runner steps its mind through all
// that has come, and puts the effects into the outboxes of the sessions that they
// concern; each session's sending goroutine sends what has gathered since its last
// message. So pools decide on different cores, and no step waits for a network.
package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/probe"
	"github.com/fairlead/fairlead/internal/store"
	"github.com/fairlead/fairlead/internal/ticket"
	"github.com/fairlead/fairlead/internal/trust"
)

// Limits of the wire. The proto file tells them to other implementers.
const (
	oldestVersion  = 1
	newestVersion  = 1
	maxMessage     = 4 << 20
	maxAgentReport = 64 << 10
	maxOutstanding = 16384              // asks of one proxy without an answer
	maxUnsent      = 4 * maxOutstanding // answers that a proxy has not read
	maxStreams     = 64                 // sessions and calls on one connection
	maxProxies     = 10_000             // that are known, connected or not
	silence        = 3 * time.Second
	grace          = 3 * time.Second // how long grants outlive their proxy's session
)

// Config is what a Controller needs.
type Config struct {
	File *config.Config
	// Trust brings mutual TLS. Without it (nil) whoever connects may act as anything.
	Trust *trust.Credentials
	// Locator chooses proxies for clients; nil: nobody does.
	Locator Locator
	// Record gets the decision log of all pools (package record); nil: nobody does. It is
	// written to while Run runs, and left open.
	Record io.Writer
	// Store is where controllers agree on who leads which pool, and where what must last is
	// kept; nil: this controller leads them all, and keeps nothing.
	Store *store.Store
	// Reread reads the config file again for a reload; nil: there is none.
	Reread Reread
	// Problem is what is wrong with the config file, where the last good one was taken
	// instead; nil: nothing is.
	Problem  error
	Name     string // of this controller, among those of the store
	Software string // "fairlead 0.1.0"
	Logger   *slog.Logger
}

// Controller decides for all pools of its config. Its methods are safe for concurrent
// use.
type Controller struct {
	cfg       Config
	epoch     uint64
	start     time.Time
	prober    *probe.Prober
	keyring   *ticket.Keyring
	refusals  *refusals
	states    proxyStates
	shape     atomic.Pointer[shape]
	keeper    atomic.Pointer[store.Keeper] // nil: there is no store
	reloads   reloads
	reload    sync.Mutex      // one at a time; guards the next two
	group     *errgroup.Group // of what Run has started; nil: it does not run
	running   context.Context // ends with Run
	proxies   *proxyRegistry
	agents    *agentRegistry
	grpc      *grpc.Server
	inner     *inner
	recorder  *recorder     // nil: decisions are not logged
	stopped   chan struct{} // closed when Run ends, for sessions
	aim       chan struct{} // the set of backends to check has changed
	readers   sync.WaitGroup
	ready     atomic.Bool
	members   atomic.Pointer[[]store.Member]              // that live; nil: not known
	leaders   atomic.Pointer[map[string]store.Leader]     // by pool; nil: not known
	overrides atomic.Pointer[map[agentKey]store.Override] // by an operator, as the store says; nil: not known
}

// New makes a Controller. Run has to be called for it to do anything.
func New(cfg Config) *Controller {
	c := &Controller{
		cfg: cfg, epoch: uint64(time.Now().UnixMilli()), start: time.Now(),
		stopped: make(chan struct{}),
		aim:     make(chan struct{}, 1),
	}
	if cfg.Problem != nil {
		problem := cfg.Problem.Error()
		c.reloads.problem.Store(&problem)
	}
	c.keyring = ticket.NewKeyring(time.Now())
	c.refusals = newRefusals(cfg.Logger)
	c.prober = probe.New(c.verdict, cfg.Logger)
	c.proxies = newProxyRegistry()
	c.agents = newAgentRegistry()
	if cfg.Record != nil {
		c.recorder = newRecorder(cfg.Record, cfg.Logger)
	}
	c.shape.Store(&shape{file: cfg.File})
	c.shape.Store(c.shaped(cfg.File, func(p config.Pool, number uint32) *runner { return newRunner(c, p, number, cfg.File) }))
	c.grpc = c.newServer(newCredentials(cfg.Trust, c.refusals.note))
	c.inner = newInner(c)
	return c
}

func (c *Controller) now() fleet.Time { return fleet.Time(time.Since(c.start)) + 1 }

func (c *Controller) newServer(creds credentials.TransportCredentials) *grpc.Server {
	s := grpc.NewServer(
		grpc.Creds(creds),
		grpc.UnaryInterceptor(interceptUnary),
		grpc.StreamInterceptor(interceptStream),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(16<<10),
		grpc.ConnectionTimeout(5*time.Second),
		grpc.WaitForHandlers(true),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 10 * time.Second, Timeout: 5 * time.Second, MaxConnectionIdle: 2 * time.Minute}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	)
	fairleadv1.RegisterProxiesServer(s, proxiesService{c: c})
	fairleadv1.RegisterAgentsServer(s, agentsService{c: c})
	fairleadv1.RegisterToolsServer(s, toolsService{c: c})
	if c.cfg.Locator != nil {
		fairleadv1.RegisterLocatorServer(s, c.cfg.Locator)
	}
	return s
}

// Run serves on ln until ctx ends, and joins all that it started. Proxies keep their
// live grants over the end, and bring them to the next controller.
func (c *Controller) Run(ctx context.Context, ln net.Listener) error {
	g, ctx := errgroup.WithContext(ctx)
	c.reload.Lock()
	c.group, c.running = g, ctx
	for _, r := range c.runners() {
		c.launch(r)
	}
	c.reload.Unlock()
	if c.recorder != nil {
		g.Go(func() error { c.recorder.run(ctx, c.runners()); return nil })
	}
	g.Go(func() error { return c.prober.Run(ctx) })
	g.Go(func() error { c.sample(ctx); return nil })
	g.Go(func() error { c.takeAim(ctx); return nil })
	g.Go(func() error { c.rotate(ctx); return nil })
	g.Go(func() error { return c.compete(ctx) })
	g.Go(func() error {
		if err := c.grpc.Serve(newDoorman(ln, c.refusals.note)); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			return fmt.Errorf("serving gRPC on %s: %w", ln.Addr(), err)
		}
		return nil
	})
	g.Go(c.inner.serve)
	g.Go(func() error {
		<-ctx.Done()
		c.reload.Lock()
		c.group = nil
		c.reload.Unlock()
		c.ready.Store(false)
		close(c.stopped)
		c.inner.stop()
		c.grpc.Stop()
		return nil
	})
	c.ready.Store(true)
	c.cfg.Logger.Info("controller is up", "address", ln.Addr().String(), "pools", len(c.runners()), "epoch", c.epoch)
	err := g.Wait()
	c.readers.Wait()
	return err
}

func (c *Controller) hasStopped() bool {
	select {
	case <-c.stopped:
		return true
	default:
		return false
	}
}

// Ready returns nil when asks are answered, else why not.
func (c *Controller) Ready() error {
	if !c.ready.Load() {
		return errors.New("the controller is starting or stopping")
	}
	return nil
}
