// Command fairlead plays every role of Fairlead: controller, proxy, agent, all of them
// at once, and the tools that talk to a controller.
//
// This package reads flags and the environment, handles signals, and joins the parts,
// which do not know each other. One file holds one subcommand.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1 // something is wrong; the message says what, and what to do
	exitUsage = 2 // the command line is
)

func main() {
	// The heap is small and short-lived values are many: collecting less often costs
	// some megabytes and saves a fifth of the controller's time. GOGC overrules.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run executes a command line and returns the exit code.
func run(args []string, out, errOut io.Writer) int {
	// The first signal drains, the second ends at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	root := newRoot(out, errOut)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var usage usageError
	if errors.As(err, &usage) {
		fmt.Fprintf(errOut, "fairlead: %v\nTry '%s --help'.\n", err, usage.command)
		return exitUsage
	}
	fmt.Fprintf(errOut, "fairlead: %v\n", err)
	return exitError
}

// usageError is a mistake on the command line.
type usageError struct {
	command string
	error
}

func (u usageError) Unwrap() error { return u.error }

func usage(cmd *cobra.Command, format string, args ...any) error {
	return usageError{cmd.CommandPath(), fmt.Errorf(format, args...)}
}

func newRoot(out, errOut io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "fairlead",
		Short: "A load balancer in two tiers that keeps its promises when a second proxy runs",
		Long: `Fairlead is a load balancer in two tiers. Proxies carry the traffic; one controller
knows the load of every backend and decides, for each request, which backend serves it.
A backend's slots are never exceeded, and nobody waits behind a busy backend while
another one idles.

Start with 'fairlead up': a demo of the whole fleet in one process.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version(),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage(cmd, "there is no command %q", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(out)
	root.SetErr(errOut)
	root.SetVersionTemplate("fairlead {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError{cmd.CommandPath(), err} })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetHelpCommand(newHelp(root))
	root.PersistentFlags().String("log-level", "info", "debug, info, warn or error")
	root.PersistentFlags().String("log-format", "text", "text or json")
	for _, c := range []*cobra.Command{
		newUp(), newController(), newProxy(), newAgent(), newCheck(),
		newControllers(), newReload(), newStore(), newPools(), newBackends(), newProxies(), newDrain(), newUndrain(), newAdjust(), newExplain(),
		newChoose(), newCert(), newSim(),
	} {
		if c.Args == nil {
			c.Args = noArgs
		}
		root.AddCommand(c)
	}
	return root
}

// newHelp is cobra's help command, but for a command that is not there: that is a mistake.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Show the help of a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			of, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return usage(root, "there is no command %q", strings.Join(args, " "))
			}
			return of.Help()
		},
	}
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(cmd, "unexpected argument %q", args[0])
	}
	return nil
}

// exactly takes n arguments, which are called what says.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usage(cmd, "takes %s, got %d arguments", what, len(args))
		}
		return nil
	}
}

// version returns what the build knows of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return strings.TrimPrefix(info.Main.Version, "v")
}

// software is how this process names itself on the wire.
func software() string { return "fairlead " + version() }

// logger returns what the log flags ask for, writing to standard error.
func logger(cmd *cobra.Command) (*slog.Logger, error) {
	level, _ := cmd.Flags().GetString("log-level")
	format, _ := cmd.Flags().GetString("log-format")
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, usage(cmd, "--log-level %q is not debug, info, warn or error", level)
	}
	o := &slog.HandlerOptions{Level: l}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), o)), nil
	}
	return nil, usage(cmd, "--log-format %q is not text or json", format)
}
