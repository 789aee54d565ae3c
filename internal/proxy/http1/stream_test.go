package http1

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/http1/message"
	"github.com/fairlead/fairlead/internal/proxy/http2"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// two has a site's client speak HTTP/2, without TLS.
func two(s *site) *site {
	tr := s.client.Transport.(*http.Transport)
	tr.Protocols = new(http.Protocols)
	tr.Protocols.SetUnencryptedHTTP2(true)
	tr.ExpectContinueTimeout = time.Minute
	return s
}

// sized reads as many bytes, and hides that it knows.
func sized(n int) (io.Reader, [32]byte) {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n)})
	_, _ = r.Read(b)
	return io.MultiReader(bytes.NewReader(b)), sha256.Sum256(b)
}

// TestStreamBodies: of all sizes, with and without a length, whole both ways.
func TestStreamBodies(t *testing.T) {
	g := to(backend(t, func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("How", fmt.Sprint(r.Proto, r.ContentLength, r.TransferEncoding))
		_, _ = w.Write(b)
	}))
	s := two(serve(t, g, long))
	for _, size := range []int{0, 1, 8 << 10, 100 << 10, 3 << 20} {
		for _, length := range []bool{true, false} {
			body, sum := sized(size)
			req := s.request("POST", "/", "")
			req.Body = io.NopCloser(body)
			want := "HTTP/1.1-1 [chunked]"
			if req.ContentLength = -1; length {
				req.ContentLength = int64(size)
				if size == 0 {
					req.Body = http.NoBody
				}
				want = fmt.Sprintf("HTTP/1.1%d []", size)
			}
			res, got := s.do(req)
			if res.ProtoMajor != 2 || sha256.Sum256([]byte(got)) != sum || res.Header.Get("How") != want {
				t.Errorf("%d bytes, with length %v: %s, %d came back, by %q", size, length, res.Status, len(got), res.Header.Get("How"))
			}
			expectOutcome(t, g, fleet.OK)
		}
	}
}

// TestStreamTrailers: both ways, and only such as may be there.
func TestStreamTrailers(t *testing.T) {
	g := to(backend(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "Sum")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("Sum", fmt.Sprint(r.Trailer.Get("Asked"), r.Trailer.Get("Authorization"), len(r.Trailer)))
		w.Header().Set(http.TrailerPrefix+"More", "yes")
	}))
	s := two(serve(t, g, long))
	for _, forbidden := range []string{"Also", "Forwarded"} {
		req := s.request("POST", "/", "")
		req.Body, req.ContentLength = io.NopCloser(strings.NewReader("x")), -1
		req.Trailer = http.Header{"Asked": {"7"}, forbidden: {"1"}}
		res, body := s.do(req)
		want := map[string]string{"Also": "72", "Forwarded": "71"}[forbidden]
		if body != "body" || res.Trailer.Get("Sum") != want || res.Trailer.Get("More") != "yes" {
			t.Errorf("%q, trailers %v; want %s", body, res.Trailer, want)
		}
		expectOutcome(t, g, fleet.OK)
	}
}

// TestStreamExpects: a client that waits for 100 (Continue) gets it from the backend, whatever
// that speaks.
func TestStreamExpects(t *testing.T) {
	both := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	both.Config.Protocols = new(http.Protocols)
	both.Config.Protocols.SetHTTP1(true)
	both.Config.Protocols.SetUnencryptedHTTP2(true)
	both.Start()
	t.Cleanup(both.Close)
	for _, backendSpeaks2 := range []bool{false, true} {
		g := to(fleet.BackendName(both.Listener.Addr().String()))
		s := two(serve(t, g, long, func(_ *Config, p *link.Pool) { p.HTTP2 = backendSpeaks2 }))
		for _, length := range []int64{5, -1} {
			told := make(chan struct{}, 1)
			trace := &httptrace.ClientTrace{Got100Continue: func() { told <- struct{}{} }}
			req := s.request("POST", "/", "", "Expect", "100-continue").WithContext(httptrace.WithClientTrace(t.Context(), trace))
			req.Body, req.ContentLength = io.NopCloser(strings.NewReader("hello")), length
			if res, body := s.do(req); res.StatusCode != http.StatusOK || body != "hello" || len(told) != 1 {
				t.Errorf("HTTP/2 behind: %v, length %d: %s %q, told to go on: %v", backendSpeaks2, length, res.Status, body, len(told) == 1)
			}
			expectOutcome(t, g, fleet.OK)
		}
	}
}

