package dash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc/status"
)

// How snapshots reach those who watch.
const (
	maxWatchers = 100

	// A sample may take a twentieth of the time, so that a large fleet that somebody
	// looks at costs the controller 5 % of a core at most.
	leastPause = 500 * time.Millisecond
	mostPause  = time.Second
	pauseRatio = 19

	sendTimeout = 10 * time.Second // for one frame, then the watcher is cut
)

var (
	errFull     = errors.New("100 watch already: close some pages, or read /api/v1/snapshot")
	errStopping = errors.New("the server is stopping")
)

// watcher is somebody who watches. Its channel holds the newest frame that it has not
// taken: one that is slow misses frames, and holds nobody up.
type watcher chan []byte

// offer replaces what the watcher has not taken yet. Only one goroutine may offer at a
// time.
func (w watcher) offer(frame []byte) {
	select {
	case <-w:
	default:
	}
	w <- frame
}

// hub samples for all watchers at once, in one goroutine that lives while there are any.
type hub struct {
	frame func(context.Context) []byte

	mu       sync.Mutex // guards what follows
	watchers map[watcher]struct{}
	latest   []byte             // of the sampler that runs
	cancel   context.CancelFunc // of the sampler that runs
	done     chan struct{}      // closed when the newest sampler has ended; nil: none ever ran
	closed   bool
}

func newHub(frame func(context.Context) []byte) *hub {
	return &hub{frame: frame, watchers: map[watcher]struct{}{}}
}

// join adds a watcher, and starts the sampler for the first.
func (h *hub) join() (watcher, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, errStopping
	case len(h.watchers) >= maxWatchers:
		return nil, errFull
	}
	w := make(watcher, 1)
	h.watchers[w] = struct{}{}
	if len(h.watchers) > 1 {
		if h.latest != nil {
			w.offer(h.latest)
		}
		return w, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	before, done := h.done, make(chan struct{})
	h.cancel, h.done = cancel, done
	go func() {
		defer close(done)
		if before != nil {
			<-before // the last one may not have noticed yet that it was stopped
		}
		h.sample(ctx)
	}()
	return w, nil
}

// leave removes a watcher. The last one waits for the sampler to end.
func (h *hub) leave(w watcher) {
	h.mu.Lock()
	if _, ok := h.watchers[w]; !ok {
		h.mu.Unlock()
		return
	}
	delete(h.watchers, w)
	var done chan struct{}
	if len(h.watchers) == 0 {
		h.cancel()
		h.latest = nil
		done = h.done
	}
	h.mu.Unlock()
	if done != nil {
		<-done
	}
}

// close ends every watch, now and later.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	for w := range h.watchers {
		close(w)
	}
}

// sample publishes frames until ctx ends.
func (h *hub) sample(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		start := time.Now()
		frame := h.frame(ctx)
		h.publish(ctx, frame)
		timer.Reset(min(max(pauseRatio*time.Since(start), leastPause), mostPause))
	}
}

func (h *hub) publish(ctx context.Context, frame []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || ctx.Err() != nil {
		return
	}
	h.latest = frame
	for w := range h.watchers {
		w.offer(frame)
	}
}

// readiness is a "ready" event.
type readiness struct {
	Ready bool   `json:"ready"`
	Why   string `json:"why"`
}

// frame returns the events of one sample: whether the controller decides, and what it
// knows.
func (s *Server) frame(ctx context.Context) []byte {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ready := readiness{Ready: true}
	if err := s.config.Ready(); err != nil {
		ready = readiness{Why: err.Error()}
	}
	var frame bytes.Buffer
	text, err := json.Marshal(ready)
	if err == nil {
		event(&frame, "ready", text)
	}
	snapshot, err := s.config.Source.Snapshot(ctx)
	if err == nil {
		text, err = toJSON.Marshal(snapshot)
	}
	if err != nil {
		text, _ = json.Marshal(problem{Error: status.Convert(err).Message()}) // a string always can
		event(&frame, "problem", text)
		return frame.Bytes()
	}
	event(&frame, "", text)
	return frame.Bytes()
}

// event appends one server-sent event. JSON on one line needs no escaping there.
func event(to *bytes.Buffer, name string, data []byte) {
	if name != "" {
		to.WriteString("event: " + name + "\n")
	}
	to.WriteString("data: ")
	to.Write(data)
	to.WriteString("\n\n")
}

func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	own, err := s.hub.join()
	if err != nil {
		w.Header().Set("Retry-After", "10")
		fail(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	defer s.hub.leave(own)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx before us would hold events back
	control := http.NewResponseController(w)
	// The server's read timeout is for requests, and would end a watch. A writer that
	// knows no deadlines is a test's.
	_ = control.SetReadDeadline(time.Time{})
	for {
		select {
		case <-r.Context().Done():
			return
		case frame, ok := <-own:
			if !ok {
				return
			}
			_ = control.SetWriteDeadline(time.Now().Add(sendTimeout))
			if _, err := w.Write(frame); err != nil {
				return
			}
			if err := control.Flush(); err != nil {
				return
			}
		}
	}
}
