//go:build unix

// Package websocket_test has a WebSocket library's client and server talk through a proxy: the
// cases that the Autobahn suite has for what an intermediary could spoil.
package websocket_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/fairlead/fairlead/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m) }

const (
	patience = 30 * time.Second
	largest  = 4 << 20 // of a message, in bytes
)

// path is what the backend does with a connection.
type path = string

// backend is a WebSocket server.
func backend(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	accept := func(o *websocket.AcceptOptions, f func(ctx context.Context, c *websocket.Conn)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			c, err := websocket.Accept(w, r, o)
			if err != nil {
				return
			}
			defer func() { _ = c.CloseNow() }()
			c.SetReadLimit(largest)
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			f(ctx, c)
		}
	}
	mux.HandleFunc("/echo", accept(nil, echo))
	mux.HandleFunc("/deflate", accept(&websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover}, echo))
	mux.HandleFunc("/protocol", accept(&websocket.AcceptOptions{Subprotocols: []string{"b", "a"}}, echo))
	mux.HandleFunc("/bye", accept(nil, func(_ context.Context, c *websocket.Conn) { _ = c.Close(4000, "bye") }))
	mux.HandleFunc("/gone", accept(nil, func(_ context.Context, c *websocket.Conn) { _ = c.CloseNow() }))
	mux.HandleFunc("/pings", accept(nil, func(ctx context.Context, c *websocket.Conn) {
		go func() { _, _, _ = c.Read(ctx) }() // takes the pong
		for range 3 {
			if c.Ping(ctx) != nil {
				return
			}
		}
		_ = c.Close(websocket.StatusNormalClosure, "pinged")
	}))
	mux.HandleFunc("/forbidden", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) })
	mux.HandleFunc("/old", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "upgrade", http.StatusUpgradeRequired)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func echo(ctx context.Context, c *websocket.Conn) {
	for {
		kind, p, err := c.Read(ctx)
		if err != nil || c.Write(ctx, kind, p) != nil {
			return
		}
	}
}

// rig is a proxy before a backend, and one before a peer that speaks by the byte.
type rig struct {
	*testproc.Site
	plain, safe, bytes string
	client             *http.Client
	raw                net.Listener
}

func start(t *testing.T) *rig {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	cert, key := testproc.Certificate(t)
	r := &rig{plain: testproc.FreeAddr(t), safe: testproc.FreeAddr(t), bytes: testproc.FreeAddr(t), raw: l}
	r.Site = testproc.StartSite(t, fmt.Sprintf(`
listeners:
  - {name: plain, address: %q, protocol: http}
  - {name: safe, address: %q, protocol: http, tls: {certificates: [{cert: %q, key: %q}]}}
  - {name: bytes, address: %q, protocol: http}
routes: [{listener: plain, pool: ws}, {listener: safe, pool: ws}, {listener: bytes, pool: bytes}]
pools:
  - {name: ws, slots: 4, grant_limit: 0, health: {type: none}, backends: [{address: %q}]}
  - {name: bytes, slots: 4, grant_limit: 0, health: {type: none}, backends: [{address: %q}]}
`, r.plain, r.safe, cert, key, r.bytes, backend(t), l.Addr()))
	r.Serves(t, "ws", 1)
	r.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: testproc.Trusts(t, cert)}}}
	t.Cleanup(r.client.CloseIdleConnections)
	return r
}

