// Package dash is the controller's admin server over HTTP: a live page for people, a
// JSON API for their programs, metrics for Prometheus, and the two health answers.
//
//	GET  /                  the page
//	GET  /static/...        what the page is made of
//	GET  /api/v1/snapshot   everything that the controller knows, now
//	GET  /api/v1/watch      the same as server-sent events, about twice a second
//	GET  /api/v1/explain    ?pool=P[&exclude=B...][&last=N][&zone=Z]: what a request would get
//	POST /api/v1/drain      {"pool": P, "backend": B}: no new grants; answers {"inFlight": N}
//	POST /api/v1/undrain    {"pool": P, "backend": B}: takes a drain back
//	POST /api/v1/login      {"token": T}: sets the cookie that stands for it
//	POST /api/v1/logout     takes the cookie away
//	GET  /api/v1/session    {"canChange": bool, "readNeedsToken": bool, "tokenHint": "..."}
//	GET  /metrics           for Prometheus
//	GET  /healthz           200 while the process lives
//	GET  /readyz            200 when the controller decides, else 503 and why
//	GET  Config.Doors       what other parts answer, to anyone
//
// # JSON
//
// Answers are the messages of api/fairlead/v1 in protobuf's JSON: names in
// lowerCamelCase, fields that are zero are present, and 64-bit integers are strings,
// because a browser's numbers cannot hold them. An answer that is not 2xx is
// {"error": "a plain sentence"}. In drain and undrain an empty pool means every pool
// that has the backend.
//
// A watch has two kinds of event: messages without a name, each a whole snapshot, and
// "ready" events, {"ready": bool, "why": "..."}. When no snapshot can be had a
// "problem" event {"error": "..."} comes in its place, and the stream goes on.
//
// # Who may do what
//
// The server has no notion of users. What changes something needs the token, as a bearer
// or by the page's cookie; what is read needs it where Config.ReadNeedsToken says so. Beyond
// loopback it serves with TLS only, unless told that it need not. On loopback it answers only to
// Host headers that name loopback, so that no web page can reach it by pointing a name
// of its own at 127.0.0.1 (DNS rebinding); and other origins' pages can neither write
// nor watch. What backends and config call themselves is untrusted: the page shows it
// as text, under a policy that runs no script but its own.
package dash

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// Bounds of what one request may cost.
const (
	maxHeader = 16 << 10 // bytes
	maxBody   = 64 << 10 // bytes
	minToken  = 16       // characters

	headTimeout  = 5 * time.Second
	readTimeout  = 15 * time.Second
	writeTimeout = 30 * time.Second
	idleTimeout  = 2 * time.Minute
	callTimeout  = 10 * time.Second // of one call of the controller
	stopTimeout  = 5 * time.Second  // for requests under way when the server stops
)

// Source is where snapshots come from. It is called from many goroutines.
type Source interface {
	// Snapshot returns what the controller knows now. The caller only reads it.
	Snapshot(ctx context.Context) (*fairleadv1.Snapshot, error)
}

// Operator does what people ask for. It is called from many goroutines. Its errors are
// gRPC statuses, and their text is shown to people.
type Operator interface {
	// Drain stops new grants on a backend and returns how many still run there. An
	// empty pool means every pool that has the backend.
	Drain(ctx context.Context, pool, backend string) (inFlight uint32, err error)
	// Undrain takes a drain back.
	Undrain(ctx context.Context, pool, backend string) error
	// Explain says what would be decided for a request now.
	Explain(ctx context.Context, r *fairleadv1.ExplainRequest) (*fairleadv1.Explanation, error)
}

