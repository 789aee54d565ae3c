package dash

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// methods are the handlers of one path, by method.
type methods map[string]http.HandlerFunc

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h, ok := m[r.Method]; ok {
		h(w, r)
		return
	}
	allowed := strings.Join(slices.Sorted(maps.Keys(m)), ", ")
	w.Header().Set("Allow", allowed)
	fail(w, http.StatusMethodNotAllowed, "This path knows only "+allowed+".")
}

// read makes a path that is only read. net/http drops the body of an answer to HEAD.
func read(h http.HandlerFunc) methods {
	return methods{http.MethodGet: h, http.MethodHead: h}
}

// routes returns what lies behind the guards.
func (s *Server) routes() http.Handler {
	metrics := promhttp.HandlerFor(s.config.Gatherer, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		MaxRequestsInFlight: 4,
	})
	mux := http.NewServeMux()
	for path, file := range files() {
		mux.Handle(path, read(file.serve))
	}
	mux.Handle("/api/v1/snapshot", read(s.reading(s.snapshot)))
	mux.Handle("/api/v1/watch", methods{http.MethodGet: s.reading(s.watch)})
	mux.Handle("/api/v1/explain", read(s.reading(s.explain)))
	mux.Handle("/api/v1/drain", methods{http.MethodPost: s.keeper.need(s.drain)})
	mux.Handle("/api/v1/undrain", methods{http.MethodPost: s.keeper.need(s.undrain)})
	mux.Handle("/api/v1/login", methods{http.MethodPost: s.keeper.login})
	mux.Handle("/api/v1/logout", methods{http.MethodPost: s.keeper.logout})
	mux.Handle("/api/v1/session", read(s.session))
	for path, door := range s.config.Doors {
		mux.Handle(path, read(door.ServeHTTP))
	}
	mux.Handle("/metrics", read(s.reading(metrics.ServeHTTP)))
	mux.Handle("/healthz", read(func(w http.ResponseWriter, _ *http.Request) { say(w, "ok\n") }))
	mux.Handle("/readyz", read(s.readyz))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, "There is nothing at this path. The page is at /, the API below /api/v1/.")
	})
	return mux
}
