package backend

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/trust"
)

// authority is a CA whose certificates are files.
type authority struct {
	dir       string
	cert, key []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	cert, key, err := trust.NewCA("test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{dir: t.TempDir(), cert: cert, key: key}
	a.write(t, "ca.pem", cert)
	return a
}

func (a *authority) write(t *testing.T, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (a *authority) issue(t *testing.T, role trust.Role, name string) trust.Files {
	t.Helper()
	cert, key, err := trust.Issue(a.cert, a.key, trust.Identity{Role: role, Name: name}, nil, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return trust.Files{
		Cert: a.write(t, string(role)+".pem", cert), Key: a.write(t, string(role)+".key", key),
		CA: filepath.Join(a.dir, "ca.pem"),
	}
}

// secure serves a controller with a certificate, and returns how to reach it.
func secure(t *testing.T, c *controller, files trust.Files) Config {
	t.Helper()
	creds, err := trust.Load(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(creds.Server(nil)))
	fairleadv1.RegisterAgentsServer(server, c)
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Stop(); <-served })
	return Config{Controller: listener.Addr().String(), Pool: "render", Address: "10.0.0.1:9101"}
}

func (c *Config) use(f trust.Files) { c.Certificate, c.Key, c.CA = f.Cert, f.Key, f.CA }

func TestMutualTLS(t *testing.T) {
	a, c := newAuthority(t), newController()
	cfg := secure(t, c, a.issue(t, trust.Controller, "main"))
	cfg.use(a.issue(t, trust.Agent, "render/*"))
	start(t, cfg)
	talk := await(t, "a session", c.sessions)
	talk.report(t)
	who, ok := trust.PeerOf(talk.stream.Context())
	if !ok || who != (trust.Identity{Role: trust.Agent, Name: "render/*"}) {
		t.Errorf("the controller hears %v, %v", who, ok)
	}
}

// TestNobodyElseIsTheController: a proxy's certificate does not make a controller.
func TestNobodyElseIsTheController(t *testing.T) {
	a, c := newAuthority(t), newController()
	cfg := secure(t, c, a.issue(t, trust.Proxy, "p1"))
	cfg.use(a.issue(t, trust.Agent, "render/*"))
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err = r.contacts[0].session(ctx)
	if err == nil || !strings.Contains(err.Error(), "proxy") || len(c.sessions) > 0 {
		t.Errorf("session: %v", err)
	}
}

func TestACertificateThatMayNotReport(t *testing.T) {
	a := newAuthority(t)
	for _, files := range []trust.Files{a.issue(t, trust.Agent, "thumbs/*"), a.issue(t, trust.Proxy, "p1")} {
		cfg := Config{Controller: "127.0.0.1:7400", Pool: "render", Address: "10.0.0.1:9101"}
		cfg.use(files)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), "Config.Certificate") {
			t.Errorf("New: %v", err)
		}
	}
}
