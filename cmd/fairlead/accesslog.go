package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/internal/proxy/accesslog"
)

// flushTime is how long a proxy that ends waits for the last lines of its access log.
const flushTime = 5 * time.Second

// accessFlags are a proxy's flags for its access log.
type accessFlags struct {
	path, format, query string
	sample              float64
}

func (a *accessFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&a.path, "access-log", "", "a file for the access log, or stdout or stderr (default: no log); SIGUSR1 has it opened anew")
	f.StringVar(&a.format, "access-log-format", "json", "json or combined, as nginx has it")
	f.Float64Var(&a.sample, "access-log-sample", 1, "the share to log, 0 to 1; what does not end well is logged always")
	f.StringVar(&a.query, "access-log-query", "keep", "keep or drop the query of targets and referers, which may hold secrets")
}

// config returns what the flags ask for; no path and no writer: no log.
func (a *accessFlags) config(cmd *cobra.Command) (c accesslog.Config, err error) {
	for _, name := range []string{"access-log-format", "access-log-sample", "access-log-query"} {
		if a.path == "" && cmd.Flags().Changed(name) {
			return c, usage(cmd, "--%s without a log; name its file with --access-log FILE", name)
		}
	}
	c.Sample, c.DropQuery = a.sample, a.query == "drop"
	if !(a.sample >= 0 && a.sample <= 1) {
		return c, usage(cmd, "--access-log-sample %v: it is from 0 (only what did not end well) to 1 (all)", a.sample)
	}
	if a.query != "keep" && a.query != "drop" {
		return c, usage(cmd, "--access-log-query %q is not keep or drop", a.query)
	}
	switch a.format {
	case "json":
	case "combined":
		c.Format = accesslog.Combined
	default:
		return c, usage(cmd, "--access-log-format %q is not json or combined", a.format)
	}
	switch a.path {
	case "stdout":
		c.Writer = cmd.OutOrStdout()
	case "stderr":
		c.Writer = cmd.ErrOrStderr()
	default:
		c.Path = a.path
	}
	return c, nil
}

// withAccessLog runs f with an access log, which SIGUSR1 has opened anew; with none (nil) if
// the config has neither a path nor a writer.
func withAccessLog(ctx context.Context, c accesslog.Config, log *slog.Logger, registry prometheus.Registerer, f func(*accesslog.Log) error) (err error) {
	var access *accesslog.Log
	if c.Path != "" || c.Writer != nil {
		if access, err = openAccessLog(c, log, registry); err != nil {
			return err
		}
	}
	signals := make(chan os.Signal, 1)
	notifyReopen(signals) // also without a log: it would end the process
	defer signal.Stop(signals)
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		reopen(running, signals, access, log)
	}()
	err = f(access)
	stop()
	<-ended
	flushing, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer cancel()
	return errors.Join(err, access.Close(flushing))
}

func openAccessLog(c accesslog.Config, log *slog.Logger, registry prometheus.Registerer) (*accesslog.Log, error) {
	var err error
	if c.Metrics, err = accesslog.NewMetrics(registry); err != nil {
		return nil, err
	}
	if c.Writer != nil {
		// Who reads the log may go away. That costs its lines, and not the proxy.
		signal.Ignore(syscall.SIGPIPE)
	}
	c.Logger = log
	return accesslog.Open(c)
}

// reopen opens the log anew at each signal, until ctx ends.
func reopen(ctx context.Context, signals <-chan os.Signal, access *accesslog.Log, log *slog.Logger) {
	for {
		select {
		case <-signals:
			if err := access.Reopen(); err != nil {
				log.Warn("the access log was not opened anew; the file that was open is written on", "error", err)
				continue
			}
			log.Info("the access log was opened anew")
		case <-ctx.Done():
			return
		}
	}
}
