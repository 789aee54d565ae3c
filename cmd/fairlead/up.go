package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/fairlead/fairlead/internal/agent"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/demo"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy"
)

func newUp() *cobra.Command {
	var crowd bool
	cmd := &cobra.Command{
		Use:   "up [-c FILE]",
		Short: "Play every role in one process; without a file, a demo",
		Long: `Runs a controller and a proxy in one process, as the config file says. Without a file
it runs a demo: a controller, two proxies, three small backends of different speed that
do real work, and clients that come in waves.`,
	}
	file := addConfigFlag(cmd, "the config file; without it, a demo")
	record := addRecordFlag(cmd)
	cmd.Flags().BoolVar(&crowd, "load", true, "in the demo: have clients come in waves")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		log, err := logger(cmd)
		if err != nil {
			return err
		}
		if *file != "" {
			c, err := load(cmd, *file)
			if err != nil {
				return err
			}
			return recording(*record, func(record io.Writer) error {
				return up(cmd.Context(), c, log, lasting{record: record, reread: rereader(*file, c.Controller.Data, log)})
			})
		}
		return recording(*record, func(record io.Writer) error {
			return upDemo(cmd.Context(), cmd.OutOrStdout(), log, crowd, record)
		})
	}
	return cmd
}

// up runs a controller and one proxy.
func up(ctx context.Context, c *config.Config, log *slog.Logger, more lasting) error {
	registry := newRegistry()
	role, err := openController(c, log, registry, keptToken, more)
	if err != nil {
		return err
	}
	p, err := proxy.New(proxyConfig("proxy-1", log, registry, role.c.Dial))
	if err != nil {
		return err
	}
	return runTogether(ctx, role, []*proxy.Proxy{p}, nil)
}

// runTogether runs everything until ctx ends or a part fails, and then ends it from the
// outside in: first the proxies, which let their requests finish, then the others, last
// the controller.
func runTogether(ctx context.Context, role *controllerRole, proxies []*proxy.Proxy, others []func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var errs []error
	stages := []func(context.Context) error{role.run, together(others), func(ctx context.Context) error {
		var run []func(context.Context) error
		for _, p := range proxies {
			run = append(run, p.Run)
		}
		return together(run)(ctx)
	}}
	var ends []func()
	for _, stage := range stages {
		running, end := context.WithCancel(context.WithoutCancel(ctx))
		done := make(chan error, 1)
		go func() {
			done <- stage(running)
			stop() // one part that ends, ends all
		}()
		ends = append(ends, func() { end(); errs = append(errs, <-done) })
	}
	<-ctx.Done()
	for _, end := range slices.Backward(ends) {
		end()
	}
	return errors.Join(errs...)
}

// together runs functions at once, until ctx ends or one fails.
func together(all []func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		g, ctx := errgroup.WithContext(ctx)
		g.Go(func() error { <-ctx.Done(); return nil })
		for _, f := range all {
			g.Go(func() error { return f(ctx) })
		}
		return g.Wait()
	}
}

// The demo's fleet.
var (
	demoListens = []string{"127.0.0.1:8080", "127.0.0.1:8081"} // a proxy each
	demoCosts   = []demo.Cost{demo.Fast, demo.Medium, demo.Slow}
)

const demoSlots = 2

// demoBackend is one backend of the demo, with its address open.
type demoBackend struct {
	*demo.Backend
	ln net.Listener
}

// upDemo runs the demo.
func upDemo(ctx context.Context, out io.Writer, log *slog.Logger, load bool, record io.Writer) error {
	backends, err := openBackends()
	if err != nil {
		return err
	}
	c := demoConfig(backends)
	registry := newRegistry()
	role, err := openController(c, log, registry, withToken(rand.Text()), lasting{record: record})
	if err != nil {
		return err
	}
	proxies, urls, err := demoProxies(role, log, registry)
	if err != nil {
		return err
	}
	var others []func(context.Context) error
	for _, b := range backends {
		others = append(others, func(ctx context.Context) error { return serveDemoBackend(ctx, b, c, log) })
	}
	others = append(others, func(ctx context.Context) error {
		for _, p := range proxies {
			select {
			case <-p.Up():
			case <-ctx.Done():
				return nil
			}
		}
		printDemo(out, role, load)
		if !load {
			return nil
		}
		crowd := &demo.Load{URLs: urls, Logger: log}
		return crowd.Run(ctx)
	})
	return runTogether(ctx, role, proxies, others)
}

