package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
)

func newPools() *cobra.Command {
	cmd := newSnapshotTool("pools", "Show the pools: slots, queue, decisions", func(out io.Writer, s *fairleadv1.Snapshot) error {
		return printed(out, s.GetPools(), poolColumns(len(s.GetControllers()) > 1))
	})
	cmd.AddCommand(newPoolsMove())
	return cmd
}

// poolColumns are those of the list of pools. several: there are several controllers.
func poolColumns(several bool) []column[*fairleadv1.PoolStatus] {
	type pool = *fairleadv1.PoolStatus
	return []column[pool]{
		{"POOL", nil, func(p pool) any { return p.GetName() }},
		{"LED-BY", func(pool) bool { return several }, func(p pool) any { return p.GetLeader() }},
		{"BACKENDS", nil, func(p pool) any {
			takes := 0
			for _, b := range p.GetBackends() {
				if b.GetEligible() {
					takes++
				}
			}
			return fmt.Sprintf("%d/%d", takes, len(p.GetBackends()))
		}},
		{"DECIDES", nil, func(p pool) any { return decider(p) }},
		{"IN-FLIGHT", nil, func(p pool) any { return p.GetInFlight() }},
		{"KEPT", nil, func(p pool) any { return p.GetKept() }},
		{"SLOTS", nil, func(p pool) any { return p.GetSlots() }},
		{"QUEUE", nil, func(p pool) any { return fmt.Sprintf("%d/%d", p.GetQueue(), p.GetQueueLimit()) }},
		{"DECISIONS/S", nil, func(p pool) any { return math.Round(p.GetDecisionsPerSecond()) }},
		{"WAIT", nil, func(p pool) any { return fmt.Sprintf("%.1fms", p.GetWaitMs()) }},
		{"GRANTS", nil, func(p pool) any { return p.GetGrants() }},
		{"REFUSED", nil, func(p pool) any { return refused(p.GetRefused()) }},
	}
}

func newPoolsMove() *cobra.Command {
	var auto bool
	cmd := &cobra.Command{
		Use: "move POOL [CONTROLLER]", Short: "Have another controller lead a pool",
		Long: `Has the controller of that name lead the pool, as long as it is alive. With --auto the
pools' even spread decides again.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if auto == (len(args) == 2) {
				return usage(cmd, "name a controller ('fairlead controllers' lists them), or write --auto")
			}
			r := &fairleadv1.MovePoolRequest{Pool: args[0]}
			if !auto {
				r.Controller = args[1]
			}
			return ask(cmd, func(ctx context.Context, c fairleadv1.ToolsClient) error {
				if _, err := c.MovePool(ctx, r); err != nil {
					return err
				}
				to := "the controller that the spread gives it to"
				if !auto {
					to = r.GetController()
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s moves to %s\n", r.GetPool(), to)
				return nil
			})
		},
	}
	addControllerFlag(cmd)
	cmd.Flags().BoolVar(&auto, "auto", false, "have the pool led by whom the even spread gives it to")
	return cmd
}

func newControllers() *cobra.Command {
	return newSnapshotTool("controllers", "Show the controllers, and how many pools each leads", func(out io.Writer, s *fairleadv1.Snapshot) error {
		return table(out, "CONTROLLER ADDRESS POOLS", func(row func(...any)) {
			for _, c := range s.GetControllers() {
				row(c.GetName(), c.GetAddress(), c.GetLeads())
			}
		})
	})
}

// complete replaces what a controller cannot know of pools that another one leads by what
// that one says.
func complete(ctx context.Context, cmd *cobra.Command, s *fairleadv1.Snapshot) error {
	others := map[string]bool{}
	for _, p := range s.GetPools() {
		if a := p.GetLeaderAddress(); a != "" && !p.GetLedHere() {
			others[a] = true
		}
	}
	if len(others) == 0 {
		return nil
	}
	at, err := controllerAddress(cmd)
	if err != nil {
		return err
	}
	creds, err := at.credentials(slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	for _, address := range slices.Sorted(maps.Keys(others)) {
		conn, err := connect(address, creds)
		if err != nil {
			return err
		}
		theirs, err := fairleadv1.NewToolsClient(conn).GetSnapshot(ctx, &fairleadv1.GetSnapshotRequest{})
		_ = conn.Close() // nothing was written
		if err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "the controller at %s, which leads some pools, does not answer: of those, only their backends' health is shown\n", address)
			continue
		}
		for _, p := range theirs.GetPools() {
			if i := slices.IndexFunc(s.Pools, func(q *fairleadv1.PoolStatus) bool { return q.GetName() == p.GetName() }); i >= 0 && p.GetLedHere() {
				s.Pools[i] = p
			}
		}
	}
	return nil
}

// decider names who decides for a pool now, and whether that may change.
func decider(p *fairleadv1.PoolStatus) string {
	who := "controller"
	if p.GetByProxies() {
		who = "proxies"
	}
	if p.GetDecide() == string(config.DecideAuto) {
		who += " (auto)"
	}
	if p.GetLearning() {
		who += " (waits for its proxies)"
	}
	return who
}

func refused(by map[string]uint64) string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%s=%d", reason, by[reason]))
	}
	if parts == nil {
		return "0"
	}
	return strings.Join(parts, " ")
}
