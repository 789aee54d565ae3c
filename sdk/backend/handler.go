package backend

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
)

// Handler returns a handler that serves as next does, and counts for the reports: the
// requests in flight, how many end a second, and how many of them fail, which is an
// answer of 500 or more or a panic. It changes neither request nor answer, and what next
// can do with its ResponseWriter (flush, hijack, push) it can do still. Safe for
// concurrent use, and with several handlers.
func (r *Reporter) Handler(next http.Handler) http.Handler {
	r.count.used.Store(true)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.serve(next, w, req, func(*recorder, bool) {})
	})
}

// serve serves a request and counts it. over is told what was answered, and whether next
// returned rather than panicked.
func (r *Reporter) serve(next http.Handler, w http.ResponseWriter, req *http.Request, over func(rec *recorder, returned bool)) {
	end := r.Begin()
	rec := &recorder{ResponseWriter: w}
	returned := false
	// No recover: the panic is the server's to handle, with the stack it came from.
	defer func() {
		end(!returned || rec.status >= http.StatusInternalServerError)
		over(rec, returned)
	}()
	next.ServeHTTP(rec.outer(), req)
	returned = true
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status  int   // 0: none yet
	written int64 // bytes of the body
}

// complete tells whether the client could know that the answer was at its end before the
// handler returned.
func (w *recorder) complete(method string) bool {
	switch {
	case w.status == 0:
		return false
	case method == http.MethodHead, w.status == http.StatusNoContent, w.status == http.StatusNotModified:
		return true
	}
	n, err := strconv.ParseInt(w.Header().Get("Content-Length"), 10, 64)
	return err == nil && w.written >= n
}

// WriteHeader implements http.ResponseWriter. A 1xx other than 101 precedes the answer.
func (w *recorder) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.note(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	w.note(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	w.written += int64(n)
	return n, err
}

// Unwrap serves http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// note keeps the first status: the server ignores later ones.
func (w *recorder) note(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// outer returns a writer with the optional methods of the one within, as handlers look
// for them by type assertion. The sets are those of net/http for HTTP/1 and HTTP/2, and
// those of simpler writers; another set keeps what http.ResponseController finds.
func (w *recorder) outer() http.ResponseWriter {
	flusher, flushes := w.ResponseWriter.(http.Flusher)
	hijacker, hijacks := w.ResponseWriter.(http.Hijacker)
	pusher, pushes := w.ResponseWriter.(http.Pusher)
	from, reads := w.ResponseWriter.(io.ReaderFrom)
	switch {
	case flushes && hijacks && reads:
		return &http1Recorder{flushRecorder{w, flusher}, hijacker, from}
	case flushes && hijacks:
		return &hijackRecorder{flushRecorder{w, flusher}, hijacker}
	case flushes && pushes:
		return &http2Recorder{flushRecorder{w, flusher}, pusher}
	case flushes:
		return &flushRecorder{w, flusher}
	}
	return w
}

type flushRecorder struct {
	*recorder
	flusher http.Flusher
}

func (w flushRecorder) Flush() {
	w.note(http.StatusOK)
	w.flusher.Flush()
}

type hijackRecorder struct {
	flushRecorder
	hijacker http.Hijacker
}

func (w *hijackRecorder) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.hijacker.Hijack() }

type http1Recorder struct {
	flushRecorder
	hijacker http.Hijacker
	from     io.ReaderFrom
}

func (w *http1Recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.hijacker.Hijack() }

// ReadFrom keeps sendfile within reach.
func (w *http1Recorder) ReadFrom(src io.Reader) (int64, error) {
	w.note(http.StatusOK)
	n, err := w.from.ReadFrom(src)
	w.written += n
	return n, err
}

type http2Recorder struct {
	flushRecorder
	pusher http.Pusher
}

func (w *http2Recorder) Push(target string, opts *http.PushOptions) error {
	return w.pusher.Push(target, opts)
}
