// Command server is a backend with the SDK. On one address proxies bring its requests, on
// the other clients come by themselves, with tickets.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/fairlead/fairlead/sdk/backend"
)

func main() {
	controller := flag.String("controller", "127.0.0.1:7400", "the controller")
	proxied := flag.String("proxied", "127.0.0.1:9302", "where proxies come")
	direct := flag.String("direct", "127.0.0.1:9312", "where clients come by themselves")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	both := []backend.Config{
		{Pool: "proxied", Address: *proxied, OnAssign: func(a backend.Assignment) error {
			logger.Info("assigned", "grant", a.Grant, "proxy", a.Proxy, "client", a.Client, "method", a.Method, "path", a.Path)
			return nil // or backend.ErrFull, and another backend is asked
		}},
		{Pool: "direct", Address: *direct, Direct: true},
	}
	var running sync.WaitGroup
	for _, cfg := range both {
		cfg.Controller, cfg.Logger, cfg.Software = *controller, logger, "example server"
		reporter, err := backend.New(cfg)
		if err != nil {
			log.Fatal(err)
		}
		running.Go(func() {
			if err := serve(ctx, reporter, cfg.Address); err != nil {
				log.Print(err)
				stop()
			}
		})
	}
	running.Wait()
}

// serve serves an address until ctx ends, and has it drained then.
func serve(ctx context.Context, reporter *backend.Reporter, address string) error {
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "the SDK's server serves %s on %s\n", r.URL, address)
	})
	server := &http.Server{Addr: address, Handler: reporter.Guard(hello), ReadHeaderTimeout: 5 * time.Second}
	reporting, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	reported, served := make(chan error, 1), make(chan error, 1)
	go func() { reported <- reporter.Run(reporting) }()
	go func() { served <- server.ListenAndServe() }()
	select {
	case err := <-served:
		return err
	case err := <-reported:
		return errors.Join(err, server.Close())
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := reporter.Drain(patience)
	leave()
	return errors.Join(err, <-reported, server.Shutdown(patience))
}
