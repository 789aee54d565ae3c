package http1

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
)

func TestDrainLetsRequestsFinish(t *testing.T) {
	free := make(chan struct{})
	g := to(backend(t, func(w http.ResponseWriter, _ *http.Request) {
		<-free
		_, _ = io.WriteString(w, "served")
	}))
	s := serve(t, g, long)
	c := s.dial()
	c.send("GET / HTTP/1.1\nHost: x\n\n")
	get(t, "grant", g.grants)
	s.stop()
	for { // until it accepts no more
		late, err := net.Dial("tcp", s.addr)
		if err != nil {
			break
		}
		late.Close()
	}
	close(free)
	if body, err := io.ReadAll(c.answer().Body); string(body) != "served" || err != nil {
		t.Errorf("read %q, %v", body, err)
	}
	expectOutcome(t, g, fleet.OK)
}

func TestDrainCutsAtLast(t *testing.T) {
	t.Run("request", func(t *testing.T) {
		thinking := make(chan struct{}, 1)
		g := to(backend(t, func(_ http.ResponseWriter, r *http.Request) {
			thinking <- struct{}{}
			<-r.Context().Done()
		}))
		s := serve(t, g, 0)
		c := s.dial()
		c.send("GET / HTTP/1.1\nHost: x\n\n")
		get(t, "request", thinking)
		s.stop()
		expectOutcome(t, g, fleet.Cancelled)
		c.expectEnd()
	})
	for name, floods := range map[string]bool{"silent tunnel": false, "stalled tunnel": true} {
		t.Run(name, func(t *testing.T) {
			g := to(chat(t, floods))
			s := serve(t, g, 0)
			c := tunnel(t, s)
			s.stop()
			expectOutcome(t, g, fleet.Cancelled)
			c.expectEnd()
		})
	}
	t.Run("ask", func(t *testing.T) {
		g, withdrawn := waiting()
		s := serve(t, g, 0)
		s.dial().send("GET / HTTP/1.1\nHost: x\n\n")
		get(t, "ask", g.asks)
		s.stop()
		get(t, "withdrawal", withdrawn)
	})
}

func TestMany(t *testing.T) {
	g := to(backend(t, echo))
	s := serve(t, g, long)
	var clients sync.WaitGroup
	for i := range 32 {
		clients.Go(func() {
			for j := range 20 {
				want := strings.Repeat(fmt.Sprint(i), j*100+1)
				res, err := s.client.Do(s.request("POST", "/", want))
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || string(got) != want {
					t.Errorf("read %d bytes, %v; want %d", len(got), err, len(want))
				}
			}
		})
	}
	clients.Wait()
	for range 32 * 20 {
		expectOutcome(t, g, fleet.OK)
	}
}
