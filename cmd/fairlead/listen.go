package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
)

// checkHostPort checks an address on the command line.
func checkHostPort(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return errors.New("not host:port")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q is no port from 0 to 65535", port)
	}
	return nil
}

// checkPeer checks an address to connect to.
func checkPeer(address string) error {
	if err := checkHostPort(address); err != nil {
		return err
	}
	if host, port, _ := net.SplitHostPort(address); host == "" || port == "0" {
		return errors.New("to connect, it takes a host and a port from 1 to 65535")
	}
	return nil
}

// checkTimes refuses negative durations.
func checkTimes(cmd *cobra.Command, flags ...string) error {
	for _, name := range flags {
		if d, _ := cmd.Flags().GetDuration(name); d < 0 {
			return usage(cmd, "--%s %s: it is 0 or more", name, d)
		}
	}
	return nil
}

// listen opens a TCP listener. An error says what it was for and what to do.
func listen(what, address string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, wordListen(what, address, err)
	}
	return ln, nil
}

// listenPacket opens a UDP socket, as listen does a TCP listener.
func listenPacket(what, address string) (net.PacketConn, error) {
	c, err := net.ListenPacket("udp", address)
	if err != nil {
		return nil, wordListen(what, address, err)
	}
	return c, nil
}

func wordListen(what, address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: the address %s is in use; stop what listens there, or choose another", what, address)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: this user may not listen on %s; choose a port above 1023, or grant CAP_NET_BIND_SERVICE", what, address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s: no interface of this host has the address of %s", what, address)
	}
	return fmt.Errorf("%s: listening on %s: %w", what, address, err)
}

// newRegistry returns a registry with the process's own metrics.
func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// serveAdmin answers /metrics, /healthz and /readyz for a role that has no page, until
// ctx ends.
func serveAdmin(ctx context.Context, ln net.Listener, gatherer prometheus.Gatherer, ready func() error) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	srv := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
	}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the admin address %s: %w", ln.Addr(), err)
	}
	return nil
}
