package trust

import (
	"crypto/x509"
	"net/url"
	"strings"
	"testing"
)

func TestIdentity(t *testing.T) {
	for _, c := range []struct{ uri, want string }{ // want without a slash: words of the error
		{"spiffe://fairlead/proxy/p1", "proxy/p1"},
		{"spiffe://fairlead/controller/a/b", "controller/a/b"},
		{"spiffe://fairlead/agent/render/10.0.0.5:8080", "agent/render/10.0.0.5:8080"},
		{"spiffe://fairlead/agent/render/*", "agent/render/*"},
		{"spiffe://fairlead/agent/render/%2A", "agent/render/*"},
		{"spiffe://fairlead/agent/render/%5B::1%5D:80", "agent/render/[::1]:80"},
		{"spiffe://fairlead/client/100%25", "client/100%"},
		{"spiffe://fairlead/client/a%2Fb", "client/a/b"},
		{"SPIFFE://fairlead/operator/o", "operator/o"},
		{"spiffe://fairlead/proxy/" + strings.Repeat("p", 255), "proxy/" + strings.Repeat("p", 255)},

		{"https://fairlead/proxy/p1", "not of the form"},
		{"spiffe://Fairlead/proxy/p1", "not of the form"},
		{"spiffe://fairlead.example.org/proxy/p1", "not of the form"},
		{"spiffe://fairlead:80/proxy/p1", "not of the form"},
		{"spiffe://u@fairlead/proxy/p1", "not of the form"},
		{"spiffe://fairlead/proxy/p1?a", "not of the form"},
		{"spiffe://fairlead/proxy/p1?", "not of the form"},
		{"spiffe://fairlead/proxy/p1#a", "not of the form"},
		{"spiffe:///proxy/p1", "not of the form"},
		{"spiffe:proxy", "not of the form"},
		{"spiffe://fairlead", "not of the form"},
		{"spiffe://fairlead/proxy", "not of the form"},
		{"spiffe://fairlead/proxy/", "1 to 255"},
		{"spiffe://fairlead//proxy/p1", "no role \"\""},
		{"spiffe://fairlead/Proxy/p1", "no role \"Proxy\""},
		{"spiffe://fairlead/king/k", "no role \"king\""},
		{"spiffe://fairlead/proxy/a%20b", "visible ASCII"},
		{"spiffe://fairlead/proxy/a%00b", "visible ASCII"},
		{"spiffe://fairlead/proxy/%C3%A9", "visible ASCII"},
		{"spiffe://fairlead/proxy/" + strings.Repeat("p", 256), "1 to 255"},
		{"spiffe://fairlead/agent/render", "POOL"},
		{"spiffe://fairlead/agent/render/", "POOL"},
		{"spiffe://fairlead/agent/render/10.0.0.5", "POOL"},
		{"spiffe://fairlead/agent/render/:80", "POOL"},
		{"spiffe://fairlead/agent/render/a:0", "POOL"},
		{"spiffe://fairlead/agent/render/a:65536", "POOL"},
		{"spiffe://fairlead/agent/render/*:80", "POOL"},
		{"spiffe://fairlead/agent/render/a:http", "POOL"},
		{"spiffe://fairlead/agent/*/a:80", "POOL"},
		{"spiffe://fairlead/agent//a:80", "POOL"},
	} {
		u, err := url.Parse(c.uri)
		if err != nil {
			t.Fatal(err)
		}
		got, err := IdentityOf(&x509.Certificate{URIs: []*url.URL{u}})
		switch {
		case err == nil && got.String() != c.want:
			t.Errorf("%s is of %s, want %s", c.uri, got, c.want)
		case err != nil && !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: the error is %q, want it to say %q", c.uri, err, c.want)
		}
	}
}

func TestURI(t *testing.T) {
	for _, c := range []struct {
		id   Identity
		want string
	}{
		{Identity{Proxy, "p1"}, "spiffe://fairlead/proxy/p1"},
		{Identity{Agent, "render/*"}, "spiffe://fairlead/agent/render/*"},
		{Identity{Agent, "render/10.0.0.5:80"}, "spiffe://fairlead/agent/render/10.0.0.5:80"},
		{Identity{Agent, "render/[::1]:80"}, "spiffe://fairlead/agent/render/%5B::1%5D:80"},
		{Identity{Client, "100%?#"}, "spiffe://fairlead/client/100%25%3F%23"},
		{Identity{Client, "%2A/.."}, "spiffe://fairlead/client/%252A/.."},
	} {
		if got := c.id.URI().String(); got != c.want {
			t.Errorf("%s: the URI is %s, want %s", c.id, got, c.want)
		}
	}
}