// Config is what a Server is made of.
type Config struct {
	Source   Source              // required
	Operator Operator            // required
	Gatherer prometheus.Gatherer // required: what /metrics shows
	Ready    func() error        // why the controller does not decide; nil: it always does
	Logger   *slog.Logger        // nil: no log

	// Token is what changes need; required: Serve refuses one of fewer than 16
	// characters, and an empty one opens nothing. TokenHint tells people where it is, in
	// words that can follow a semicolon.
	Token, TokenHint string
	// ReadNeedsToken has what is read, but for the page's files and health, need it too.
	ReadNeedsToken bool
	// TLS has Serve speak HTTPS, of TLS 1.3, on listeners beyond loopback; nil: see
	// Insecure.
	TLS *tls.Config
	// Insecure lets Serve take a listener beyond loopback without TLS.
	Insecure bool
	// Doors are handlers of other parts, by path, for GET and HEAD. They need no token.
	Doors map[string]http.Handler
	// Registerer gets the metric fairlead_admin_refused_total; nil: nobody does.
	Registerer prometheus.Registerer
}

// Server is the admin server. Its methods may be called from any goroutine.
type Server struct {
	config  Config
	log     *slog.Logger
	hub     *hub
	keeper  *keeper
	handler http.Handler
}

// New returns a Server that has started nothing yet.
func New(c Config) *Server {
	s := &Server{config: c, log: c.Logger}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.config.Ready == nil {
		s.config.Ready = func() error { return nil }
	}
	s.hub = newHub(s.frame)
	s.keeper = newKeeper(c, s.log)
	s.handler = guard(s.routes())
	return s
}

// Handler returns everything that Serve serves, with all guards but the timeouts and the
// size caps of heads. Only while somebody watches does it run a goroutine of its own,
// which ends before the last watcher's request does.
func (s *Server) Handler() http.Handler { return s.handler }

// Serve answers on ln, which it closes, until ctx ends; then it ends the watches, gives
// other requests under way 5 s to finish, and returns nil. It joins every goroutine that
// it started. It refuses a TCP listener beyond loopback unless Config.TLS or
// Config.Insecure is set, and a Config.Token that is too short.
// A Server serves once.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	if n := len(s.config.Token); n < minToken {
		return errors.Join(fmt.Errorf("dash: the token has %d characters, and who guesses it can drain backends: "+
			"give one of at least %d", n, minToken), ln.Close())
	}
	if !isLocal(ln.Addr()) {
		switch {
		case s.config.TLS != nil:
			ln = tls.NewListener(ln, newest(s.config.TLS))
		case !s.config.Insecure:
			return errors.Join(
				fmt.Errorf("dash: %s is not a loopback address, and what is said there would be for all to read: "+
					"listen on 127.0.0.1, give a certificate (controller.tls), or say insecure: true", ln.Addr()),
				ln.Close())
		}
	}
	return s.serve(ctx, ln)
}

// newest returns the TLS config without versions before 1.3.
func newest(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.MinVersion = tls.VersionTLS13
	return c
}

// serve answers on a listener that may be served.
func (s *Server) serve(ctx context.Context, ln net.Listener) error {
	var open sync.WaitGroup
	server := s.server(&open)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()

	var failed error
	select {
	case <-ctx.Done():
	case failed = <-ended:
	}
	s.hub.close()
	s.stop(server)
	if failed == nil {
		<-ended
	}
	open.Wait()
	if failed != nil {
		return fmt.Errorf("dash: serve: %w", failed)
	}
	return nil
}

// server returns the net/http server, which counts its open connections.
func (s *Server) server(open *sync.WaitGroup) *http.Server {
	return &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: headTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		ConnState: func(_ net.Conn, state http.ConnState) {
			// A connection's goroutine says StateClosed as its last act.
			switch state {
			case http.StateNew:
				open.Add(1)
			case http.StateClosed, http.StateHijacked:
				open.Done()
			}
		},
	}
}

// stop lets requests under way finish, and cuts those that do not.
func (s *Server) stop(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		s.log.Warn("admin requests were cut", "error", err)
		_ = server.Close() // the listener is closed already: nothing new can fail
	}
}
