package http1

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/acme"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// TestChallenge: a CA is answered at once, and nobody is asked for a grant; what is no challenge
// goes the way of any request.
func TestChallenge(t *testing.T) {
	g := to(backend(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "backend %s", r.URL.Path) }))
	s := serve(t, g, long, func(c *Config, _ *link.Pool) {
		c.Challenge = func(_ context.Context, host, path string) []byte {
			if host != "a.example" || path != acme.ChallengePath+"tok" {
				return nil
			}
			return []byte("tok.key")
		}
	})
	ask := func(method, host, path string) (int, string, string) {
		req := s.request(method, path, "")
		req.Host = host
		res, body := s.do(req)
		return res.StatusCode, body, res.Header.Get("Via")
	}
	for range 2 { // on one connection
		if code, body, via := ask("GET", "a.example", acme.ChallengePath+"tok"); code != http.StatusOK || body != "tok.key" || via != "" {
			t.Errorf("a CA is answered %d %q", code, body)
		}
	}
	if n := len(g.asks); n != 0 {
		t.Errorf("%d grants were asked for", n)
	}
	for _, c := range [][3]string{
		{"GET", "b.example", acme.ChallengePath + "tok"}, {"GET", "a.example", acme.ChallengePath + "other"}, {"POST", "a.example", acme.ChallengePath + "tok"},
	} {
		if code, body, _ := ask(c[0], c[1], c[2]); code != http.StatusOK || body != "backend "+c[2] {
			t.Errorf("%v is answered %d %q", c, code, body)
		}
		expectOutcome(t, g, fleet.OK)
	}
	s.quiesce()
	if n := s.metric("requests_total", "2xx"); n != 5 {
		t.Errorf("%v requests are counted", n)
	}
}

// TestChallengeHandshake: over TLS a CA says nothing beyond the handshake, and is told nothing.
func TestChallengeHandshake(t *testing.T) {
	g := refusing(link.ErrNoController)
	change, trust := secured(t)
	s := serve(t, g, long, change, func(c *Config, _ *link.Pool) {
		conf := c.TLS().Clone()
		conf.NextProtos = []string{acme.Protocol}
		c.TLS = func() *tls.Config { return conf }
	})
	trust(s, acme.Protocol)
	roots := s.client.Transport.(*http.Transport).TLSClientConfig.RootCAs
	c, err := tls.Dial("tcp", s.addr, &tls.Config{RootCAs: roots, NextProtos: []string{acme.Protocol}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write([]byte("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"))
	if answer, _ := io.ReadAll(c); len(answer) > 0 || len(g.asks) > 0 {
		t.Errorf("it is answered %q, with %d asks", answer, len(g.asks))
	}
}