// TestStreamClientGone: the backend's request is cancelled, and its slot comes back.
func TestStreamClientGone(t *testing.T) {
	came, left := make(chan struct{}), make(chan struct{})
	g := to(backend(t, func(_ http.ResponseWriter, r *http.Request) {
		close(came)
		<-r.Context().Done()
		close(left)
	}))
	s := two(serve(t, g, long))
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan error, 1)
	go func() {
		_, err := s.client.Do(s.request("GET", "/", "").WithContext(ctx))
		answered <- err
	}()
	get(t, "request", came)
	cancel()
	if err := get(t, "answer", answered); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	get(t, "end of the backend's request", left)
	expectOutcome(t, g, fleet.Cancelled)
}

// TestStreamBackendBreaks: an answer that is not whole does not look whole.
func TestStreamBackendBreaks(t *testing.T) {
	for name, head := range map[string]string{"length": "Content-Length: 10", "chunked": "Transfer-Encoding: chunked"} {
		t.Run(name, func(t *testing.T) {
			body := map[string]string{"length": "hello", "chunked": "5\r\nhello\r\n"}[name]
			g := to(rawAnswers(t, "HTTP/1.1 200 OK\r\n"+head+"\r\n\r\n"+body))
			s := two(serve(t, g, long))
			res, err := s.client.Do(s.request("GET", "/", ""))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if b, err := io.ReadAll(res.Body); err == nil || string(b) != "hello" {
				t.Errorf("%q, %v", b, err)
			}
			expectOutcome(t, g, fleet.Failed)
		})
	}
}

// TestStreamRetry: a backend that cannot be reached is no loss.
func TestStreamRetry(t *testing.T) {
	dead, alive := nobody(t), backend(t, echo)
	g := newGranter(func(_ context.Context, r link.Request) (fleet.BackendName, error) {
		if len(r.Exclude) == 0 {
			return dead, nil
		}
		return alive, nil
	})
	s := two(serve(t, g, long))
	if res, body := s.do(s.request("POST", "/", "hello")); res.StatusCode != http.StatusOK || body != "hello" {
		t.Errorf("%s %q", res.Status, body)
	}
	expectOutcome(t, g, fleet.Unreachable)
	expectOutcome(t, g, fleet.OK)
}

// TestStreamRefused: as over HTTP/1.1, but to a gRPC client as gRPC has it.
func TestStreamRefused(t *testing.T) {
	s := two(serve(t, refusing(&link.Refused{Pool: "render", Reason: fleet.QueueFull, RetryAfter: time.Second}), long))
	res, body := s.do(s.request("POST", "/", "hello"))
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "1" || res.Header.Get("Fairlead-Reason") != "queue_full" || body == "" {
		t.Errorf("%v %q", res, body)
	}
	res, body = s.do(s.request("POST", "/", "hello", "Content-Type", "application/grpc"))
	if res.StatusCode != http.StatusOK || res.Header.Get("Grpc-Status") != "8" || res.Header.Get("Grpc-Message") != fleet.QueueFull.Text() || body != "" {
		t.Errorf("%v %q", res, body)
	}
	if n := s.metric("refused_total", "queue_full"); n != 2 {
		t.Errorf("%v refusals are counted", n)
	}
	res, _ = s.do(s.request("GET", "/", "", "Long", strings.Repeat("x", message.Defaults.Field)))
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%v", res)
	}
	res, _ = s.do(s.request("GET", "/"+strings.Repeat("x", message.Defaults.Line), ""))
	if res.StatusCode != http.StatusRequestURITooLong {
		t.Errorf("%v", res)
	}
}

// TestStreamEarlyAnswer: the client need not send the rest of its body.
func TestStreamEarlyAnswer(t *testing.T) {
	g := to(rawAnswers(t, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno\n"))
	s := two(serve(t, g, long))
	body, end := io.Pipe()
	defer end.Close()
	req := s.request("POST", "/", "")
	req.Body = body
	go func() { _, _ = io.WriteString(end, "some") }()
	if res, got := s.do(req); res.StatusCode != http.StatusRequestEntityTooLarge || got != "no\n" {
		t.Errorf("%s %q", res.Status, got)
	}
	expectOutcome(t, g, fleet.OK)
}

// rawAnswers reads a request's head, answers with a text, and ends the connection.
func rawAnswers(t testing.TB, text string) fleet.BackendName {
	return rawBackend(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		_, _ = io.WriteString(c, text)
	})
}

// TestStreamsAtOnce: many on one connection, each with its own answer.
func TestStreamsAtOnce(t *testing.T) {
	g := to(backend(t, echo))
	s := two(serve(t, g, long))
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			text := strings.Repeat(fmt.Sprint(i, " "), 10*i+1)
			res, err := s.client.Do(s.request("POST", "/", text))
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if b, err := io.ReadAll(res.Body); err != nil || string(b) != text {
				t.Errorf("%d: %d bytes instead of %d, %v", i, len(b), len(text), err)
			}
		})
	}
	all.Wait()
	for range 200 {
		expectOutcome(t, g, fleet.OK)
	}
}

