package store

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"

	"github.com/fairlead/fairlead/internal/trust"
)

// external is an etcd as a site may have it.
type external struct {
	t   *testing.T
	cfg *embed.Config
	at  string // host:port for clients
	run *embed.Etcd
}

// startExternal starts an etcd of one member. With files it speaks TLS, and lets in who has
// a certificate of the same CA.
func startExternal(t *testing.T, files TLS) *external {
	t.Helper()
	ports := freePorts(t, 2)
	x := &external{t: t, at: ports[0], cfg: embed.NewConfig()}
	c := x.cfg
	c.Name, c.Dir, c.LogLevel = "theirs", t.TempDir(), "panic"
	c.TickMs, c.ElectionMs = 20, 200
	clients, peers := url.URL{Scheme: "http", Host: ports[0]}, url.URL{Scheme: "http", Host: ports[1]}
	if files.Set() {
		clients.Scheme = "https"
		c.ClientTLSInfo = transport.TLSInfo{CertFile: files.Cert, KeyFile: files.Key, TrustedCAFile: files.CA, ClientCertAuth: true}
	}
	c.ListenClientUrls, c.AdvertiseClientUrls = []url.URL{clients}, []url.URL{clients}
	c.ListenPeerUrls, c.AdvertisePeerUrls = []url.URL{peers}, []url.URL{peers}
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	x.start()
	t.Cleanup(x.stop)
	return x
}

func (x *external) start() {
	x.t.Helper()
	smallSegments()
	var err error
	if x.run, err = embed.StartEtcd(x.cfg); err != nil {
		x.t.Fatal(err)
	}
	await(x.t, x.run.Server.ReadyNotify(), "an etcd begins")
}

func (x *external) stop() {
	if x.run != nil {
		x.run.Close()
		x.run = nil
	}
}

func (x *external) config(name string) Config {
	return Config{Name: name, Address: "127.0.0.1:1", Endpoints: []string{x.at}, Ready: 3 * time.Second, Log: logger(x.t)}
}

// elects has two controllers lead a pool, one after the other, and leaves both open.
func elects(t *testing.T, a, b *Store) *Term {
	t.Helper()
	first := lead(t, a, "pool")
	stood := make(chan *Term, 1)
	go func() {
		term, err := b.Campaign(within(t), "pool")
		if err != nil {
			t.Error(err)
		}
		stood <- term
	}()
	if err := Put(within(t), a, Overrides, "p/b:1", Override{Drain: true}); err != nil {
		t.Fatal(err)
	}
	if known, err := Load(within(t), b, Overrides); err != nil || !known["p/b:1"].Drain {
		t.Errorf("the other one has %v, %v", known, err)
	}
	if len(stood) > 0 {
		t.Error("two lead one pool")
	}
	if err := first.Resign(within(t)); err != nil {
		t.Error(err)
	}
	second := <-stood
	if second == nil || second.Epoch <= first.Epoch {
		t.Fatalf("the term %+v follows %+v", second, first)
	}
	return second
}

// TestExternal: with an etcd of others all is as with an embedded one; when it is gone, terms
// end, and what is asked for is told; when it is back, all goes on, and epochs grow.
func TestExternal(t *testing.T) {
	t.Parallel()
	x := startExternal(t, TLS{})
	a, b := open(t, x.config("a")), open(t, x.config("b"))
	term := elects(t, a, b)
	if err := a.Backup(within(t), nil); err == nil || !strings.Contains(err.Error(), "its own tools") {
		t.Errorf("a backup of it: %v", err)
	}
	x.stop()
	await(t, term.Lost(), "the store is gone, and so is the term")
	if term.Certain() {
		t.Error("certain without a store")
	}
	err := Put(within(t), b, Overrides, "p/b:2", Override{Drain: true})
	if err == nil || !strings.Contains(err.Error(), "do not answer; start those that are down") {
		t.Errorf("without a store it says: %v", err)
	}
	refused(t, x.config("c"), x.at, "does not answer", "start it, or correct the endpoints")
	x.start()
	after := lead(t, a, "pool")
	if after.Epoch <= term.Epoch {
		t.Errorf("epoch %d after %d", after.Epoch, term.Epoch)
	}
	if known, err := Load(within(t), b, Overrides); err != nil || len(known) != 1 {
		t.Errorf("there is %v, %v", known, err)
	}
}

// TestExternalTLS: both sides show certificates, and what is wrong with one is told.
func TestExternalTLS(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t), newAuthority(t)
	x := startExternal(t, ca.give(t, trust.Controller, "etcd", "127.0.0.1"))
	good := ca.give(t, trust.Controller, "a")
	stranger := other.give(t, trust.Controller, "a")
	with := func(name string, files TLS) Config {
		cfg := x.config(name)
		cfg.TLS = files
		return cfg
	}
	elects(t, open(t, with("a", good)), open(t, with("b", good)))
	for _, c := range []struct {
		name  string
		files TLS
		say   []string
	}{
		{"no TLS", TLS{}, []string{x.at, "wants TLS", "name the CA"}},
		{"no certificate", TLS{CA: good.CA}, []string{"certificate", "name the CA that signed its, and a certificate that it asks for"}},
		{"a certificate of another CA", TLS{Cert: stranger.Cert, Key: stranger.Key, CA: good.CA}, []string{"do not accept each other's certificates"}},
		{"another CA", TLS{Cert: good.Cert, Key: good.Key, CA: stranger.CA}, []string{"x509", "name the CA that signed its"}},
		{"a CA that is none", TLS{CA: good.Key}, []string{"there is no certificate in " + good.Key, "name the PEM file"}},
		{"a file that is not there", TLS{CA: good.CA + "x"}, []string{"reading the CA of the endpoints", "no such file"}},
		{"a key of another certificate", TLS{Cert: good.Cert, Key: stranger.Key, CA: good.CA}, []string{"reading the certificate for the endpoints", "match"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := with("c", c.files)
			t.Parallel()
			refused(t, cfg, c.say...)
		})
	}
	x = startExternal(t, ca.give(t, trust.Controller, "etcd", "elsewhere.example"))
	t.Run("a certificate of another host", func(t *testing.T) {
		cfg := with("c", good)
		t.Parallel()
		refused(t, cfg, "x509", "127.0.0.1", "is for another host", "endpoints by the names that it has")
	})
	x = startExternal(t, TLS{})
	t.Run("TLS for an etcd without", func(t *testing.T) {
		cfg := with("c", good)
		t.Parallel()
		refused(t, cfg, "speaks no TLS", "leave out the CA")
	})
}
