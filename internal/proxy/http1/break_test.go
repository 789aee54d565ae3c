package http1

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// echo reads all before it writes, as net/http servers must.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, _ = w.Write(body)
}

func TestUnreachableIsAskedAgain(t *testing.T) {
	dead := []fleet.BackendName{nobody(t), nobody(t)}
	alive := backend(t, echo)
	g := newGranter(func(_ context.Context, r link.Request) (fleet.BackendName, error) {
		for _, b := range dead {
			if !slices.Contains(r.Exclude, b) {
				return b, nil
			}
		}
		return alive, nil
	})
	s := serve(t, g, long)
	if res, body := s.do(s.request("POST", "/", "whole body")); res.StatusCode != 200 || body != "whole body" {
		t.Errorf("answered %d %q", res.StatusCode, body)
	}
	for i := range 3 {
		if r := get(t, "ask", g.asks); !slices.Equal(r.Exclude, dead[:i]) || (r.Waited > 0) != (i > 0) || r.Pool.Name != "render" {
			t.Errorf("ask %d: %+v", i, r)
		}
	}
	expectOutcome(t, g, fleet.Unreachable)
	expectOutcome(t, g, fleet.Unreachable)
	expectOutcome(t, g, fleet.OK)
	s.quiesce()
	if n := s.metric("retries_total", "render"); n != 2 {
		t.Errorf("%v retries were counted", n)
	}
}

func TestNobodyReachable(t *testing.T) {
	g := to(nobody(t))
	s := serve(t, g, long)
	res, body := s.do(s.request("POST", "/", "x"))
	if res.StatusCode != http.StatusBadGateway || res.Header.Get(web.ReasonHeader) != "unreachable" {
		t.Errorf("answered %d %v %q", res.StatusCode, res.Header, body)
	}
	for range 3 {
		expectOutcome(t, g, fleet.Unreachable)
	}
	if len(g.asks) != 3 {
		t.Errorf("%d asks", len(g.asks))
	}
}

// firstCut cuts its first grant before anybody uses it.
type firstCut struct {
	*granter
	once sync.Once
}

func (f *firstCut) Ask(ctx context.Context, r link.Request) (*link.Grant, error) {
	g, err := f.granter.Ask(ctx, r)
	f.once.Do(func() { g.Cut(fleet.BackendLost) })
	return g, err
}

func TestLostBeforeItBeganIsAskedAgain(t *testing.T) {
	g := to(backend(t, echo))
	s := serve(t, &firstCut{granter: g}, long)
	if res, body := s.do(s.request("POST", "/", "body")); res.StatusCode != 200 || body != "body" {
		t.Errorf("answered %d %q", res.StatusCode, body)
	}
	expectOutcome(t, g, fleet.Revoked)
	expectOutcome(t, g, fleet.OK)
}

func TestBackendBreaksBeforeItAnswers(t *testing.T) {
	g := to(rawBackend(t, func(_ net.Conn, r *bufio.Reader) { head(r) }))
	s := serve(t, g, long)
	for _, body := range []string{"", "x"} {
		res, text := s.do(s.request("POST", "/", body))
		if res.StatusCode != http.StatusBadGateway || res.Header.Get(web.ReasonHeader) != "backend_failed" {
			t.Errorf("answered %d %v %q", res.StatusCode, res.Header, text)
		}
		expectOutcome(t, g, fleet.Failed)
	}
	if len(g.asks) != 2 {
		t.Errorf("%d asks", len(g.asks))
	}
}

func TestBackendBreaksWhileTheClientIsSilent(t *testing.T) {
	g := to(rawBackend(t, func(_ net.Conn, r *bufio.Reader) {
		head(r)
		_, _ = r.ReadByte()
	}))
	c := serve(t, g, long).dial()
	c.send("POST / HTTP/1.1\nHost: x\nContent-Length: 100\n\nhalf of it")
	res := c.answer()
	if res.StatusCode != http.StatusBadGateway || !res.Close {
		t.Errorf("answered %v", res)
	}
	expectOutcome(t, g, fleet.Failed)
}