func TestMayReport(t *testing.T) {
	for _, c := range []struct {
		id            Identity
		pool, address string
		words         string // of the error; empty: it may
	}{
		{Identity{Agent, "render/10.0.0.5:80"}, "render", "10.0.0.5:80", ""},
		{Identity{Agent, "render/*"}, "render", "10.0.0.5:80", ""},
		{Identity{Agent, "render/Host.Example.:80"}, "render", "host.example:80", ""},
		{Identity{Agent, "render/[0:0::1]:080"}, "render", "[::1]:80", ""},
		{Identity{Agent, "render/[::ffff:10.0.0.5]:80"}, "render", "10.0.0.5:80", ""},
		{Identity{Agent, "render/10.0.0.5:80"}, "render", "10.0.0.5:81", "may not speak for 10.0.0.5:81; issue one for render/10.0.0.5:81"},
		{Identity{Agent, "render/10.0.0.5:80"}, "render", "10.0.0.6:80", "may not speak for 10.0.0.6:80"},
		{Identity{Agent, "render/10.0.0.5:80"}, "other", "10.0.0.5:80", `pool "other"`},
		{Identity{Agent, "render/*"}, "other", "10.0.0.5:80", `pool "other"`},
		{Identity{Agent, "render/*"}, "", "10.0.0.5:80", `pool ""`},
		{Identity{Agent, "render/10.0.0.5:80"}, "render", "*", "not host:port"},
		{Identity{Agent, "render/10.0.0.5:80"}, "render", "", "not host:port"},
		{Identity{Agent, "render"}, "render", "", "names no backend"},
		{Identity{Proxy, "render/*"}, "render", "10.0.0.5:80", "only an agent"},
		{Identity{Operator, "o"}, "render", "10.0.0.5:80", "only an agent"},
		{Identity{}, "", "", "only an agent"},
	} {
		err := c.id.MayReport(c.pool, c.address)
		if (err == nil) != (c.words == "") || err != nil && !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s for %s of %q: %v, want %q", c.id, c.address, c.pool, err, c.words)
		}
	}
}

// FuzzIdentity reads hostile URIs: what is accepted is within its bounds, and is the same
// identity when it is written and read again.
func FuzzIdentity(f *testing.F) {
	for _, seed := range []string{
		"spiffe://fairlead/proxy/p1", "spiffe://fairlead/agent/render/*", "spiffe://fairlead/agent/render/%5B::1%5D:80",
		"spiffe://fairlead/client/100%25%2F..//%2e", "spiffe://fairlead", "spiffe:fairlead/proxy/p", "spiffe://u:p@fairlead:1/a/b?c#d",
		"spiffe://fairlead/operator/%00", "spiffe://fairlead/agent/a/b:1/c:2", "%", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.Parse(text)
		if err != nil {
			return
		}
		id, err := parse(u)
		if err != nil {
			if id != (Identity{}) {
				t.Errorf("%q is refused, and yields %s", text, id)
			}
			return
		}
		if id.Name == "" || len(id.Name) > maxName || strings.Trim(id.Name, visible) != "" {
			t.Errorf("%q has the name %q", text, id.Name)
		}
		written := id.URI().String()
		again, err := url.Parse(written)
		if err != nil {
			t.Fatalf("%q is written as %q: %v", text, written, err)
		}
		if other, err := parse(again); err != nil || other != id {
			t.Errorf("%q is %s; written as %q it is %s, %v", text, id, written, other, err)
		}
		if id.Role != Agent {
			return
		}
		pool, address, _ := strings.Cut(id.Name, "/")
		if err := id.MayReport(pool, address); err != nil && address != allOfPool {
			t.Errorf("%s may not speak for itself: %v", id, err)
		}
	})
}

// visible is visible ASCII.
const visible = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