// framed is a client that speaks HTTP/2 by the frame.
type framed struct {
	*raw
	fr *xhttp2.Framer
}

// frames begins a connection with one request, for which it allows an answer of so many bytes.
func (s *site) frames(window uint32) *framed {
	c := &framed{raw: s.dial()}
	_, _ = io.WriteString(c, http2.Preface)
	c.fr = xhttp2.NewFramer(c.TCPConn, c.TCPConn)
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	_ = c.fr.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: window})
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for _, f := range [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/"}} {
		_ = enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	_ = c.fr.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true})
	return c
}

// until reads frames up to the first one of a type.
func (c *framed) until(kind xhttp2.FrameType) xhttp2.Frame {
	c.t.Helper()
	for {
		f, err := c.fr.ReadFrame()
		if err != nil {
			c.t.Fatalf("no %v came, but %v", kind, err)
		}
		if f.Header().Type == kind {
			return f
		}
	}
}

// TestStreamTimeouts: a client that takes nothing of its answer, and one that asks nothing.
func TestStreamTimeouts(t *testing.T) {
	g := to(backend(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	short := func(c *Config, _ *link.Pool) {
		c.Timeouts = func() Timeouts { return Timeouts{Answer: 200 * time.Millisecond, Idle: 300 * time.Millisecond} }
	}
	s := serve(t, g, long, short)
	c := s.frames(0)
	if f := c.until(xhttp2.FrameRSTStream); f.Header().StreamID != 1 {
		t.Error(f)
	}
	c.until(xhttp2.FrameGoAway) // as it is idle
	c.expectEnd()
	expectOutcome(t, g, fleet.OK) // the backend's part was done
	c = s.frames(5)
	c.until(xhttp2.FrameData)
	c.until(xhttp2.FrameGoAway)
	c.expectEnd()
	expectOutcome(t, g, fleet.OK)
}

// TestDrainCutsStreams: who is not done by then is cut.
func TestDrainCutsStreams(t *testing.T) {
	g := to(backend(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	s := serve(t, g, 200*time.Millisecond)
	c := s.frames(5)
	get(t, "grant", g.grants)
	s.stop()
	c.until(xhttp2.FrameGoAway)
	c.expectEnd()
	if err := get(t, "Serve", s.ended); err != nil {
		t.Error(err)
	}
	s.ended <- nil // for the cleanup
	expectOutcome(t, g, fleet.Cancelled)
}

// TestStreamsLogged: as what they are.
func TestStreamsLogged(t *testing.T) {
	g := to(backend(t, echo))
	lines := logged(t, g, func(s *site) {
		two(s)
		s.do(s.request("POST", "/a?b", "hello", "User-Agent", "me"))
	})
	if len(lines) != 1 {
		t.Fatalf("%d lines", len(lines))
	}
	has(t, lines[0], map[string]any{"protocol": "HTTP/2.0", "method": "POST", "target": "/a?b", "status": 200.0, "bytes_in": 5.0, "bytes_out": 5.0, "end": "done", "user_agent": "me"})
}

// TestStaffLeaves: goroutines that nobody needs do not stay.
func TestStaffLeaves(t *testing.T) {
	var s staff
	for range 20 {
		if !s.give(&conn{next: make(chan *http2.Stream, 1)}) {
			t.Fatal("it is to wait, and may not")
		}
	}
	for range 3 {
		s.take()
	}
	s.trim() // of those that were idle since the start, which is none
	if len(s.idle) != 17 {
		t.Errorf("%d are left", len(s.idle))
	}
	for len(s.idle) > 0 {
		had, first := len(s.idle), s.idle[0]
		s.trim()
		if len(s.idle) >= had {
			t.Fatalf("%d of %d stay for ever", len(s.idle), had)
		}
		if _, open := <-first.next; open {
			t.Error("another one was dismissed")
		}
	}
	s.give(&conn{next: make(chan *http2.Stream, 1)})
	s.trim()
	s.close()
	s.trim() // there is nobody to dismiss
	if s.give(&conn{}) {
		t.Error("it is to wait for what has ended")
	}
}
