package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/proxy"
	"github.com/fairlead/fairlead/internal/proxy/accesslog"
	"github.com/fairlead/fairlead/internal/proxy/session"
)

// Defaults of a proxy.
const (
	defaultDrain    = 30 * time.Second
	defaultPatience = 10 * time.Second
	defaultStart    = 30 * time.Second
)

func newProxy() *cobra.Command {
	var p proxyFlags
	cmd := &cobra.Command{
		Use:   "proxy --controller HOST:PORT[,HOST:PORT...]",
		Short: "Carry traffic for a controller",
		Long: `Serves the listeners that the controller hands out. For each HTTP request and each TCP
connection it asks the controller, and links the client to the backend that is granted.
On SIGTERM it takes no more connections and lets what runs finish.

Of several controllers, --controller takes all, as HOST:PORT,HOST:PORT: each pool is led by
one of them at a time, and the proxy asks that one.`,
	}
	addControllerFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&p.name, "name", "", "this proxy's name, unlike any other's (default: host name)")
	f.StringArrayVar(&p.overrides, "listen", nil, "NAME=HOST:PORT: where to open one of the controller's listeners here; may be repeated")
	f.StringVar(&p.advertise, "advertise", "", "the host at which clients reach this proxy (default: the one that its listeners are bound to, or that the controller sees)")
	f.IntVar(&p.most, "max-connections", 0, "client connections taken at a time; at this bound no client is led here (default: by the limit on open files)")
	f.DurationVar(&p.linger, "linger", 0, "how long to go on taking connections after SIGTERM, for clients who were led here before; set it to locate.ttl where DNS is used")
	f.StringVar(&p.zone, "zone", "", "where this proxy is")
	f.StringVar(&p.data, "data", "", "a directory to keep the last table in, for a start without a controller")
	f.StringVar(&p.admin, "admin", "", "HOST:PORT for /metrics, /healthz and /readyz (default: none)")
	f.StringVar(&p.handover, "handover", "", "a socket's path: take over the listeners of the proxy that serves there, and hand them over to the next (upgrades)")
	f.DurationVar(&p.drain, "drain-timeout", defaultDrain, "how long requests in flight may run on after SIGTERM")
	f.DurationVar(&p.start, "start-timeout", defaultStart, "how long to wait for the controller at start; 0: for ever")
	p.access.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return p.run(cmd) }
	return cmd
}

// proxyFlags is the command line of a proxy.
type proxyFlags struct {
	name, zone, data, admin, advertise string
	handover                           string
	overrides                          []string
	drain, start, linger               time.Duration
	most                               int
	access                             accessFlags
}

func (f *proxyFlags) run(cmd *cobra.Command) error {
	log, err := logger(cmd)
	if err != nil {
		return err
	}
	listen, err := parseOverrides(cmd, f.overrides)
	if err != nil {
		return err
	}
	if err := checkTimes(cmd, "drain-timeout", "start-timeout", "linger"); err != nil {
		return err
	}
	if f.name == "" {
		if f.name, err = os.Hostname(); err != nil {
			return fmt.Errorf("no --name, and the host has none either: %w", err)
		}
	}
	if f.most < 0 {
		return usage(cmd, "--max-connections %d: it is 1 or more, or 0 for as many as open files allow", f.most)
	}
	if f.advertise != "" {
		if _, err := config.BackendAddress(net.JoinHostPort(f.advertise, "1")); err != nil {
			return usage(cmd, "--advertise %q is neither an IP address nor a host name; say what clients can connect to, without a port", f.advertise)
		}
	}
	access, err := f.access.config(cmd)
	if err != nil {
		return err
	}
	at, err := controllerAddress(cmd)
	if err != nil {
		return err
	}
	creds, err := at.credentials(log)
	if err != nil {
		return err
	}
	registry := newRegistry()
	cfg := proxyConfig(f.name, log, registry, nil)
	cfg.Controllers = at.sessions(creds)
	cfg.Zone, cfg.Listen, cfg.Data, cfg.Advertise = f.zone, listen, f.data, f.advertise
	cfg.DrainTimeout, cfg.StartTimeout, cfg.Linger = f.drain, f.start, f.linger
	if f.most > 0 {
		cfg.MaxConnections = f.most
	}
	return withAccessLog(cmd.Context(), access, log, registry, func(access *accesslog.Log) error {
		cfg.Access = access
		return f.serve(cmd.Context(), cfg, registry, log)
	})
}

// serve runs a proxy on the sockets that were handed to this process, or on its own.
func (f *proxyFlags) serve(ctx context.Context, cfg proxy.Config, registry *prometheus.Registry, log *slog.Logger) error {
	succession := &succession{path: f.handover, sockets: newSockets(), log: log}
	err := succession.sockets.fromSystemd()
	if err != nil {
		return err
	}
	if cfg.Replaces, err = succession.begin(); err != nil {
		return err
	}
	cfg.Open = succession.sockets.Open
	p, err := proxy.New(cfg)
	if err != nil {
		return err
	}
	return runProxy(ctx, p, f.admin, registry, succession)
}

// sessions returns the controllers as a proxy takes them.
func (at controllerAt) sessions(creds credentials.TransportCredentials) []session.Controller {
	var all []session.Controller
	for _, address := range at.addresses {
		all = append(all, session.Controller{Name: address, Dial: func() (*grpc.ClientConn, error) { return connect(address, creds) }})
	}
	return all
}

func proxyConfig(name string, log *slog.Logger, registry prometheus.Registerer, dial func() (*grpc.ClientConn, error)) proxy.Config {
	return proxy.Config{
		Dial: dial, Name: name, Software: software(), MaxConnections: maxConnections(),
		DrainTimeout: defaultDrain, Patience: defaultPatience,
		Logger: log.With("proxy", name), Registerer: registry,
	}
}

// runProxy runs a proxy until ctx ends or a successor has taken over, and, where it has one,
// its admin address.
func runProxy(ctx context.Context, p *proxy.Proxy, admin string, registry *prometheus.Registry, next *succession) error {
	// The admin address goes on while the proxy drains, unless a successor answers there.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g, failed := errgroup.WithContext(ctx)
	running, leave := context.WithCancel(failed)
	defer leave()
	if admin != "" {
		ln, err := next.sockets.Open("tcp", admin)
		if err != nil {
			return wordListen("the proxy's admin address (--admin)", admin, err)
		}
		g.Go(func() error { return serveAdmin(serving, ln, registry, p.Ready) })
	}
	g.Go(func() error {
		handed, err := next.serve(running, p)
		if handed {
			stop()
			leave()
		}
		return err
	})
	g.Go(func() error {
		defer stop()
		defer leave()
		return p.Run(running)
	})
	return g.Wait()
}

func parseOverrides(cmd *cobra.Command, overrides []string) (map[string]string, error) {
	listen := map[string]string{}
	for _, o := range overrides {
		name, address, ok := strings.Cut(o, "=")
		if !ok || name == "" {
			return nil, usage(cmd, "--listen %q is not NAME=HOST:PORT", o)
		}
		if err := checkHostPort(address); err != nil {
			return nil, usage(cmd, "--listen %q: %v", o, err)
		}
		if _, twice := listen[name]; twice {
			return nil, usage(cmd, "--listen names %q twice", name)
		}
		listen[name] = address
	}
	return listen, nil
}
