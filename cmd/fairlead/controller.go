package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/control"
	"github.com/fairlead/fairlead/internal/dash"
	"github.com/fairlead/fairlead/internal/locate"
	"github.com/fairlead/fairlead/internal/store"
	"github.com/fairlead/fairlead/internal/trust"
)

func newController() *cobra.Command {
	cmd := &cobra.Command{
		Use: "controller -c FILE", Short: "Decide for a fleet of proxies",
	}
	file := addConfigFlag(cmd, "the config file")
	record := addRecordFlag(cmd)
	var data string
	var strict bool
	cmd.Flags().StringVar(&data, "data", config.DefaultData, "where to look for the last good config when the file is not good; else the file's controller.data goes")
	cmd.Flags().BoolVar(&strict, "strict", false, "do not start with the last good config when the file is not good")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		log, err := logger(cmd)
		if err != nil {
			return err
		}
		c, problem, err := loadOrLast(cmd, *file, data, strict, log)
		if err != nil {
			return err
		}
		return recording(*record, func(record io.Writer) (err error) {
			st, err := openStore(cmd.Context(), &c.Controller, log)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, st.Close()) }()
			role, err := openController(c, log, newRegistry(), keptToken, lasting{
				record: record, store: st, problem: problem, reread: rereader(*file, c.Controller.Data, log),
			})
			if err != nil {
				return err
			}
			return role.run(cmd.Context())
		})
	}
	return cmd
}

// lasting is what a controller has beyond the config, where it is more than a demo.
type lasting struct {
	record  io.Writer
	store   *store.Store
	problem error // with the config file, where the last good one is in force
	reread  control.Reread
}

// controllerRole is a controller with its addresses open.
type controllerRole struct {
	c     *control.Controller
	dash  *dash.Server
	loc   *locate.Locator
	token string // of the admin address
	doors
	reloads bool // by SIGHUP
}

// doors are a controller's addresses.
type doors struct {
	wire, page net.Listener
	dnsUDP     net.PacketConn // nil, as the next two: there is none
	dnsTCP     net.Listener
	choose     net.Listener
}

// lateSource lets the locator be made before the controller that it asks.
type lateSource struct{ *control.Controller }

func openController(file *config.Config, log *slog.Logger, registry *prometheus.Registry, token tokenSource, more lasting) (*controllerRole, error) {
	secret, hint, err := token(file)
	if err != nil {
		return nil, err
	}
	identity, err := controllerIdentity(file, log)
	if err != nil {
		return nil, err
	}
	late := &lateSource{}
	loc, err := locate.New(locate.Config{
		Source: late, Locate: file.Locate, Zones: file.Zones, Logger: log, Registerer: registry,
		WithoutHTTPS: !file.Locate.HTTPSRecords,
	})
	if err != nil {
		return nil, err
	}
	d, err := openDoors(file)
	if err != nil {
		return nil, err
	}
	if file.Controller.Insecure {
		log.Warn("controller.insecure is set: anyone who reaches the controller's addresses can act as a proxy, an agent or an operator",
			"listen", d.wire.Addr().String(), "admin", d.page.Addr().String())
	}
	c := control.New(control.Config{
		File: file, Software: software(), Logger: log, Trust: identity, Locator: loc,
		Record: more.record, Store: more.store, Name: file.Controller.Name, Problem: more.problem, Reread: more.reread,
	})
	late.Controller = c
	registry.MustRegister(c.Collector())
	cfg := dash.Config{
		Source: c, Operator: c, Gatherer: registry, Registerer: registry, Ready: c.Ready, Logger: log,
		Insecure: file.Controller.Insecure, Token: secret, TokenHint: hint,
		Doors: map[string]http.Handler{
			"/v1/proxies/choose":     loc.Handler(),
			"/.well-known/jwks.json": jwks(c),
		},
	}
	if identity != nil {
		cfg.TLS = identity.HTTPS()
		cfg.ReadNeedsToken = !loopbackOnly(d.page)
	}
	return &controllerRole{c: c, dash: dash.New(cfg), loc: loc, token: secret, doors: d, reloads: more.reread != nil}, nil
}

// controllerIdentity loads the certificate of a config with TLS.
func controllerIdentity(file *config.Config, log *slog.Logger) (*trust.Credentials, error) {
	files := trust.Files(file.Controller.TLS)
	if !files.Set() {
		return nil, nil
	}
	identity, err := trust.Load(files, log)
	if err != nil {
		return nil, fmt.Errorf("controller.tls: %w", err)
	}
	if is := identity.Identity(); is.Role != trust.Controller {
		return nil, fmt.Errorf("controller.tls: the certificate %s is of %s, and peers would not take it for a controller; make one with 'fairlead cert issue controller NAME'", files.Cert, is)
	}
	return identity, nil
}

// jwks answers with the keys of tickets.
func jwks(c *control.Controller) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		w.Header().Set("Cache-Control", "max-age=5") // a key is told 10 s before it signs
		_, _ = w.Write(c.JWKS())                     // a client that left needs no answer
	})
}

// loopbackOnly tells whether only this host can reach a listener.
func loopbackOnly(ln net.Listener) bool {
	tcp, ok := ln.Addr().(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// openDoors opens all addresses of a controller, or none.
func openDoors(file *config.Config) (d doors, err error) {
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	d.wire, err = listen("the controller's address for proxies, agents and tools (controller.listen)", file.Controller.Listen)
	if err != nil {
		return d, err
	}
	if d.page, err = listen("the controller's admin address (controller.admin)", file.Controller.Admin); err != nil {
		return d, err
	}
	if at := file.Locate.HTTP; at != "" {
		if d.choose, err = listen("the address where clients ask for a proxy (locate.http)", at); err != nil {
			return d, err
		}
	}
	if at := file.Locate.DNS; at != "" {
		if d.dnsTCP, err = listen("the address for DNS over TCP (locate.dns)", at); err != nil {
			return d, err
		}
		// Both transports have one port, also where the system chose it.
		d.dnsUDP, err = listenPacket("the address for DNS over UDP (locate.dns)", d.dnsTCP.Addr().String())
	}
	return d, err
}

func (d *doors) close() {
	for _, ln := range []net.Listener{d.wire, d.page, d.dnsTCP, d.choose} {
		if ln != nil {
			_ = ln.Close() // nobody has used it
		}
	}
	if d.dnsUDP != nil {
		_ = d.dnsUDP.Close()
	}
}

// run serves until ctx ends.
func (r *controllerRole) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.c.Run(ctx, r.wire) })
	if r.reloads {
		g.Go(func() error { reloadOnHangup(ctx, r.c); return nil })
	}
	g.Go(func() error { return r.dash.Serve(ctx, r.page) })
	if r.choose != nil {
		g.Go(func() error { return r.loc.ServeHTTP1(ctx, r.choose) })
	}
	if r.dnsUDP != nil {
		g.Go(func() error { return r.loc.ServeDNS(ctx, r.dnsUDP, r.dnsTCP) })
	}
	return g.Wait()
}
