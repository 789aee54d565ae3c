package http1

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestSlowClientsBesideOthers: who sends a byte and falls silent takes nothing from the rest.
func TestSlowClientsBesideOthers(t *testing.T) {
	g := to(backend(t, echo))
	s := serve(t, g, long)
	for i := range 300 {
		s.dial().send([]string{"G", "GET / HTTP/1.1\n", "POST / HTTP/1.1\nHost: x\nContent-Le"}[i%3])
	}
	for i := range 100 {
		if res, body := s.do(s.request("POST", "/", "hello")); res.StatusCode != http.StatusOK || body != "hello" {
			t.Fatalf("request %d: answered %v %q", i, res, body)
		}
	}
	if n := len(g.asks); n != 100 {
		t.Errorf("%d asks for 100 requests", n)
	}
}

// TestRandomDisconnects: clients and backends that go at any moment leave no grant behind, no
// connection and (which TestMain checks) no goroutine.
func TestRandomDisconnects(t *testing.T) {
	const clients, each = 20, 20
	g := to(backend(t, func(w http.ResponseWriter, r *http.Request) {
		switch rand.N(4) {
		case 0:
			panic(http.ErrAbortHandler)
		case 1:
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, strings.Repeat("x", 1+rand.N(100_000)))
			panic(http.ErrAbortHandler)
		}
		echo(w, r)
	}))
	s := serve(t, g, long)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for range each {
				c := s.dial()
				n := 1 + rand.N(50_000)
				c.send(fmt.Sprintf("POST / HTTP/1.1\nHost: x\nConnection: close\nContent-Length: %d\n\n", n))
				if rand.N(2) == 0 { // else it goes in the middle of its request
					_, _ = io.WriteString(c, strings.Repeat("y", n))
					_, _ = io.CopyN(io.Discard, c, int64(rand.N(1000)))
				} else {
					_, _ = io.WriteString(c, strings.Repeat("y", rand.N(n)))
				}
				c.Close()
			}
		})
	}
	all.Wait()
	s.quiesce()
	for len(g.grants) > 0 {
		<-g.grants
		get(t, "the end of a grant", g.dones)
	}
}
