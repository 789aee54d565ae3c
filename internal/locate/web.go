package locate

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Bounds of the HTTP server.
const (
	maxWebConns     = 1024
	maxWebConnsEach = 256 // of one sender
	maxHead         = 8 << 10

	headTimeout  = 5 * time.Second
	readTimeout  = 10 * time.Second
	writeTimeout = 10 * time.Second
	webIdle      = 30 * time.Second
	stopTimeout  = 5 * time.Second // for requests under way when the server stops
)

// ServeHTTP1 serves Handler on ln, over HTTP/1.1, until ctx ends; then it gives requests
// under way 5 s to finish, and returns nil. It closes ln, and joins every goroutine that it
// started. It may be called more than once, for several addresses.
func (l *Locator) ServeHTTP1(ctx context.Context, ln net.Listener) error {
	var open sync.WaitGroup
	server := &http.Server{
		Handler:           l.Handler(),
		ReadHeaderTimeout: headTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       webIdle,
		MaxHeaderBytes:    maxHead,
		ErrorLog:          slog.NewLogLogger(l.log.Handler(), slog.LevelDebug),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				open.Add(1)
			case http.StateClosed, http.StateHijacked:
				open.Done() // a connection's last act
			}
		},
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(newGate(ln, maxWebConns, maxWebConnsEach, nil)) }()

	var failed error
	select {
	case <-ctx.Done():
	case failed = <-ended:
	}
	l.stop(server)
	if failed == nil {
		<-ended
	}
	open.Wait()
	if failed != nil {
		return fmt.Errorf("locate: serve HTTP on %s: %w", ln.Addr(), failed)
	}
	return nil
}

// stop lets requests under way finish, and cuts those that do not.
func (l *Locator) stop(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		l.log.Warn("requests for a proxy were cut", "error", err)
		_ = server.Close() // the listener is closed already: nothing new can fail
	}
}
