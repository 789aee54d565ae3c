package wire

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/control"
	"github.com/fairlead/fairlead/internal/trust"
)

// authority issues certificates for a test.
type authority struct {
	t         *testing.T
	dir       string
	cert, key []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	cert, key, err := trust.NewCA("test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t, t.TempDir(), cert, key}
	a.write("ca.crt", cert)
	return a
}

func (a *authority) write(name string, content []byte) string {
	a.t.Helper()
	file := filepath.Join(a.dir, name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		a.t.Fatal(err)
	}
	return file
}

// issue returns the credentials of somebody.
func (a *authority) issue(role trust.Role, name string) *trust.Credentials {
	a.t.Helper()
	cert, key, err := trust.Issue(a.cert, a.key, trust.Identity{Role: role, Name: name}, []string{"127.0.0.1"}, time.Hour)
	if err != nil {
		a.t.Fatal(err)
	}
	file := strings.NewReplacer("/", "-", ":", "-", "*", "all").Replace(string(role) + "-" + name)
	c, err := trust.Load(trust.Files{
		Cert: a.write(file+".crt", cert), Key: a.write(file+".key", key), CA: filepath.Join(a.dir, "ca.crt"),
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

// log is a log that can be read while it is written.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newTrustedRig is a controller that speaks mutual TLS.
func newTrustedRig(t *testing.T, a *authority, logs *log) *rig {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &rig{
		t: t, address: ln.Addr().String(), stop: stop, ended: make(chan error, 1),
		c: control.New(control.Config{
			File: onePool(), Software: "fairlead test", Trust: a.issue(trust.Controller, "main"),
			Logger: slog.New(slog.NewTextHandler(logs, nil)),
		}),
	}
	go func() { r.ended <- r.c.Run(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-r.ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	return r
}

// dialAs makes a connection as somebody.
func (r *rig) dialAs(creds credentials.TransportCredentials) *grpc.ClientConn {
	r.t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+r.address, grpc.WithTransportCredentials(creds))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	return conn
}

// proxyAs tries a proxy's session, and returns the status with which it ends; nil: the
// controller welcomes it.
func proxyAs(t *testing.T, conn *grpc.ClientConn, name string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	st, err := fairleadv1.NewProxiesClient(conn).Session(ctx)
	if err != nil {
		return err
	}
	if err := st.Send(hello(name, "1")); err != nil {
		t.Logf("sending: %v", err)
	}
	_, err = st.Recv()
	return err
}

func agentAs(t *testing.T, conn *grpc.ClientConn, address string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	st, err := fairleadv1.NewAgentsClient(conn).Session(ctx)
	if err != nil {
		return err
	}
	if err := st.Send(join(address)); err != nil {
		t.Logf("sending: %v", err)
	}
	_, err = st.Recv()
	return err
}

// drainAs tries a tool.
func drainAs(t *testing.T, conn *grpc.ClientConn) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	_, err := fairleadv1.NewToolsClient(conn).Undrain(ctx, &fairleadv1.UndrainRequest{Pool: pool, Backend: b1})
	return err
}

// TestRolesAreKept: what a certificate is of decides what its holder may do.
func TestRolesAreKept(t *testing.T) {
	t.Parallel()
	a, logs := newAuthority(t), &log{}
	r := newTrustedRig(t, a, logs)
	proxyCert := a.issue(trust.Proxy, "p1").Client(trust.Controller)
	agentCert := a.issue(trust.Agent, pool+"/"+b1).Client(trust.Controller)
	everyCert := a.issue(trust.Agent, pool+"/*").Client(trust.Controller)
	operator := a.issue(trust.Operator, "alice").Client(trust.Controller)
	client := a.issue(trust.Client, "shop").Client(trust.Controller)
	for _, c := range []struct {
		name string
		try  func() error
		code codes.Code
		says []string
	}{
		{"a proxy as itself", func() error { return proxyAs(t, r.dialAs(proxyCert), "p1") }, codes.OK, nil},
		{"a proxy as another", func() error { return proxyAs(t, r.dialAs(proxyCert), "p2") }, codes.PermissionDenied, []string{"proxy/p1", "p2"}},
		{"a proxy as an agent", func() error { return agentAs(t, r.dialAs(proxyCert), b1) }, codes.PermissionDenied, []string{"proxy/p1", "agent"}},
		{"a proxy as an operator", func() error { return drainAs(t, r.dialAs(proxyCert)) }, codes.PermissionDenied, []string{"proxy/p1", "operator"}},
		{"an agent as itself", func() error { return agentAs(t, r.dialAs(agentCert), b1) }, codes.OK, nil},
		{"an agent for another backend", func() error { return agentAs(t, r.dialAs(agentCert), b2) }, codes.PermissionDenied, []string{b1, b2}},
		{"an agent as a proxy", func() error { return proxyAs(t, r.dialAs(agentCert), "p1") }, codes.PermissionDenied, []string{"agent/", "proxy"}},
		{"an agent as an operator", func() error { return drainAs(t, r.dialAs(agentCert)) }, codes.PermissionDenied, []string{"operator"}},
		{"an agent of the whole pool", func() error { return agentAs(t, r.dialAs(everyCert), b2) }, codes.OK, nil},
		{"an operator as itself", func() error { return drainAs(t, r.dialAs(operator)) }, codes.OK, nil},
		{"an operator as a proxy", func() error { return proxyAs(t, r.dialAs(operator), "alice") }, codes.PermissionDenied, []string{"operator/alice"}},
		{"a client as an operator", func() error { return drainAs(t, r.dialAs(client)) }, codes.PermissionDenied, []string{"client/shop"}},
		{"a client as a proxy", func() error { return proxyAs(t, r.dialAs(client), "shop") }, codes.PermissionDenied, []string{"client/shop"}},
	} {
		t.Run(c.name, func(t *testing.T) { says(t, c.try(), c.code, c.says...) })
	}
	if n := refusedPeers(t, r, "wrong_role"); n != 9 {
		t.Errorf("%v peers are counted as refused for their role, want 9", n)
	}
	if !strings.Contains(logs.String(), "a peer was refused") || !strings.Contains(logs.String(), "reason=wrong_role") {
		t.Errorf("the log says %q, and not who was refused and why", logs)
	}
}

// refusedPeers returns how many peers are counted as refused for a reason.
func refusedPeers(t *testing.T, r *rig, why string) float64 {
	t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(r.c.Collector())
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "fairlead_controller_refused_peers_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == why {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// TestStrangersStayOut: who has no certificate of the CA does not get as far as a call.
func TestStrangersStayOut(t *testing.T) {
	t.Parallel()
	a, logs := newAuthority(t), &log{}
	r := newTrustedRig(t, a, logs)
	other := newAuthority(t)
	for _, c := range []struct {
		name, reason string
		creds        credentials.TransportCredentials
	}{
		{"plain text", "no_tls", insecure.NewCredentials()},
		{"no certificate", "no_certificate", credentials.NewTLS(anonymous())},
		{"another CA's certificate", "unknown_ca", credentials.NewTLS(foreign(t, other))},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := proxyAs(t, r.dialAs(c.creds), "p1"); err == nil {
				t.Error("a stranger was welcomed as a proxy")
			}
			r.awaitAny("the refusal to be counted", func() error {
				if refusedPeers(t, r, c.reason) == 0 {
					return errNot
				}
				return nil
			})
		})
	}
	if !strings.Contains(logs.String(), "a peer was refused") || !strings.Contains(logs.String(), "peer=127.0.0.1:") {
		t.Errorf("the log says %q, and not who was refused", logs)
	}
	// A proxy that is led to somebody who is no controller turns away.
	impostor := a.issue(trust.Proxy, "p2")
	p1 := a.issue(trust.Proxy, "p1").Client(trust.Controller)
	says(t, proxyAs(t, serveAs(t, impostor).dialAs(p1), "p1"), codes.Unavailable, "proxy/p2")
}

// serveAs is somebody who listens like a controller, with a certificate of another role.
func serveAs(t *testing.T, as *trust.Credentials) *rig {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer(grpc.Creds(as.Server(nil)))
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = srv.Serve(ln)
	}()
	t.Cleanup(func() { srv.Stop(); <-served })
	return &rig{t: t, address: ln.Addr().String()}
}
