package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/internal/config"
)

// addConfigFlag adds -c, and --config with it.
func addConfigFlag(cmd *cobra.Command, help string) *string {
	return cmd.Flags().StringP("config", "c", "", help)
}

// load reads the config file that the flag names.
func load(cmd *cobra.Command, file string) (*config.Config, error) {
	if file == "" {
		return nil, usage(cmd, "no config file; name one with -c FILE")
	}
	c, err := config.Load(file)
	if err != nil {
		return nil, fmt.Errorf("the config is not good:\n%w", err)
	}
	return c, nil
}

func newCheck() *cobra.Command {
	cmd := &cobra.Command{
		Use: "check -c FILE", Short: "Check a config file, and say all that is wrong with it",
	}
	file := addConfigFlag(cmd, "the config file")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := load(cmd, *file)
		if err != nil {
			return err
		}
		backends, slots, workers := 0, 0, 0
		for _, p := range c.Pools {
			backends += len(p.Backends)
			for _, b := range p.Backends {
				slots += cmp.Or(b.Slots, p.Slots)
				workers += cmp.Or(b.Workers, p.Workers)
			}
		}
		capacity := fmt.Sprintf("%d slots", slots)
		if workers > 0 {
			capacity += fmt.Sprintf(" and %d workers", workers)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s is good: %d listeners, %d routes, %d pools, %d backends with %s\n",
			*file, len(c.Listeners), len(c.Routes), len(c.Pools), backends, capacity)
		for _, note := range c.Notes() {
			fmt.Fprintf(cmd.OutOrStdout(), "note: %s\n", note)
		}
		return nil
	}
	return cmd
}
