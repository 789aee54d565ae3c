//go:build unix

// Package h2spec_test plays h2spec, a conformance suite for HTTP/2 servers, against a proxy's
// HTTP server: in plain text and over TLS.
package h2spec_test

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/http1"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/route"
	"github.com/fairlead/fairlead/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m) }

// mixed is a case that a plain-text listener cannot pass by design: what is no preface is taken
// for HTTP/1.1, and answered 400 in it, which the suite may or may not take for the end.
const mixed = "3.5/Sends invalid connection preface"

// report is what h2spec writes for JUnit.
type report struct {
	Suites []struct {
		Package string `xml:"package,attr"`
		Cases   []struct {
			Name    string    `xml:"classname,attr"`
			Failure *struct{} `xml:"failure"`
			Error   *struct{} `xml:"error"`
			Skipped *struct{} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

// granter grants one backend to everybody.
type granter struct {
	backend fleet.BackendName
	next    atomic.Uint64
	open    atomic.Int64 // grants that are not done
}

// Ask implements link.Granter.
func (g *granter) Ask(_ context.Context, r link.Request) (*link.Grant, error) {
	g.open.Add(1)
	return link.NewGrant(fleet.GrantID{Number: g.next.Add(1)}, r.Pool, g.backend, func(*link.Grant, link.Result) { g.open.Add(-1) }), nil
}

// serve starts a proxy's server before a backend, and returns its port. When the test ends
// every grant has been given back.
func serve(t *testing.T, secure *tls.Config) string {
	t.Helper()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "served")
	}))
	t.Cleanup(backend.Close)
	g := &granter{backend: fleet.BackendName(backend.Listener.Addr().String())}
	table := route.New([]route.Rule{{Host: "*", Path: "/", Pool: &link.Pool{Name: "web"}}})
	cfg := http1.Config{Granter: g, Routes: func() *route.Table { return table }, Logger: slog.New(slog.DiscardHandler)}
	if secure != nil {
		cfg.TLS = func() *tls.Config { return secure }
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- http1.New(cfg).Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if n := g.open.Load(); n != 0 {
			t.Errorf("%d grants were not given back", n)
		}
	})
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// TestHTTP2Conforms: all cases of the suite pass.
func TestHTTP2Conforms(t *testing.T) {
	suite := testproc.Tool(t, "h2spec.mod", "github.com/summerwind/h2spec/cmd/h2spec")
	lent := httptest.NewUnstartedServer(nil)
	lent.StartTLS()
	secure := &tls.Config{Certificates: lent.TLS.Certificates, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}
	lent.Close()
	for name, conf := range map[string]*tls.Config{"plain text": nil, "TLS": secure} {
		t.Run(name, func(t *testing.T) {
			into := filepath.Join(t.TempDir(), "report.xml")
			args := []string{"-h", "127.0.0.1", "-p", serve(t, conf), "-o", "10", "-j", into}
			if conf != nil {
				args = append(args, "-t", "-k")
			}
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
			defer cancel()
			out, _ := exec.CommandContext(ctx, suite, args...).CombinedOutput() // what it says is in the report
			judge(t, into, out, conf == nil)
		})
	}
}

// judge reads what the suite says of each case. plain: HTTP/1.1 is spoken on the same port.
func judge(t *testing.T, path string, out []byte, plain bool) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("the suite wrote no report: %v\n%s", err, out)
	}
	var r report
	if err := xml.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, s := range r.Suites {
		_, section, _ := strings.Cut(s.Package, "/")
		for _, c := range s.Cases {
			name := section + "/" + c.Name
			switch failed := c.Failure != nil || c.Error != nil; {
			case c.Skipped != nil, plain && name == mixed:
			case failed:
				t.Errorf("failed: %q", name)
			default:
				passed++
			}
		}
	}
	const atLeast = 144 // a suite that played nothing has shown nothing
	if passed < atLeast {
		t.Errorf("only %d cases passed\n%s", passed, out)
	}
	t.Logf("%d cases passed", passed)
}
