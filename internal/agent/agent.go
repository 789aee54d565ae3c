// Package agent is the engine of `fairlead agent`: it stands beside a backend that knows
// nothing of Fairlead, samples the host once a second and reports it to every controller,
// and has the backend drained before it leaves. In pools that assign it takes every
// request until then.
//
// For pools whose link is direct it can be the backend's gate: it lets in who has a ticket.
//
// Whether the backend is alive is no question for the agent: the controller checks that
// itself, from where requests come.
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/fairlead/fairlead/sdk/backend"
)

// DefaultDrainTimeout is how long a leaving agent waits for its backend's requests.
const DefaultDrainTimeout = 30 * time.Second

// Sampler measures the host. Sample is called once a second, by one goroutine.
type Sampler interface {
	// Sample returns what could be measured, and what could not be as an error.
	Sample() (backend.Load, error)
}

// Config says for which backend an agent reports. Controller, Pool and Address are
// needed.
type Config struct {
	Controller string // host:port; of several controllers all, with commas between
	Pool       string
	Address    string // host:port at which proxies reach the backend
	Slots      int    // 0: as the pool says
	Workers    int    // the same, in a pool whose backends have a queue of their own
	Labels     map[string]string
	Zone       string
	Software   string // for people, such as "fairlead 0.1.0"
	// Public is where clients reach the backend, or its gate, in a pool whose link is
	// direct: host:port, http://host:port or https://host:port; empty: as the controller
	// says.
	Public string

	// Gate, if set, lets clients of a pool whose link is direct through to a backend that
	// knows nothing of Fairlead, those with a ticket, each ticket once: Run serves it
	// until the backend is drained, and closes it. Forward is the backend's own address,
	// host:port, which clients should not be able to reach. GateProtocol is HTTP or TCP.
	// An HTTP backend gets requests as the client wrote them, without the ticket and with
	// the X-Forwarded fields; with TCP a connection begins with a header that has the
	// ticket (see sdk/backend), and the backend gets what follows.
	Gate         net.Listener
	Forward      string
	GateProtocol string

	DrainTimeout time.Duration // 0: DefaultDrainTimeout
	AwayTimeout  time.Duration // how long a drain waits for a controller that is away; 0: 5 s
	StartTimeout time.Duration // without a first word from the controller, Run gives up; 0: never
	Sampler      Sampler       // nil: NewHost

	// Certificate, Key and CA are the PEM files for mutual TLS with the controller: all
	// three or none.
	Certificate, Key, CA string
	// Insecure allows plain text to a controller on another host; DialOptions may bring
	// other credentials.
	Insecure    bool
	DialOptions []grpc.DialOption

	Logger *slog.Logger // nil: none
}

// Agent reports for one backend.
type Agent struct {
	reporter     *backend.Reporter
	gate         gate // nil: none
	sampler      Sampler
	drainTimeout time.Duration
	startTimeout time.Duration
	awayTimeout  time.Duration
	controller   string
	logger       *slog.Logger
	joined       atomic.Bool // a controller has ever had this backend
	failure      string      // what the last sample failed with; of the reporter's goroutine

	mu        sync.Mutex // guards what is below
	connected bool
	away      *time.Timer // ends a drain without a controller; nil: not draining
}

// New checks cfg and makes an Agent, which does nothing until Run is called.
func New(cfg Config) (*Agent, error) {
	a := &Agent{
		sampler: cfg.Sampler, drainTimeout: cfg.DrainTimeout, startTimeout: cfg.StartTimeout,
		controller: cfg.Controller, logger: cfg.Logger,
	}
	if a.sampler == nil {
		a.sampler = NewHost()
	}
	if a.awayTimeout = cfg.AwayTimeout; a.awayTimeout <= 0 {
		a.awayTimeout = 5 * time.Second
	}
	if a.drainTimeout == 0 {
		a.drainTimeout = DefaultDrainTimeout
	}
	if a.drainTimeout < 0 {
		return nil, fmt.Errorf("Config.DrainTimeout: %v is negative; give the time that requests get to end", a.drainTimeout)
	}
	if a.logger == nil {
		a.logger = slog.New(slog.DiscardHandler)
	}
	if err := cfg.checkGate(); err != nil {
		return nil, err
	}
	reporter, err := backend.New(backend.Config{
		Controller: cfg.Controller, Pool: cfg.Pool, Address: cfg.Address,
		Slots: cfg.Slots, Workers: cfg.Workers, Labels: cfg.Labels, Zone: cfg.Zone, Software: cfg.Software,
		Public: cfg.Public, Direct: cfg.Gate != nil,
		Load: a.sample, OnState: a.note,
		Certificate: cfg.Certificate, Key: cfg.Key, CA: cfg.CA,
		Insecure: cfg.Insecure, DialOptions: cfg.DialOptions, Logger: a.logger,
	})
	if err != nil {
		return nil, err // it names the field, and the fields have the same names here
	}
	a.reporter = reporter
	a.gate = a.openGate(&cfg, reporter)
	return a, nil
}

