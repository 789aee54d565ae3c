package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

func newAdjust() *cobra.Command {
	var pool string
	var slots uint32
	var weight float64
	cmd := &cobra.Command{
		Use: "adjust BACKEND", Short: "Set a backend's slots or weight by hand",
		Long: `Set a backend's slots (workers, where backends have a queue of their own) or its weight by
hand. It goes before what the config and the backend's agent say, holds at every controller,
and outlives restarts; 0 takes it back. Fewer slots than are in use cut no request: the
backend gets no new ones until enough have ended.`,
		Example: `  fairlead adjust 10.0.0.7:8000 --slots 4
  fairlead adjust 10.0.0.7:8000 --weight 0.5 --pool render
  fairlead adjust 10.0.0.7:8000 --slots 0 --weight 0`,
		Args: exactly(1, "one backend, as host:port"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r := &fairleadv1.AdjustRequest{Pool: pool, Backend: args[0]}
			var what []string
			if cmd.Flags().Changed("slots") {
				r.Slots = &slots
				what = append(what, set("slots", float64(slots)))
			}
			if cmd.Flags().Changed("weight") {
				r.Weight = &weight
				what = append(what, set("weight", weight))
			}
			return ask(cmd, func(ctx context.Context, c fairleadv1.ToolsClient) error {
				_, err := c.Adjust(ctx, r)
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", args[0], strings.Join(what, ", "))
				}
				return err
			})
		},
	}
	addControllerFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&pool, "pool", "", "in this pool only")
	f.Uint32Var(&slots, "slots", 0, "how many requests at a time; 0: as the config says")
	f.Float64Var(&weight, "weight", 0, "twice the weight is taken for twice as fast; 0: as the config says")
	return cmd
}

// set says what was set.
func set(what string, to float64) string {
	if to == 0 {
		return what + " as the config says"
	}
	return fmt.Sprintf("%s %g", what, to)
}
