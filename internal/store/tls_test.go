package store

import (
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/trust"
)

// TestPeersTLS: three stores speak TLS to one another, and agree.
func TestPeersTLS(t *testing.T) {
	t.Parallel()
	c, ca := newCluster(t, "a", "b", "c"), newAuthority(t)
	c.change = func(cfg *Config) { cfg.PeerTLS = ca.give(t, trust.Controller, cfg.Name, "127.0.0.1") }
	stores := c.all()
	elects(t, stores["a"], stores["b"])
	// It is TLS, and who has no certificate of a peer does not get far.
	if err := probe(within(t), c.peers["a"], nil, http1); err == nil {
		t.Error("a store speaks without TLS")
	}
}

// TestPeersBadTLS: certificates that others would not take are told before anything starts.
func TestPeersBadTLS(t *testing.T) {
	t.Parallel()
	c, ca, other := newCluster(t, "a", "b", "c"), newAuthority(t), newAuthority(t)
	good, stranger := ca.give(t, trust.Controller, "a", "127.0.0.1"), other.give(t, trust.Controller, "a", "127.0.0.1")
	for _, x := range []struct {
		name  string
		files TLS
		say   []string
	}{
		{"of another host", ca.give(t, trust.Controller, "a"), []string{"127.0.0.1", "fairlead cert issue controller a --host 127.0.0.1"}},
		{"of another controller", ca.give(t, trust.Controller, "b", "127.0.0.1"), []string{`"controller/b"`, "fairlead cert issue controller a"}},
		{"of another role", ca.give(t, trust.Proxy, "a", "127.0.0.1"), []string{`"proxy/a"`, "fairlead cert issue controller a"}},
		{"of another CA", TLS{Cert: stranger.Cert, Key: stranger.Key, CA: good.CA}, []string{"unknown authority", "name good files"}},
		{"with another key", TLS{Cert: good.Cert, Key: stranger.Key, CA: good.CA}, []string{"does not match", "name good files"}},
		{"that is not there", TLS{Cert: good.Cert + "x", Key: good.Key, CA: good.CA}, []string{"no such file", "name good files"}},
		{"without a CA", TLS{Cert: good.Cert, Key: good.Key, CA: good.Key}, []string{"no certificate in " + good.Key}},
	} {
		t.Run(x.name, func(t *testing.T) {
			cfg := c.config("a", false)
			cfg.PeerTLS, cfg.Ready = x.files, 2*time.Second
			refused(t, cfg, x.say...)
		})
	}
}

// TestStrangePeer: a store whose certificate is of another CA does not get in, and both sides
// are told why; the cluster goes on without it.
func TestStrangePeer(t *testing.T) {
	t.Parallel()
	c, ca, other := newCluster(t, "a", "b", "c"), newAuthority(t), newAuthority(t)
	c.change = func(cfg *Config) { cfg.PeerTLS = ca.give(t, trust.Controller, cfg.Name, "127.0.0.1") }
	stores := c.all("a", "b")
	cfg := c.config("c", false)
	cfg.PeerTLS, cfg.Ready = other.give(t, trust.Controller, "c", "127.0.0.1"), 2*time.Second
	refused(t, cfg, "no quorum within 2s", "a ("+c.peers["a"]+") cannot be spoken to", "unknown authority", "of one CA")
	plain := c.config("c", false)
	plain.PeerTLS, plain.Ready = TLS{}, 2*time.Second
	refused(t, plain, "no quorum within 2s", "a ("+c.peers["a"]+") cannot be spoken to", "no answer", "certificates of all stores")
	elects(t, stores["a"], stores["b"])
}
