// Command worker makes thumbnails and blurs images over HTTP, by ImageMagick's convert:
// one process a job. It is the example's backend, and stands for any program that can do
// few jobs at once.
//
//	POST /thumbnail?width=320        an image in, a PNG of that width at most out
//	POST /blur?radius=4              an image in, a blurred PNG of the same size out
//	GET  /stats                      what this worker has done, as JSON
//	GET  /healthz                    "ok"
//
// It takes PNG, JPEG, GIF and WebP, up to 16 MiB, and says no to all else, since
// ImageMagick reads formats that are programs. It refuses with 503 what comes beyond its
// slots; behind Fairlead that never happens, and the example's test relies on it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	headTimeout = 5 * time.Second
	bodyTimeout = 30 * time.Second
	stopGrace   = 10 * time.Second // for jobs that run when a signal comes
	maxHead     = 16 << 10         // bytes
)

func main() {
	listen := flag.String("listen", "127.0.0.1:9201", "address to serve at")
	slots := flag.Int("slots", 1, "jobs at once; more are refused")
	program := flag.String("convert", "", "ImageMagick's convert (default: the first in PATH)")
	timeout := flag.Duration("timeout", 30*time.Second, "the longest that one job may run")
	check := flag.Bool("check", false, "only say which convert there is, and end")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, *slots, *program, *timeout, *check, log); err != nil {
		fmt.Fprintf(os.Stderr, "worker: %v\n", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, listen string, slots int, program string, timeout time.Duration, check bool, log *slog.Logger) error {
	switch {
	case flag.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	case slots < 1 || timeout <= 0:
		return errors.New("-slots has to be 1 or more, and -timeout above 0")
	}
	convert, err := findConvert(ctx, program)
	if err != nil {
		return err
	}
	if check {
		fmt.Println(convert)
		return nil
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	log.Info("serving", "address", l.Addr().String(), "slots", slots, "convert", convert)
	return serve(ctx, l, &worker{slots: int64(slots), convert: convert, timeout: timeout, log: log})
}

// serve answers until the context ends, then lets jobs finish for a while, and joins all
// that it started.
func serve(ctx context.Context, l net.Listener, w *worker) error {
	work, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	server := &http.Server{
		Handler:           w.handler(),
		BaseContext:       func(net.Listener) context.Context { return work },
		ReadHeaderTimeout: headTimeout,
		ReadTimeout:       bodyTimeout,
		WriteTimeout:      bodyTimeout + w.timeout + bodyTimeout,
		MaxHeaderBytes:    maxHead,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	for range 2 { // the second time for jobs whose convert has just been killed
		grace, done := context.WithTimeout(context.Background(), stopGrace)
		err := server.Shutdown(grace)
		done()
		if err == nil {
			break
		}
		giveUp()
	}
	_ = server.Close()
	<-failed
	return nil
}

// handler returns what answers the worker's requests.
func (w *worker) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /thumbnail", w.counted(w.thumbnail))
	mux.HandleFunc("POST /blur", w.counted(w.blur))
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprintln(rw, "ok") })
	mux.HandleFunc("GET /stats", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(w.stats()) // a client that left is told nothing
	})
	return mux
}