func TestBackendBreaksInItsAnswer(t *testing.T) {
	read := make(chan struct{})
	g := to(rawBackend(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
		<-read
	}))
	c := serve(t, g, long).dial()
	c.send("GET / HTTP/1.1\nHost: x\n\n")
	res := c.answer()
	close(read)
	if body, err := io.ReadAll(res.Body); string(body) != "half" || err == nil {
		t.Errorf("read %q, %v", body, err)
	}
	expectOutcome(t, g, fleet.Failed)
}

func TestDeadIdleConnection(t *testing.T) {
	closed := make(chan struct{}, 10)
	g := to(rawBackend(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		c.Close()
		closed <- struct{}{}
	}))
	s := serve(t, g, long)
	for range 5 {
		if res, body := s.do(s.request("GET", "/", "")); res.StatusCode != 200 || body != "ok" {
			t.Errorf("answered %d %q", res.StatusCode, body)
		}
		<-closed
	}
	if len(g.asks) != 5 {
		t.Errorf("%d asks", len(g.asks))
	}
}

// waiting is a controller with no slot to grant.
func waiting() (*granter, chan error) {
	withdrawn := make(chan error, 10)
	return newGranter(func(ctx context.Context, _ link.Request) (fleet.BackendName, error) {
		<-ctx.Done()
		withdrawn <- context.Cause(ctx)
		return "", context.Cause(ctx)
	}), withdrawn
}

func TestClientGoneWhileWaiting(t *testing.T) {
	for name, request := range map[string]string{
		"GET":               "GET / HTTP/1.1\nHost: x\n\n",
		"POST, body unread": "POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello",
		"POST, body absent": "POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\n",
		"POST, chunked":     "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n5\nhello\n",
	} {
		t.Run(name, func(t *testing.T) {
			g, withdrawn := waiting()
			s := serve(t, g, long)
			c := s.dial()
			c.send(request)
			get(t, "ask", g.asks)
			c.Close()
			err := get(t, "withdrawal", withdrawn)
			if !errors.Is(err, errClientGone) && !errors.Is(err, context.Canceled) {
				t.Errorf("withdrawn: %v", err)
			}
			s.quiesce()
			if s.metric("requests_total", "none") != 1 {
				t.Error("it was not counted")
			}
		})
	}
}

func TestGrantForAClientThatIsGone(t *testing.T) {
	g := newGranter(func(ctx context.Context, _ link.Request) (fleet.BackendName, error) {
		<-ctx.Done()
		return "127.0.0.1:1", nil
	})
	c := serve(t, g, long).dial()
	c.send("POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello")
	get(t, "ask", g.asks)
	c.Close()
	expectOutcome(t, g, fleet.Unused)
}

func TestClientGoneWhileTheBackendThinks(t *testing.T) {
	for name, request := range map[string]string{
		"GET":            "GET / HTTP/1.1\nHost: x\n\n",
		"POST":           "POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello",
		"POST, too slow": "POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nhe",
	} {
		t.Run(name, func(t *testing.T) {
			thinking := make(chan struct{}, 1)
			g := to(rawBackend(t, func(_ net.Conn, r *bufio.Reader) {
				head(r)
				thinking <- struct{}{}
				_, _ = io.Copy(io.Discard, r)
			}))
			c := serve(t, g, long).dial()
			c.send(request)
			get(t, "request", thinking)
			c.Close()
			expectOutcome(t, g, fleet.Cancelled)
		})
	}
}

// flood answers with as much as the client likes.
func flood(t testing.TB) fleet.BackendName {
	return rawBackend(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		part := make([]byte, 64<<10)
		for {
			if _, err := c.Write(part); err != nil {
				return
			}
		}
	})
}

func TestClientGoneInTheAnswer(t *testing.T) {
	g := to(flood(t))
	c := serve(t, g, long).dial()
	c.send("GET / HTTP/1.1\nHost: x\n\n")
	c.answer()
	c.Close()
	expectOutcome(t, g, fleet.Cancelled)
}

