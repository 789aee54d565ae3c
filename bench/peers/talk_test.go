//go:build linux

package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listening serves connections until the test ends, and returns where.
func listening(t *testing.T, answer func(net.Conn) error) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); accept(ctx, l, answer) }()
	t.Cleanup(func() { stop(); <-ended })
	return l.Addr().String()
}

func TestLoads(t *testing.T) {
	for kind, answer := range servers {
		s, err := work(t.Context(), job{kind: kind, to: listening(t, answer), each: time.Minute, connections: 3, ops: 20})
		if err != nil || s.Done != 60 || s.Failed != 0 || s.P50 > s.P99 {
			t.Errorf("%s: %+v, %v", kind, s, err)
		}
	}
}

// Each load notices an answer that is not the one that it waits for.
func TestLoadsCountFailures(t *testing.T) {
	refused := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Grpc-Status", "14")
	}))
	refused.Config.Protocols = new(http.Protocols)
	refused.Config.Protocols.SetUnencryptedHTTP2(true)
	refused.Start()
	defer refused.Close()
	ends := listening(t, func(c net.Conn) error {
		_, err := io.CopyN(io.Discard, c, int64(len(message)))
		return err
	})
	for _, c := range []struct{ kind, to, why string }{
		{"tcp", listening(t, servers["bulk"]), "not what the backend sends"},
		{"tcp", ends, "reading an answer"},
		{"bulk", ends, "reading an answer"},
		{"ws", refused.Listener.Addr().String(), "upgrading"},
		{"grpc", refused.Listener.Addr().String(), `grpc-status "14"`},
	} {
		s, err := work(t.Context(), job{kind: c.kind, to: c.to, each: time.Minute, connections: 1, ops: 1})
		if err != nil || s.Done != 0 || s.Failed != 1 || !strings.Contains(s.Why, c.why) {
			t.Errorf("%s: %+v, %v; want one failure that says %q", c.kind, s, err, c.why)
		}
	}
}

func TestPace(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusServiceUnavailable} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		got, err := work(t.Context(), job{kind: "pace", to: s.Listener.Addr().String(), each: time.Minute, connections: 1000, ops: 100})
		s.Close()
		if ok := status == http.StatusOK; err != nil || got.Done+got.Failed < 100 || (got.Done > 0) != ok || (got.Failed == 0) != ok {
			t.Errorf("with status %d: %+v, %v", status, got, err)
		}
	}
}

func FuzzEchoFrame(f *testing.F) {
	f.Add(frame(message, true))
	f.Add(frame(message, false))
	f.Add([]byte{0x81, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		if err := echoFrame(bytes.NewReader(in), &out); err != nil {
			return
		}
		b := out.Bytes()
		text := make([]byte, len(b)-2)
		for i := range text {
			text[i] = in[6+i] ^ in[2+i%4]
		}
		if int(b[1]) != len(text) || !bytes.Equal(b, frame(string(text), false)) {
			t.Errorf("%x is echoed as %x", in, b)
		}
	})
}
