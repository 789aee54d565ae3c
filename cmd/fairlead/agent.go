package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/internal/agent"
	"github.com/fairlead/fairlead/internal/fleet"
)

func newAgent() *cobra.Command {
	var cfg agent.Config
	var gate gateFlags
	cmd := &cobra.Command{
		Use:   "agent --pool POOL --address HOST:PORT",
		Short: "Join a backend to a pool, and report its host's load",
		Long: `Joins the backend at --address to a pool and reports the load of the host that it runs
on, each second and on change. On SIGTERM it has the backend drained first, and leaves
when nothing is in flight any more.

Of several controllers, --controller takes all, as HOST:PORT,HOST:PORT: the agent reports
to each of them, and one that is away delays no other.

In a pool with direct links it can guard a backend that knows nothing of tickets: with
--gate it listens where clients come, lets in who brings a valid ticket, each once, and
passes them on to the backend.`,
	}
	addControllerFlag(cmd)
	labels := addAgentFlags(cmd, &cfg, &gate)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := fillAgent(cmd, &cfg); err != nil {
			return err
		}
		var err error
		if cfg.Labels, err = labelFlags(*labels); err != nil {
			return usage(cmd, "--label: %v", err)
		}
		if err := gate.open(cmd, &cfg); err != nil {
			return err
		}
		if err := runAgent(cmd.Context(), cfg); err != nil {
			return fmt.Errorf("agent: %w", err)
		}
		return nil
	}
	return cmd
}

// addAgentFlags adds the flags of an agent, and returns its labels.
func addAgentFlags(cmd *cobra.Command, cfg *agent.Config, gate *gateFlags) (labels *[]string) {
	f := cmd.Flags()
	f.StringVar(&cfg.Pool, "pool", "", "the pool to join")
	f.StringVar(&cfg.Address, "address", "", "where proxies reach the backend, host:port")
	f.IntVar(&cfg.Slots, "slots", 0, "requests that the backend takes at once; 0: as the pool says")
	f.IntVar(&cfg.Workers, "workers", 0, "the same in a pool whose backends have a queue of their own: requests that it works on at once")
	labels = f.StringArray("label", nil, "NAME=VALUE that requests may require of their backend; may be repeated")
	f.StringVar(&cfg.Public, "public", "", "where clients reach the backend, for direct links: host:port, or http(s)://host:port (default: the gate, else as the config says)")
	f.StringVar(&gate.listen, "gate", "", "HOST:PORT: listen there for direct clients, and check their tickets")
	f.StringVar(&cfg.Forward, "forward", "", "host:port that the gate passes them on to (default: --address)")
	f.StringVar(&cfg.GateProtocol, "gate-protocol", "http", "what direct clients speak: http or tcp")
	f.StringVar(&cfg.Zone, "zone", "", "where the backend is")
	f.DurationVar(&cfg.DrainTimeout, "drain-timeout", 30*time.Second, "how long to wait for requests in flight")
	f.DurationVar(&cfg.StartTimeout, "start-timeout", defaultStart, "how long to wait for the controller at start; 0: for ever")
	return labels
}

// gateFlags is the part of an agent's command line that is about its gate.
type gateFlags struct{ listen string }

// open opens the gate, if there is one.
func (g *gateFlags) open(cmd *cobra.Command, cfg *agent.Config) error {
	if g.listen == "" {
		for _, name := range []string{"forward", "gate-protocol"} {
			if cmd.Flags().Changed(name) {
				return usage(cmd, "--%s is about a gate; open one with --gate HOST:PORT", name)
			}
		}
		cfg.GateProtocol = ""
		return nil
	}
	if err := checkHostPort(g.listen); err != nil {
		return usage(cmd, "--gate %q: %v", g.listen, err)
	}
	if cfg.GateProtocol != "http" && cfg.GateProtocol != "tcp" {
		return usage(cmd, "--gate-protocol %q is not http or tcp", cfg.GateProtocol)
	}
	if cfg.Forward == "" {
		cfg.Forward = cfg.Address
	}
	if err := checkPeer(cfg.Forward); err != nil {
		return usage(cmd, "--forward %q: %v", cfg.Forward, err)
	}
	ln, err := listen("the agent's gate (--gate)", g.listen)
	if err != nil {
		return err
	}
	cfg.Gate = ln
	if cfg.Public == "" {
		cfg.Public = reachedAt(ln.Addr().String(), cfg.Address)
	}
	return nil
}

// reachedAt returns where clients reach a gate: at the address that it listens on, or if
// that stands for all of the host's, at the backend's.
func reachedAt(gate, backend string) string {
	host, port, _ := net.SplitHostPort(gate) // it is a listener's
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host, _, _ = net.SplitHostPort(backend) // it was checked
	}
	return net.JoinHostPort(host, port)
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
	at, err := controllerAddress(cmd)
	if err != nil {
		return err
	}
	at.warn(log)
	cfg.Controller, cfg.Insecure = at.String(), at.insecure
	cfg.Certificate, cfg.Key, cfg.CA = at.files.Cert, at.files.Key, at.files.CA
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
	if cfg.Workers < 0 || cfg.Workers > 0 && cfg.Slots > 0 {
		return usage(cmd, "--workers %d: it is 0 or more, and excludes --slots", cfg.Workers)
	}
	return nil
}

// labelFlags reads labels from a command line.
func labelFlags(all []string) (map[string]string, error) {
	if err := fleet.CheckLabels(all); err != nil {
		return nil, err
	}
	labels := map[string]string{}
	for _, l := range all {
		name, value, _ := strings.Cut(l, "=")
		labels[name] = value
	}
	return labels, nil
}