// dial opens a WebSocket.
func (r *rig) dial(t *testing.T, url string, o websocket.DialOptions) (*websocket.Conn, *http.Response) {
	t.Helper()
	o.HTTPClient = r.client
	c, res, err := websocket.Dial(t.Context(), url, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	c.SetReadLimit(largest)
	return c, res
}

// one checks that what f does took one grant, which is given back.
func (r *rig) one(t *testing.T, pool string, f func()) {
	t.Helper()
	before := r.Quiet(t, pool)
	f()
	if n := r.Took(t, pool, before, 1); n != 1 {
		t.Errorf("%d grants for one connection", n)
	}
}

// TestWebSocket plays the cases in plain text and over TLS.
func TestWebSocket(t *testing.T) {
	r := start(t)
	for name, base := range map[string]string{"ws": "ws://" + r.plain, "wss": "wss://" + r.safe} {
		for _, c := range []struct {
			name string
			play func(*testing.T, *rig, string)
		}{
			{"sizes", playSizes}, {"fragments", playFragments}, {"pings", playPings}, {"closing", playClosing}, {"negotiation", playNegotiation},
		} {
			t.Run(name+"/"+c.name, func(t *testing.T) { c.play(t, r, base) })
		}
	}
}

// playSizes sends messages whose lengths are written in each of the ways that there are.
func playSizes(t *testing.T, r *rig, base string) {
	r.one(t, "ws", func() {
		c, _ := r.dial(t, base+"/echo", websocket.DialOptions{})
		for _, kind := range []websocket.MessageType{websocket.MessageText, websocket.MessageBinary} {
			for _, size := range []int{0, 1, 125, 126, 127, 128, 65535, 65536, 65537, 1 << 20} {
				sent := bytes.Repeat([]byte("e"), size)
				if err := c.Write(t.Context(), kind, sent); err != nil {
					t.Fatal(err)
				}
				if k, got, err := c.Read(t.Context()); err != nil || k != kind || !bytes.Equal(got, sent) {
					t.Fatalf("%v of %d bytes came back as %v of %d, %v", kind, size, k, len(got), err)
				}
			}
		}
		if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
	})
}

// playFragments sends one message in many frames.
func playFragments(t *testing.T, r *rig, base string) {
	r.one(t, "ws", func() {
		c, _ := r.dial(t, base+"/echo", websocket.DialOptions{})
		w, err := c.Writer(t.Context(), websocket.MessageText)
		if err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			_, err = io.WriteString(w, "a piece, ")
		}
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(t.Context()); err != nil || string(got) != strings.Repeat("a piece, ", 1000) {
			t.Errorf("%d bytes came back, %v", len(got), err)
		}
		_ = c.Close(websocket.StatusNormalClosure, "")
	})
}

// playPings has each side ask whether the other is there.
func playPings(t *testing.T, r *rig, base string) {
	r.one(t, "ws", func() {
		c, _ := r.dial(t, base+"/pings", websocket.DialOptions{})
		if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
			t.Errorf("the backend's pings: %v", err)
		}
	})
	r.one(t, "ws", func() {
		c, _ := r.dial(t, base+"/echo", websocket.DialOptions{})
		ctx := c.CloseRead(t.Context())
		for range 3 {
			if err := c.Ping(ctx); err != nil {
				t.Fatal(err)
			}
		}
		_ = c.CloseNow()
	})
}

// playClosing has each side end the connection, with a word and without.
func playClosing(t *testing.T, r *rig, base string) {
	r.one(t, "ws", func() {
		c, _ := r.dial(t, base+"/bye", websocket.DialOptions{})
		_, _, err := c.Read(t.Context())
		var end websocket.CloseError
		if !errors.As(err, &end) || end.Code != 4000 || end.Reason != "bye" {
			t.Errorf("the backend's close: %v", err)
		}
	})
	r.one(t, "ws", func() {
		c, _ := r.dial(t, base+"/gone", websocket.DialOptions{})
		if _, _, err := c.Read(t.Context()); err == nil || websocket.CloseStatus(err) != -1 {
			t.Errorf("the backend went without a word, which comes as %v", err)
		}
		_ = c.CloseNow()
	})
	r.one(t, "ws", func() {
		c, _ := r.dial(t, base+"/echo", websocket.DialOptions{})
		_ = c.CloseNow() // the backend's connection ends, and the slot comes back
	})
}

// playNegotiation keeps what the sides agree on, and what they do not.
func playNegotiation(t *testing.T, r *rig, base string) {
	r.one(t, "ws", func() {
		c, res := r.dial(t, base+"/protocol", websocket.DialOptions{Subprotocols: []string{"a", "b"}})
		if c.Subprotocol() == "" || res.Header.Get("Sec-WebSocket-Protocol") != c.Subprotocol() {
			t.Errorf("agreed on %q", c.Subprotocol())
		}
		_ = c.Close(websocket.StatusNormalClosure, "")
	})
	r.one(t, "ws", func() {
		c, res := r.dial(t, base+"/deflate", websocket.DialOptions{CompressionMode: websocket.CompressionContextTakeover})
		if !strings.Contains(res.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate") {
			t.Errorf("agreed on %q", res.Header.Get("Sec-WebSocket-Extensions"))
		}
		text := strings.Repeat("that is well compressed, ", 10000)
		for range 3 {
			if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
				t.Fatal(err)
			}
			if _, got, err := c.Read(t.Context()); err != nil || string(got) != text {
				t.Fatalf("%d bytes came back, %v", len(got), err)
			}
		}
		_ = c.Close(websocket.StatusNormalClosure, "")
	})
	for path, want := range map[path]int{"/forbidden": http.StatusForbidden, "/old": http.StatusUpgradeRequired} {
		r.one(t, "ws", func() {
			c, res, err := websocket.Dial(t.Context(), base+path, &websocket.DialOptions{HTTPClient: r.client})
			if err == nil {
				_ = c.CloseNow()
				t.Fatal("it is open")
			}
			if res.StatusCode != want {
				t.Errorf("%s: answered %s", path, res.Status)
			}
		})
	}
}

