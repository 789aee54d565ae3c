package h2

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/internal/proxy/http1/message"
	"github.com/fairlead/fairlead/internal/proxy/http2"
)

// StreamRequest is a request that came over HTTP/2, and whose head was read.
type StreamRequest struct {
	Stream *http2.Stream
	Head   *message.Request
	Body   []byte // what was read of the body
	Client string // its address, with the port
	Secure bool   // it speaks TLS
	TLS    *tls.ConnectionState
	// Taken is called when Head and Body are used no more.
	Taken func()
}

// ServeStream serves a request and returns when it has ended. It ends with ctx. The caller
// closes the stream.
func (s *Server) ServeStream(ctx context.Context, r StreamRequest) {
	ctx = context.WithValue(ctx, http.LocalAddrContextKey, r.Stream.LocalAddr())
	req := r.request(context.WithValue(ctx, waiterKey{}, &waiter{secure: r.Secure}))
	r.Taken()
	w := &streamWriter{stream: r.Stream, header: http.Header{}}
	defer func() {
		if err := recover(); err != nil {
			if e, is := err.(error); !is || !errors.Is(e, http.ErrAbortHandler) {
				panic(err)
			}
			return // the stream is closed before its end, which resets it
		}
		w.finish()
	}()
	s.ServeHTTP(w, req)
}

// request makes what net/http's server would have made.
func (r *StreamRequest) request(ctx context.Context) *http.Request {
	head := r.Head
	req := &http.Request{
		Method: string(head.Method()), Host: string(head.Host()), RequestURI: string(head.Target()), RemoteAddr: r.Client,
		Proto: "HTTP/2.0", ProtoMajor: 2, Header: make(http.Header, len(head.Fields)), Body: http.NoBody, TLS: r.TLS,
	}
	for i := range head.Fields {
		switch f := &head.Fields[i]; f.Known {
		case message.Host:
		case message.Trailer:
			req.Trailer = announced(req.Trailer, string(head.Value(f)))
		default:
			req.Header.Add(string(head.Name(f)), string(head.Value(f)))
		}
	}
	var err error
	if req.URL, err = url.ParseRequestURI(req.RequestURI); err != nil { // what has a path that http1 takes can be parsed
		req.URL = &url.URL{Path: string(head.Path())}
	}
	if r.Stream.HasBody() {
		req.ContentLength = -1
		if head.Get(message.ContentLength) != nil {
			req.ContentLength = head.Length
		}
		expects := req.Header.Get("Expect") != "" // the parser lets no other expectation pass
		req.Body = &streamBody{stream: r.Stream, expects: expects, early: bytes.Clone(r.Body), req: req}
	}
	return req.WithContext(ctx)
}

// announced adds the names of a Trailer field.
func announced(to http.Header, names string) http.Header {
	for name := range strings.SplitSeq(names, ",") {
		if name = strings.TrimSpace(name); name != "" && message.Announces([]byte(name)) {
			if to == nil {
				to = http.Header{}
			}
			to[http.CanonicalHeaderKey(name)] = nil
		}
	}
	return to
}

// streamBody is a request's body.
type streamBody struct {
	stream *http2.Stream
	early  []byte
	req    *http.Request // whose trailers it fills in
	ended  bool
	// expects: the client waits to be told to go on, which is when somebody reads.
	expects bool
}

// Read implements io.Reader.
func (b *streamBody) Read(p []byte) (int, error) {
	if len(b.early) > 0 {
		n := copy(p, b.early)
		b.early = b.early[n:]
		return n, nil
	}
	if b.expects {
		b.expects = false
		b.stream.Continue()
	}
	n, err := b.stream.Read(p)
	if err == io.EOF && !b.ended {
		b.ended = true
		b.takeTrailers()
	}
	return n, err
}

func (b *streamBody) takeTrailers() {
	for lines := b.stream.Trailers(); len(lines) > 0; {
		var line []byte
		line, lines, _ = bytes.Cut(lines, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(": "))
		if message.Announces(name) {
			if b.req.Trailer == nil {
				b.req.Trailer = http.Header{}
			}
			b.req.Trailer.Add(string(name), string(value))
		}
	}
}

// Close implements io.Closer. The stream is closed by who has it.
func (b *streamBody) Close() error { return nil }

// streamWriter answers on a stream. What is written is gathered, until it is flushed or has
// become much.
type streamWriter struct {
	stream   *http2.Stream
	header   http.Header
	trailers []string // that the head announced
	wrote    bool     // the head
	buf      []byte
}

// enough is what is written at once, in bytes.
const enough = 16 << 10

// Header implements http.ResponseWriter.
func (w *streamWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *streamWriter) WriteHeader(code int) {
	if w.wrote {
		return
	}
	w.buf = append(strconv.AppendInt(append(w.buf, "HTTP/1.1 "...), int64(code), 10), "\r\n"...)
	final := code >= http.StatusOK
	if w.wrote = final; final {
		for name := range announced(nil, strings.Join(w.header["Trailer"], ",")) {
			w.trailers = append(w.trailers, name)
		}
		if _, ok := w.header["Date"]; !ok {
			w.header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
		}
	}
	for name, values := range w.header {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			continue
		}
		w.buf = appendField(w.buf, name, values)
	}
	w.buf = append(w.buf, "\r\n"...)
	if !final {
		_ = w.FlushError() // who writes the answer hears of it
	}
}

func appendField(b []byte, name string, values []string) []byte {
	for _, v := range values {
		b = append(append(append(append(b, name...), ": "...), v...), "\r\n"...)
	}
	return b
}

// Write implements http.ResponseWriter.
func (w *streamWriter) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	if len(w.buf)+len(p) > enough {
		if err := w.FlushError(); err != nil {
			return 0, err
		}
		if len(p) >= enough {
			return w.stream.Write(p)
		}
	}
	w.buf = append(w.buf, p...)
	return len(p), nil
}

// FlushError implements what http.ResponseController looks for.
func (w *streamWriter) FlushError() error {
	if len(w.buf) == 0 && !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	if len(w.buf) == 0 {
		return nil
	}
	_, err := w.stream.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

// SetReadDeadline implements what http.ResponseController looks for.
func (w *streamWriter) SetReadDeadline(t time.Time) error { return w.stream.SetReadDeadline(t) }

// SetWriteDeadline implements what http.ResponseController looks for.
func (w *streamWriter) SetWriteDeadline(t time.Time) error { return w.stream.SetWriteDeadline(t) }

// finish ends the answer.
func (w *streamWriter) finish() {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	var lines []byte
	for _, name := range w.trailers {
		lines = appendField(lines, name, w.header[name])
	}
	for name, values := range w.header {
		if after, is := strings.CutPrefix(name, http.TrailerPrefix); is {
			lines = appendField(lines, after, values)
		}
	}
	_, _ = w.stream.Finish(w.buf, lines) // nobody is told that the client does not listen
}