// Refused returns how many clients the gate has turned away, by reason (see
// backend.Reporter). Safe for concurrent use; the map is the caller's.
func (a *Agent) Refused() map[string]uint64 { return a.reporter.Refused() }

// Run reports, and serves the gate, until ctx ends, then asks the controller for a drain,
// awaits it, leaves and returns nil. It returns an error if the controller turned the
// backend away or none answered within StartTimeout, if the gate failed, or if after
// DrainTimeout requests were still in flight or no controller was there to tell; it has
// left then too. Every goroutine that it started has ended when it returns. Run may be
// called once.
func (a *Agent) Run(ctx context.Context) error {
	reporting, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	ended := make(chan error, 1)
	go func() { ended <- a.work(reporting) }()
	var late <-chan time.Time
	if a.startTimeout > 0 {
		t := time.NewTimer(a.startTimeout)
		defer t.Stop()
		late = t.C
	}
	for waiting := true; waiting; {
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			waiting = false
		case <-late:
			if !a.joined.Load() {
				leave()
				return errors.Join(<-ended, fmt.Errorf("no controller answered at %s in the first %s; is it running, and is that its gRPC address?", a.controller, a.startTimeout))
			}
		}
	}
	drained := a.drain(context.WithoutCancel(ctx))
	leave()
	if err := <-ended; err != nil {
		return err
	}
	return drained
}

// work reports and serves the gate until ctx ends, or until one of the two has failed. The
// gate is closed first, so that the controller hears how its last requests went.
func (a *Agent) work(ctx context.Context) error {
	gated, shut := context.WithCancel(ctx)
	defer shut()
	reporting, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	closed := make(chan error, 1)
	go func() {
		closed <- a.serveGate(gated)
		leave()
	}()
	err := a.reporter.Run(reporting)
	shut()
	return errors.Join(err, <-closed)
}

// drain returns at once if no controller was ever met, as none sends requests then.
func (a *Agent) drain(ctx context.Context) error {
	if !a.joined.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.drainTimeout)
	defer cancel()
	ctx, cancelFor := context.WithCancelCause(ctx)
	defer cancelFor(nil)
	a.logger.Info("draining the backend", "at_most", a.drainTimeout)
	// A controller that is away for longer than its grace has nobody send requests here,
	// and is as likely ending too: do not wait for it.
	a.mu.Lock()
	a.away = time.AfterFunc(a.awayTimeout, func() { cancelFor(errAlone) })
	if a.connected {
		a.away.Stop()
	}
	a.mu.Unlock()
	err := a.reporter.Drain(ctx)
	switch {
	case errors.Is(err, backend.ErrStopped):
		return nil // the reporter's own error says why
	case errors.Is(context.Cause(ctx), errAlone):
		return errAlone
	}
	return err
}

var errAlone = errors.New("left without a drain: the controller is away")

// note remembers whether there is somebody to drain with.
func (a *Agent) note(s backend.State) {
	if s.Connected {
		a.joined.Store(true)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.connected = s.Connected
	switch {
	case a.away == nil:
	case s.Connected:
		a.away.Stop()
	default:
		a.away.Reset(a.awayTimeout)
	}
}

// sample measures, and says what cannot be measured once, not each second.
func (a *Agent) sample() backend.Load {
	load, err := a.sampler.Sample()
	failure := ""
	if err != nil {
		failure = err.Error()
	}
	if failure != a.failure && failure != "" {
		a.logger.Warn("part of the host's load cannot be measured, and is left out of the reports", "error", err)
	}
	a.failure = failure
	return load
}