// frames are what a side could send, right and wrong: a tunnel is not to know the difference.
var frames = []struct{ name, bytes string }{
	{"unmasked", "\x81\x02hi"},
	{"masked", "\x81\x82\x01\x02\x03\x04\x69\x6b"},
	{"reserved bits", "\xf1\x80\x00\x00\x00\x00"},
	{"reserved opcode", "\x8b\x80\x00\x00\x00\x00"},
	{"a fragmented ping", "\x09\x80\x00\x00\x00\x00"},
	{"a long ping", "\x89\xfe\x00\x80\x00\x00\x00\x00" + strings.Repeat("p", 128)},
	{"a continuation of nothing", "\x80\x80\x00\x00\x00\x00"},
	{"text that is no UTF-8", "\x81\x83\x00\x00\x00\x00\xff\xfe\xfd"},
	{"a close code that may not be", "\x88\x82\x00\x00\x00\x00\x03\xed"},
	{"a close of one byte", "\x88\x81\x00\x00\x00\x00\x03"},
	{"a length in too many bytes", "\x82\xff\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00x"},
	{"half a frame", "\x81\x85\x00\x00"},
}

const (
	asks   = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	agrees = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)

// TestFrames: whatever the sides send arrives unchanged, in one piece or byte by byte, and
// what is sent right behind the request or the answer is not lost.
func TestFrames(t *testing.T) {
	r := start(t)
	for _, f := range frames {
		for _, how := range []string{"at once", "byte by byte", "right behind the head"} {
			t.Run(f.name+"/"+how, func(t *testing.T) {
				r.one(t, "bytes", func() { r.exchange(t, f.bytes, how) })
			})
		}
	}
}

// exchange has both sides send something, and end.
func (r *rig) exchange(t *testing.T, text, how string) {
	heard := make(chan string, 1)
	go func() { heard <- r.answer(text, how) }()
	c, err := net.Dial("tcp", r.bytes)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(c)
	if how == "right behind the head" {
		_, err = io.WriteString(c, asks+text)
	} else {
		_, err = io.WriteString(c, asks)
	}
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Sec-WebSocket-Accept") == "" {
		t.Fatalf("answered %v, %v", res, err)
	}
	if how != "right behind the head" {
		say(c, text, how)
	}
	_ = c.(*net.TCPConn).CloseWrite()
	if got, err := io.ReadAll(in); err != nil || string(got) != text {
		t.Errorf("the client got %q, %v", got, err)
	}
	if got := <-heard; got != text {
		t.Errorf("the backend got %q", got)
	}
}

// say writes a text.
func say(c net.Conn, text, how string) {
	if how != "byte by byte" {
		_, _ = io.WriteString(c, text)
		return
	}
	for i := range len(text) {
		_, _ = io.WriteString(c, text[i:i+1])
	}
}

// answer is the backend's side. It returns what came behind the request.
func (r *rig) answer(text, how string) string {
	c, err := r.raw.Accept()
	if err != nil {
		return err.Error()
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(c)
	if _, err := http.ReadRequest(in); err != nil {
		return err.Error()
	}
	if how == "right behind the head" {
		_, _ = io.WriteString(c, agrees+text)
	} else {
		_, _ = io.WriteString(c, agrees)
		say(c, text, how)
	}
	_ = c.(*net.TCPConn).CloseWrite()
	got, err := io.ReadAll(in)
	if err != nil {
		return err.Error()
	}
	return string(got)
}
