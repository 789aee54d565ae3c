package http1

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/proxy/accesslog"
	"github.com/fairlead/fairlead/internal/proxy/forwarded"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// trusting has a site trust some networks.
func trusting(networks ...string) func(*Config, *link.Pool) {
	var all forwarded.Trusted
	for _, n := range networks {
		all = append(all, netip.MustParsePrefix(n))
	}
	return func(c *Config, p *link.Pool) {
		p.About = true
		c.Trusted = func() forwarded.Trusted { return all }
	}
}

// TestTrusted: what a trusted peer says of the client goes on to the backend, with the peer
// behind it, and the client is who it says; of others nothing is taken. So it is over HTTP/1.1
// and over HTTP/2.
func TestTrusted(t *testing.T) {
	names := []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"}
	all := []string{"X-Forwarded-For", "9.9.9.9, 203.0.113.7", "X-Forwarded-For", "10.0.0.2", "X-Forwarded-Host", "shop.test", "X-Forwarded-Proto", "https",
		"Forwarded", "for=203.0.113.7", "Forwarded", "for=10.0.0.2;proto=https"}
	for name, c := range map[string]struct {
		trusted []string
		said    []string
		client  string
		want    string // SITE stands for the site's address
	}{
		"trusted": {[]string{"127.0.0.0/8", "10.0.0.0/8"}, all, "203.0.113.7",
			`9.9.9.9, 203.0.113.7, 10.0.0.2, 127.0.0.1|shop.test|https|for=203.0.113.7, for=10.0.0.2;proto=https, for=127.0.0.1;host="SITE";proto=http`},
		"a hop that is not": {[]string{"127.0.0.0/8"}, all, "10.0.0.2",
			`9.9.9.9, 203.0.113.7, 10.0.0.2, 127.0.0.1|shop.test|https|for=203.0.113.7, for=10.0.0.2;proto=https, for=127.0.0.1;host="SITE";proto=http`},
		"trusted and silent": {[]string{"127.0.0.0/8"}, nil, "127.0.0.1", `127.0.0.1|SITE|http|for=127.0.0.1;host="SITE";proto=http`},
		"not trusted":        {[]string{"10.0.0.0/8"}, all, "127.0.0.1", `127.0.0.1|SITE|http|for=127.0.0.1;host="SITE";proto=http`},
		"nobody is":          {nil, all, "127.0.0.1", `127.0.0.1|SITE|http|for=127.0.0.1;host="SITE";proto=http`},
	} {
		for _, two := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, HTTP/2 %v", name, two), func(t *testing.T) {
				got := make(chan string, 1)
				g := to(backend(t, func(_ http.ResponseWriter, r *http.Request) {
					var fields []string
					for _, n := range names {
						fields = append(fields, strings.Join(r.Header[n], "+"))
					}
					got <- strings.Join(fields, "|")
				}))
				var logged bytes.Buffer
				access, err := accesslog.Open(accesslog.Config{Writer: &logged, Sample: 1})
				if err != nil {
					t.Fatal(err)
				}
				s := serve(t, g, long, trusting(c.trusted...), func(cfg *Config, _ *link.Pool) { cfg.Access = access })
				tr := &http.Transport{Protocols: new(http.Protocols)}
				tr.Protocols.SetHTTP1(!two)
				tr.Protocols.SetUnencryptedHTTP2(two)
				s.client.Transport = tr
				said := c.said
				if said != nil && !two { // HTTP/2 has no such field
					said = append(said[:len(said):len(said)], "Connection", "X-Forwarded-For")
				}
				s.do(s.request("GET", "/", "", said...))
				if about := get(t, "ask", g.asks).About; about.Client != c.client || about.Flow != c.client {
					t.Errorf("the ask says %+v, want the client %s", about, c.client)
				}
				if said, want := get(t, "what the backend gets", got), strings.ReplaceAll(c.want, "SITE", s.addr); said != want {
					t.Errorf("the backend gets\n%s, want\n%s", said, want)
				}
				tr.CloseIdleConnections()
				s.quiesce()
				if err := access.Close(context.Background()); err != nil {
					t.Fatal(err)
				}
				var line struct{ Client string }
				if err := json.Unmarshal(logged.Bytes(), &line); err != nil {
					t.Fatal(err)
				}
				if at, err := netip.ParseAddrPort(line.Client); err != nil || at.Addr().String() != c.client {
					t.Errorf("the log says %s, want %s", line.Client, c.client)
				}
			})
		}
	}
}
