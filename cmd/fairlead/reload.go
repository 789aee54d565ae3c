package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/control"
)

func newReload() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use: "reload", Short: "Have the controller read its config file again",
		Long: `Has the controller read its config file again, as SIGHUP does, and says what that changed.
Only what differs is touched. A file that is not good changes nothing, and so does one that
removes more than half of a pool's backends or of the pools, unless --force is given.`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd, func(ctx context.Context, c fairleadv1.ToolsClient) error {
				r, err := c.Reload(ctx, &fairleadv1.ReloadRequest{Force: force})
				if err == nil {
					fmt.Fprintln(cmd.OutOrStdout(), r.GetChange())
				}
				return err
			})
		},
	}
	addControllerFlag(cmd)
	cmd.Flags().BoolVar(&force, "force", false, "also when the file removes more than half of a pool's backends, or of the pools")
	return cmd
}

// rereader reads the config file again, and keeps what was taken as the last good one.
func rereader(file, data string, log *slog.Logger) control.Reread {
	return func() (*config.Config, func(), error) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, fmt.Errorf("the config file cannot be read: %w", err)
		}
		c, err := config.Parse(file, text)
		if err != nil {
			return nil, nil, fmt.Errorf("the config is not good:\n%w", err)
		}
		return c, func() { keepConfig(data, text, log) }, nil
	}
}

func keepConfig(data string, text []byte, log *slog.Logger) {
	if err := config.KeepLastGood(data, text); err != nil {
		log.Warn("a start with a broken config file will find no last good one", "error", err)
	}
}

// loadOrLast reads the config file of a controller that starts or, if that is missing or broken,
// the last good one, with what is wrong with the file.
func loadOrLast(cmd *cobra.Command, file, data string, strict bool, log *slog.Logger) (c *config.Config, problem error, err error) {
	if file == "" {
		return nil, nil, usage(cmd, "no config file; name one with -c FILE")
	}
	if strict {
		c, err = load(cmd, file)
	} else {
		c, problem, err = config.LoadOrLastGood(file, data)
	}
	switch {
	case strict && err != nil:
		return nil, nil, err
	case err != nil && errors.Is(err, fs.ErrNotExist) && problem != nil:
		return nil, nil, fmt.Errorf("the config is not good:\n%w", problem) // as at the first start
	case err != nil:
		return nil, nil, fmt.Errorf("the config is not good:\n%w", err)
	case problem != nil:
		log.Warn("the config file is not good; the last good one is in force. Mend the file, and run 'fairlead reload'", "file", file, "error", problem)
		return c, problem, nil
	}
	if text, err := os.ReadFile(file); err == nil {
		keepConfig(c.Controller.Data, text, log)
	}
	return c, nil, nil
}

// reloadOnHangup has SIGHUP reload the config, until ctx ends.
func reloadOnHangup(ctx context.Context, c *control.Controller) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-hangups:
			_, _ = c.ReloadFile(false) // the log says what came of it
		case <-ctx.Done():
			return
		}
	}
}
