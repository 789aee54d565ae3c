package control

import (
	"testing"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
)

func TestReachable(t *testing.T) {
	for _, c := range []struct{ bound, peer, advertise, want string }{
		{"10.0.0.1:80", "10.9.9.9:555", "", "10.0.0.1:80"},
		{"0.0.0.0:80", "10.9.9.9:555", "", "10.9.9.9:80"},
		{"[::]:80", "[2001:db8::9]:555", "", "[2001:db8::9]:80"},
		{"[::]:80", "bufconn", "", "127.0.0.1:80"}, // in this process
		{"[::]:80", "10.9.9.9:555", "lb.example.org", "lb.example.org:80"},
		{"127.0.0.1:80", "127.0.0.1:555", "2001:db8::1", "[2001:db8::1]:80"},
		{"", "10.9.9.9:555", "", ""}, // it is not open
		{"garbage", "10.9.9.9:555", "lb", ""},
	} {
		p := &proxySession{peer: c.peer, hello: &fairleadv1.ProxyHello{Advertise: c.advertise}}
		if got := p.reachable(c.bound); got != c.want {
			t.Errorf("bound to %q, seen from %q, advertised as %q: reached at %q, want %q", c.bound, c.peer, c.advertise, got, c.want)
		}
	}
}

// TestProxies: what is told of proxies is no older than who is there.
func TestProxies(t *testing.T) {
	c := deciding(t)
	if all := c.Proxies(); len(all) != 0 {
		t.Fatalf("nobody is there, and %v are known", all)
	}
	status := &fairleadv1.ProxyMessage{Status: &fairleadv1.ProxyStatus{
		Connections: 7, Waiting: 2, Cpu: 1, Cores: 4, MaxConnections: 100,
		Listeners: []*fairleadv1.BoundListener{{Name: "web", Address: "10.0.0.1:80"}, {Name: "off", Error: "in use"}},
	}}
	_ = c.proxySays(t, proxyHello(), status)
	all := c.Proxies()
	if len(all) != 1 {
		t.Fatalf("one was there, and %v are known", all)
	}
	p := all[0]
	if p.Connected || p.Connections != 7 || p.Waiting != 2 || p.CPU != 0.25 || p.MaxConnections != 100 ||
		len(p.Listeners) != 1 || p.Listeners["web"] != "10.0.0.1:80" {
		t.Errorf("the proxy is known as %+v", p)
	}
}

func TestListener(t *testing.T) {
	pool := config.Pool{Name: "db", Slots: 1, Link: config.Direct}
	c := New(Config{Logger: discard, File: &config.Config{
		Listeners: []config.Listener{{Name: "web", Protocol: config.HTTP}, {Name: "db", Protocol: config.TCP}},
		Routes:    []config.Route{{Listener: "db", Host: "*", Path: "/", Pool: "db"}, {Listener: "web", Host: "*", Path: "/", Pool: "db"}},
		Pools:     []config.Pool{pool},
	}})
	if l, ok := c.Listener("web"); !ok || !l.HTTP || l.Direct {
		t.Errorf("web is known as %+v, %v", l, ok)
	}
	if l, ok := c.Listener("db"); !ok || l.HTTP || !l.Direct {
		t.Errorf("db is known as %+v, %v", l, ok)
	}
	if _, ok := c.Listener("none"); ok {
		t.Error("there is a listener that nobody named")
	}
}