func TestBodyThatMakesNoSense(t *testing.T) {
	g := to(backend(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	c := serve(t, g, long).dial()
	c.send("POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n5\nhello\n")
	get(t, "grant", g.grants)
	c.send("nonsense\n")
	if res := c.answer(); res.StatusCode != http.StatusBadRequest || !res.Close {
		t.Errorf("answered %v", res)
	}
	expectOutcome(t, g, fleet.Cancelled)
}

// TestBodyThatMakesNoSenseAtOnce: what is seen before a slot is asked for takes none.
func TestBodyThatMakesNoSenseAtOnce(t *testing.T) {
	g := to("nowhere.invalid:1")
	c := serve(t, g, long).dial()
	c.send("POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n5\nhello\nnonsense\n")
	if res := c.answer(); res.StatusCode != http.StatusBadRequest || !res.Close {
		t.Errorf("answered %v", res)
	}
	c.expectEnd()
	if n := len(g.asks); n > 0 {
		t.Errorf("%d asks", n)
	}
}

func TestCutBeforeTheAnswer(t *testing.T) {
	for name, request := range map[string]string{
		"GET":            "GET / HTTP/1.1\nHost: x\n\n",
		"POST":           "POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello",
		"POST, too slow": "POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nhe",
	} {
		for why, status := range map[fleet.Reason]int{
			fleet.TimeLimit: http.StatusGatewayTimeout, fleet.BackendLost: http.StatusBadGateway,
		} {
			t.Run(fmt.Sprint(name, why), func(t *testing.T) {
				thinking := make(chan struct{}, 1)
				g := to(rawBackend(t, func(_ net.Conn, r *bufio.Reader) {
					head(r)
					thinking <- struct{}{}
					_, _ = io.Copy(io.Discard, r)
				}))
				c := serve(t, g, long).dial()
				c.send(request)
				get(t, "request", thinking)
				get(t, "grant", g.grants).Cut(why)
				if res := c.answer(); res.StatusCode != status || res.Header.Get(web.ReasonHeader) != why.String() {
					t.Errorf("answered %v", res)
				}
				expectOutcome(t, g, fleet.Revoked)
			})
		}
	}
}

func TestCutInTheAnswer(t *testing.T) {
	for name, request := range map[string]string{
		"client reads":  "GET / HTTP/1.1\nHost: x\n\n",
		"client stalls": "GET / HTTP/1.1\nHost: x\n\n",
		"body unread":   "POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nhe",
	} {
		t.Run(name, func(t *testing.T) {
			g := to(flood(t))
			c := serve(t, g, long).dial()
			c.send(request)
			c.answer()
			if name == "client reads" {
				go io.Copy(io.Discard, c)
			}
			get(t, "grant", g.grants).Cut(fleet.TimeLimit)
			expectOutcome(t, g, fleet.Revoked)
		})
	}
}

// tunnel brings an upgraded connection up.
func tunnel(t *testing.T, s *site) *raw {
	c := s.dial()
	c.send("GET / HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: chat\n\n")
	if res := c.answer(); res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("answered %v", res)
	}
	c.expect("welcome")
	return c
}

// chat upgrades, and then floods or listens.
func chat(t *testing.T, floods bool) fleet.BackendName {
	return rawBackend(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nwelcome")
		for floods {
			if _, err := c.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, r)
	})
}

func TestCutTunnel(t *testing.T) {
	for name, floods := range map[string]bool{"silent": false, "client stalls": true} {
		t.Run(name, func(t *testing.T) {
			g := to(chat(t, floods))
			c := tunnel(t, serve(t, g, long))
			get(t, "grant", g.grants).Cut(fleet.TimeLimit)
			expectOutcome(t, g, fleet.Revoked)
			c.expectEnd()
		})
	}
}

func TestTunnelClientGone(t *testing.T) {
	g := to(chat(t, false))
	c := tunnel(t, serve(t, g, long))
	c.SetLinger(0)
	c.Close()
	expectOutcome(t, g, fleet.OK)
}
