package agent

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/sdk/backend"
)

const (
	connectTime = 5 * time.Second // to the backend behind the gate
	headTime    = 10 * time.Second
	idleTime    = 2 * time.Minute // of a client's connection
	// keepTime is how long a connection to the backend waits for its next request: less
	// than servers wait, as a rule, so that they do not close it just then.
	keepTime = 2 * time.Second
	headMost = 64 << 10 // bytes
)

// httpGate is a gate for HTTP/1, with upgrades.
type httpGate struct {
	listener  net.Listener
	server    *http.Server
	transport *http.Transport
	reach     reach
	running   sync.WaitGroup     // connections, and handlers, as those of hijacked ones go on
	cancel    context.CancelFunc // ends every request
}

func newHTTPGate(ln net.Listener, forward string, r *backend.Reporter, log *slog.Logger) *httpGate {
	ctx, cancel := context.WithCancel(context.Background())
	g := &httpGate{
		listener: ln, reach: reach{forward: forward, log: log}, cancel: cancel,
		transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: connectTime}).DialContext,
			DisableCompression:  true,
			MaxIdleConnsPerHost: 256,
			IdleConnTimeout:     keepTime,
		},
	}
	quiet := slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) { rewrite(p, forward) }, Transport: g.transport,
		FlushInterval: -1, ErrorLog: quiet, ErrorHandler: g.fail,
		ModifyResponse: func(*http.Response) error { g.reach.note(nil); return nil },
	}
	guarded := r.Guard(proxy)
	g.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			g.running.Add(1)
			defer g.running.Done()
			guarded.ServeHTTP(w, req)
		}),
		BaseContext: func(net.Listener) context.Context { return ctx }, ConnState: g.count,
		ReadHeaderTimeout: headTime, IdleTimeout: idleTime, MaxHeaderBytes: headMost, ErrorLog: quiet,
	}
	return g
}

// rewrite leads a request to the backend as the client wrote it, and says who the client
// is: its own word on that is dropped.
func rewrite(p *httputil.ProxyRequest, forward string) {
	p.SetURL(&url.URL{Scheme: "http", Host: forward})
	p.Out.URL.RawQuery = p.In.URL.RawQuery
	p.Out.Host = p.In.Host
	p.SetXForwarded()
}

// fail answers for a backend that does not.
func (g *httpGate) fail(w http.ResponseWriter, req *http.Request, err error) {
	if req.Context().Err() != nil {
		panic(http.ErrAbortHandler) // nobody listens, and a mere return would be an empty 200
	}
	g.reach.note(err)
	h := w.Header()
	h.Set("Fairlead-Reason", "backend_failed")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusBadGateway)
	_, _ = io.WriteString(w, "the backend behind this gate does not answer, or broke off\n")
}

func (g *httpGate) serve(ctx context.Context) error {
	cut := cutAt(ctx, func() {
		g.cancel()
		_ = g.server.Close() // it fails only to close what is closed
	})
	err := g.server.Serve(g.listener)
	cut()
	g.running.Wait()
	g.transport.CloseIdleConnections()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// count counts connections, from before their goroutines start. A hijacked one is its
// handler's.
func (g *httpGate) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		g.running.Add(1)
	case http.StateClosed, http.StateHijacked:
		g.running.Done()
	}
}

// reach says once when the backend behind a gate cannot be reached, and once when it can
// be again. Safe for concurrent use.
type reach struct {
	forward string
	log     *slog.Logger
	away    atomic.Bool
}

func (r *reach) note(err error) {
	switch {
	case err != nil && !r.away.Swap(true):
		r.log.Warn("the backend behind the gate fails", "forward", r.forward, "error", err)
	case err == nil && r.away.Load() && r.away.Swap(false):
		r.log.Info("the backend behind the gate answers again", "forward", r.forward)
	}
}
