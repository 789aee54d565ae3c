package main

import (
	"context"
	"net"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/control"
	"github.com/fairlead/fairlead/internal/dash"

	"github.com/prometheus/client_golang/prometheus"
	"log/slog"
)

func newController() *cobra.Command {
	cmd := &cobra.Command{
		Use: "controller -c FILE", Short: "Decide for a fleet of proxies",
	}
	file := addConfigFlag(cmd, "the config file")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		log, err := logger(cmd)
		if err != nil {
			return err
		}
		c, err := load(cmd, *file)
		if err != nil {
			return err
		}
		role, err := openController(c, log, newRegistry())
		if err != nil {
			return err
		}
		return role.run(cmd.Context())
	}
	return cmd
}

// controllerRole is a controller with its addresses open.
type controllerRole struct {
	c          *control.Controller
	dash       *dash.Server
	wire, page net.Listener
}

func openController(file *config.Config, log *slog.Logger, registry *prometheus.Registry) (*controllerRole, error) {
	wire, err := listen("the controller's address for proxies, agents and tools (controller.listen)", file.Controller.Listen)
	if err != nil {
		return nil, err
	}
	page, err := listen("the controller's admin address (controller.admin)", file.Controller.Admin)
	if err != nil {
		wire.Close()
		return nil, err
	}
	if file.Controller.Insecure {
		log.Warn("controller.insecure is set: anyone who reaches the controller's addresses can act as a proxy, an agent or an operator",
			"listen", wire.Addr().String(), "admin", page.Addr().String())
	}
	c := control.New(control.Config{File: file, Software: software(), Logger: log})
	registry.MustRegister(c.Collector())
	return &controllerRole{
		c: c, wire: wire, page: page,
		dash: dash.New(dash.Config{
			Source: c, Operator: c, Gatherer: registry, Ready: c.Ready, Logger: log, Insecure: file.Controller.Insecure,
		}),
	}, nil
}

// run serves until ctx ends.
func (r *controllerRole) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.c.Run(ctx, r.wire) })
	g.Go(func() error { return r.dash.Serve(ctx, r.page) })
	return g.Wait()
}