// demoProxies makes the demo's proxies, and returns their URLs with them.
func demoProxies(role *controllerRole, log *slog.Logger, registry *prometheus.Registry) (proxies []*proxy.Proxy, urls []string, err error) {
	for i, address := range demoListens {
		name := fmt.Sprintf("proxy-%d", i+1)
		named := prometheus.WrapRegistererWith(prometheus.Labels{"proxy": name}, registry)
		cfg := proxyConfig(name, log, named, role.c.Dial)
		cfg.Listen, cfg.DrainTimeout = map[string]string{"web": address}, 5*time.Second
		p, err := proxy.New(cfg)
		if err != nil {
			return nil, nil, err
		}
		proxies = append(proxies, p)
		urls = append(urls, "http://"+address)
	}
	return proxies, urls, nil
}

func openBackends() ([]demoBackend, error) {
	var all []demoBackend
	for i, cost := range demoCosts {
		name := fmt.Sprintf("backend-%d", i+1)
		ln, err := listen("the demo's "+name, fmt.Sprintf("127.0.0.1:%d", 9101+i))
		if err != nil {
			return nil, err
		}
		all = append(all, demoBackend{demo.New(name, cost), ln})
	}
	return all, nil
}

// serveDemoBackend serves a backend and reports for it. The backend outlives its agent,
// which has it drained first.
func serveDemoBackend(ctx context.Context, b demoBackend, c *config.Config, log *slog.Logger) error {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	served := make(chan error, 1)
	go func() { served <- b.Serve(serving, b.ln) }()
	err := runAgent(ctx, agent.Config{
		Controller: c.Controller.Listen, Pool: string(c.Pools[0].Name), Address: b.ln.Addr().String(),
		DrainTimeout: 5 * time.Second, Software: software(), Logger: log.With("backend", b.Name()),
	})
	stop()
	return errors.Join(err, <-served)
}

func demoConfig(backends []demoBackend) *config.Config {
	pool := config.Pool{
		Name: "render", Slots: demoSlots,
		Queue:   config.Queue{Limit: config.DefaultQueueLimit, Timeout: config.DefaultQueueTimeout},
		Retries: config.DefaultRetries, ConnectTimeout: config.DefaultConnectTimeout, GrantLimit: config.DefaultGrantLimit,
		Health: config.DefaultHealth(),
		Link:   config.Proxied, Prefer: config.PreferNone,
		AssignTimeout: config.DefaultAssignTimeout, TicketLife: config.DefaultTicketLife,
		RetryBudget: config.DefaultRetryBudget(),
	}
	pool.Health.Type, pool.Health.Path = config.HealthHTTP, "/healthz"
	for _, b := range backends {
		pool.Backends = append(pool.Backends, config.Backend{Address: b.ln.Addr().String()})
	}
	return &config.Config{
		Controller: config.Controller{Listen: config.DefaultListen, Admin: config.DefaultAdmin, Data: config.DefaultData, Name: config.DefaultControllerName, Advertise: config.DefaultListen},
		Locate:     config.Locate{Domain: config.DefaultDomain, TTL: config.DefaultTTL},
		Listeners:  []config.Listener{{Name: "web", Address: demoListens[0], Protocol: config.HTTP}},
		Routes:     []config.Route{{Listener: "web", Host: "*", Path: "/", Pool: fleet.PoolName("render")}},
		Pools:      []config.Pool{pool},
	}
}

func printDemo(out io.Writer, role *controllerRole, load bool) {
	var b strings.Builder
	fmt.Fprintf(&b, `
Fairlead's demo is up: one controller, two proxies, three backends with %d slots each.

  the page     http://%s/#token=%s
  proxies      http://%s  http://%s
  controller   %s

Try:

  curl http://%s/
  curl 'http://%s/v1/proxies/choose?listener=web'
  curl -o tile.png 'http://%s/tile?z=2&x=1&y=1'
  seq 40 | xargs -P 20 -I{} curl -s -o /dev/null -w '%%{http_code} %%{time_total}s\n' http://%s/

`, demoSlots, role.page.Addr(), role.token, demoListens[0], demoListens[1], role.wire.Addr(),
		demoListens[0], role.page.Addr(), demoListens[1], demoListens[0])
	if load {
		b.WriteString("Clients come in waves, so that there is something to see; --load=false keeps them away.\n")
	}
	b.WriteString("Ctrl-C drains and ends it.\n\n")
	fmt.Fprint(out, b.String())
}
