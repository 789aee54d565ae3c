package front_test

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/proxy/acme"
	"github.com/fairlead/fairlead/internal/proxy/front"
)

// absent is the address of a CA that nobody answers at.
func absent(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return "https://" + ln.Addr().String() + "/dir"
}

// TestIssuedBesideFiles: while nothing is issued files stand in, and without files clients are
// told that there is none; a CA's question needs no certificate of its own.
func TestIssuedBesideFiles(t *testing.T) {
	dir := t.TempDir()
	f, _ := newFront(t)
	defer f.Close()
	settings := &acme.Settings{Domains: []string{"new.example"}, Directory: absent(t), Storage: t.TempDir(), TLSALPN: true}
	if err := f.Set(front.Files{ACME: settings}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := shown(t, f, "new.example"); err == nil {
		t.Error("a certificate came from nowhere")
	}
	old := issue(t, dir, "old.example", time.Now().AddDate(1, 0, 0))
	client := issue(t, dir, "client", time.Now().AddDate(1, 0, 0))
	if err := f.Set(front.Files{ACME: settings, Certificates: []front.Pair{old}, ClientCA: client.Cert}); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(client.Cert, client.Key)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"new.example", "old.example", ""} {
		if c, _, err := shown(t, f, name, pair); err != nil || c.DNSNames[0] != "old.example" {
			t.Errorf("for %q: %v", name, err)
		}
	}
	conf, err := f.Config().GetConfigForClient(&tls.ClientHelloInfo{ServerName: "new.example", SupportedProtos: []string{acme.Protocol}})
	if err != nil || conf == nil || conf.ClientAuth != tls.NoClientCert || len(conf.NextProtos) != 1 {
		t.Errorf("a CA is answered with %+v, %v", conf, err)
	}
	if conf, err := f.Config().GetConfigForClient(&tls.ClientHelloInfo{SupportedProtos: []string{acme.Protocol, "h2"}}); conf != nil || err != nil {
		t.Errorf("a client that is no CA is answered with %+v, %v", conf, err)
	}
	if f.Challenge(t.Context(), "new.example", acme.ChallengePath+"x") != nil {
		t.Error("a challenge that nobody has begun is solved")
	}
	if err := f.Set(front.Files{Certificates: []front.Pair{old}}); err != nil {
		t.Fatal(err)
	}
	if conf := f.Config(); conf.GetCertificate != nil || conf.GetConfigForClient != nil {
		t.Error("what was removed is still asked")
	}
}

// TestIssuedIsRefused: storage that is of no use is an error, and all is as before.
func TestIssuedIsRefused(t *testing.T) {
	f, _ := newFront(t)
	defer f.Close()
	old := issue(t, t.TempDir(), "old.example", time.Now().AddDate(1, 0, 0))
	if err := f.Set(front.Files{Certificates: []front.Pair{old}}); err != nil {
		t.Fatal(err)
	}
	err := f.Set(front.Files{ACME: &acme.Settings{Domains: []string{"a.example"}, Storage: old.Cert}})
	if err == nil || !strings.Contains(err.Error(), "storage") {
		t.Errorf("storage that is a file: %v", err)
	}
	if c, _, err := shown(t, f, "old.example"); err != nil || c.DNSNames[0] != "old.example" {
		t.Errorf("after an error: %v", err)
	}
}
