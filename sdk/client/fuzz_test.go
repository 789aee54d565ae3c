package client

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzChoice reads what locators and proxies may answer. Whatever is accepted can be used.
func FuzzChoice(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"error":"a sentence"}`,
		`{"listener":"web","protocol":"http","link":"proxied","zone":"a","ttlMs":5000,"proxies":[{"name":"p1","address":"10.0.0.1:8080","zone":"a"}]}`,
		`{"protocol":"tcp","link":"direct","ttlMs":9223372036854775807,"proxies":[{"name":"p1","address":"[::1]:1"},{"name":"p2","address":"h:65535"}]}`,
		`{"protocol":"tcp","ttlMs":1e3,"proxies":[{"name":"\ud800","address":"h:1"}]}`,
		`{"backend":"10.0.0.9:5432","public":"db1.example.org:5432","grant":"1.2","ticket":"T","expiresMs":10000}`,
		`{"public":"h:1","ticket":"\u0000","expiresMs":-1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if c, err := parseChoice(body, "web"); err == nil {
			if len(c.Proxies) == 0 || c.TTL < minTTL || c.TTL > maxTTL || c.Listener != "web" || c.Link == "" {
				t.Errorf("accepted %+v", c)
			}
			for _, p := range c.Proxies {
				checkUsable(t, p.Address)
			}
		}
		if g, err := parseGrant(body); err == nil {
			checkUsable(t, g.public)
			if g.ticket == "" || len(g.ticket) > maxTicket || g.life <= 0 || g.life > maxLife {
				t.Errorf("accepted %+v", g)
			}
		}
		if s := parseError(body); !utf8.ValidString(s) || strings.ContainsAny(s, "\r\n") {
			t.Errorf("%q is no line", s)
		}
	})
}

// FuzzRedirect reads where a 307 may lead.
func FuzzRedirect(f *testing.F) {
	f.Add("http://10.0.0.9:80/path?query&fairlead-ticket=T", "T")
	f.Add("https://[::1]/", "a.b.c")
	f.Add("http://h:/", "")
	f.Fuzz(func(t *testing.T, location, ticket string) {
		to, got, err := readRedirect(http.Header{"Location": {location}, ticketField: {ticket}})
		if err != nil {
			return
		}
		if got != ticket || to.Hostname() == "" || to.User != nil || to.Scheme != "http" && to.Scheme != "https" {
			t.Errorf("accepted %q with %q as %v", location, ticket, to)
		}
	})
}

func checkUsable(t *testing.T, address string) {
	t.Helper()
	if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
		t.Errorf("accepted the address %q", address)
	}
}
