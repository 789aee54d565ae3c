package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/internal/agent"
)

func newAgent() *cobra.Command {
	var cfg agent.Config
	cmd := &cobra.Command{
		Use:   "agent --pool POOL --address HOST:PORT",
		Short: "Join a backend to a pool, and report its host's load",
		Long: `Joins the backend at --address to a pool and reports the load of the host that it runs
on, each second and on change. On SIGTERM it has the backend drained first, and leaves
when nothing is in flight any more.`,
	}
	addControllerFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&cfg.Pool, "pool", "", "the pool to join")
	f.StringVar(&cfg.Address, "address", "", "where proxies reach the backend, host:port")
	f.IntVar(&cfg.Slots, "slots", 0, "requests that the backend takes at once; 0: as the pool says")
	f.StringVar(&cfg.Zone, "zone", "", "where the backend is")
	f.DurationVar(&cfg.DrainTimeout, "drain-timeout", 30*time.Second, "how long to wait for requests in flight")
	f.DurationVar(&cfg.StartTimeout, "start-timeout", defaultStart, "how long to wait for the controller at start; 0: for ever")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := fillAgent(cmd, &cfg); err != nil {
			return err
		}
		if err := runAgent(cmd.Context(), cfg); err != nil {
			return fmt.Errorf("agent: %w", err)
		}
		return nil
	}
	return cmd
}

// runAgent runs an agent until ctx ends and its backend is drained.
func runAgent(ctx context.Context, cfg agent.Config) error {
	a, err := agent.New(cfg)
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

// fillAgent takes from the command line what is not a flag of its own, and checks it all.
func fillAgent(cmd *cobra.Command, cfg *agent.Config) error {
	log, err := logger(cmd)
	if err != nil {
		return err
	}
	cfg.Logger, cfg.Software = log, software()
	if cfg.Controller, cfg.Insecure, err = controllerAddress(cmd); err != nil {
		return err
	}
	if err := checkTimes(cmd, "drain-timeout", "start-timeout"); err != nil {
		return err
	}
	for _, need := range []struct{ flag, value string }{{"pool", cfg.Pool}, {"address", cfg.Address}} {
		if need.value == "" {
			return usage(cmd, "--%s is needed", need.flag)
		}
	}
	if err := checkPeer(cfg.Address); err != nil {
		return usage(cmd, "--address %q: %v", cfg.Address, err)
	}
	if cfg.Slots < 0 {
		return usage(cmd, "--slots %d: it is 0 or more", cfg.Slots)
	}
	return nil
}
