package http1

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/accesslog"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// logged serves with an access log, and returns what reads its lines once the site is done.
func logged(t *testing.T, g link.Granter, do func(*site), change ...func(*Config, *link.Pool)) []map[string]any {
	t.Helper()
	path := filepath.Join(t.TempDir(), "access.log")
	log, err := accesslog.Open(accesslog.Config{Path: path, Sample: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, g, long, append(change, func(c *Config, _ *link.Pool) { c.Access, c.Name = log, "web" })...)
	do(s)
	s.client.CloseIdleConnections()
	s.stop()
	if err := get(t, "Serve", s.ended); err != nil {
		t.Error(err)
	}
	s.ended <- nil // for the cleanup
	if err := log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	for line := range splitLines(b) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, m)
	}
	return all
}

func splitLines(b []byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		from := 0
		for i, c := range b {
			if c == '\n' {
				if !yield(b[from:i]) {
					return
				}
				from = i + 1
			}
		}
	}
}

// has checks members of a line.
func has(t *testing.T, line map[string]any, want map[string]any) {
	t.Helper()
	for key, w := range want {
		if line[key] != w {
			t.Errorf("%s: %v, want %v, of %v", key, line[key], w, line)
		}
	}
}

// TestAccessLog: a line a request, however it ends, over each protocol.
func TestAccessLog(t *testing.T) {
	b := backend(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "served")
	})
	t.Run("done", func(t *testing.T) {
		all := logged(t, to(b), func(s *site) {
			for range 2 {
				s.do(s.request("POST", "/a?b=c", "hello", "User-Agent", "test"))
			}
		})
		if len(all) != 2 {
			t.Fatalf("%d lines", len(all))
		}
		has(t, all[1], map[string]any{
			"listener": "web", "method": "POST", "target": "/a?b=c", "protocol": "HTTP/1.1", "status": 200.0, "pool": "render",
			"backend": string(b), "end": "done", "bytes_in": 5.0, "bytes_out": 6.0, "user_agent": "test", "tries": 1.0,
		})
	})
	t.Run("HTTP/2", func(t *testing.T) {
		change, trust := secured(t)
		all := logged(t, to(b), func(s *site) {
			trust(s, "h2")
			s.over(t, "https", "POST", "/x", "hello")
		}, change)
		if len(all) != 1 {
			t.Fatalf("%d lines", len(all))
		}
		has(t, all[0], map[string]any{"protocol": "HTTP/2.0", "status": 200.0, "backend": string(b), "end": "done", "bytes_in": 5.0, "bytes_out": 6.0})
	})
	t.Run("refused", func(t *testing.T) {
		all := logged(t, refusing(&link.Refused{Pool: "render", Reason: fleet.QueueFull}), func(s *site) {
			s.do(s.request("GET", "/", ""))
			c := s.dial()
			c.send("GET / HTTP/1.1\nHost : x\n\n")
			c.answer()
		})
		if len(all) != 2 {
			t.Fatalf("%d lines", len(all))
		}
		has(t, all[0], map[string]any{"status": 429.0, "end": "refused:" + fleet.QueueFull.String()})
		has(t, all[1], map[string]any{"status": 400.0, "end": "refused:bad_request"})
	})
	t.Run("backend breaks off", func(t *testing.T) {
		all := logged(t, to(rawBackend(t, func(_ net.Conn, r *bufio.Reader) { head(r) })), func(s *site) {
			s.do(s.request("POST", "/", "x"))
		})
		if len(all) != 1 {
			t.Fatalf("%d lines", len(all))
		}
		has(t, all[0], map[string]any{"status": 502.0, "end": "backend_failed"})
	})
	t.Run("client gone", func(t *testing.T) {
		g := to(flood(t))
		all := logged(t, g, func(s *site) {
			c := s.dial()
			c.send("GET / HTTP/1.1\nHost: x\n\n")
			c.answer()
			c.Close()
			expectOutcome(t, g, fleet.Cancelled)
		})
		if len(all) != 1 {
			t.Fatalf("%d lines", len(all))
		}
		has(t, all[0], map[string]any{"status": 200.0, "end": "client_gone"})
	})
}
