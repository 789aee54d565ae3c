//go:build unix

package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/trust"
)

// cert runs a command line of fairlead cert in this process.
func cert(args ...string) result {
	var out, errOut bytes.Buffer
	cmd := newCert()
	cmd.SetOut(&out)
	cmd.SetErr(&errOut)
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	code := exitOK
	if err := cmd.Execute(); err != nil {
		code = exitError
		if wrong := (usageError{}); errors.As(err, &wrong) {
			code = exitUsage
		}
		fmt.Fprintf(&errOut, "fairlead: %v\n", err)
	}
	return result{args, code, out.String(), errOut.String()}
}

func certLine(format string, args ...any) result {
	return cert(strings.Fields(fmt.Sprintf(format, args...))...)
}

func TestCertUsage(t *testing.T) {
	for _, c := range []struct{ line, words string }{
		{"bogus", `"bogus"`},
		{"ca", "--dir"},
		{"ca extra --dir x", `"extra"`},
		{"ca --dir x --life 0s", "above 0"},
		{"issue --dir x", "a role and a name"},
		{"issue --dir x proxy", "a role and a name"},
		{"issue proxy p1", "--dir"},
		{"issue --dir x --life -1h proxy p1", "above 0"},
		{"issue --dir x king p1", "controller, proxy, agent, operator or client"},
		{"issue --dir x agent p1", "POOL/HOST:PORT"},
		{"issue --dir x agent render/10.0.0.1", "POOL/HOST:PORT"},
		{"issue --dir x proxy " + strings.Repeat("p", 256), "1 to 255"},
		{"show", "the files to show"},
	} {
		certLine("%s", c.line).is(t, exitUsage, c.words)
	}
	cert("issue", "--dir", "x", "proxy", "p 1").is(t, exitUsage, "visible ASCII")
	cert().is(t, exitOK, "Available Commands", "fairlead cert ca --dir certs")
	for _, command := range []string{"ca", "issue", "show"} {
		certLine("%s --help", command).is(t, exitOK, "Usage:", "fairlead cert "+command)
	}
}

func TestCertCA(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "some", "certs")
	crt, key := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key")
	certLine("ca --dir %s", dir).is(t, exitOK, crt, key, "valid until 20")
	mode(t, dir, 0o700|os.ModeDir)
	mode(t, key, 0o600)
	before, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	certLine("ca --dir %s", dir).is(t, exitError, "exists", "never overwritten")
	remove(t, crt)
	certLine("ca --dir %s", dir).is(t, exitError, key, "exists")
	if after, err := os.ReadFile(key); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the key of the CA has changed: %v", err)
	}
	if left := list(t, dir); len(left) != 1 {
		t.Errorf("there are %q, want the key alone", left)
	}
}

func TestCertIssue(t *testing.T) {
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.crt")
	certLine("issue --dir %s proxy p1", dir).is(t, exitError, ca, "does not exist", "fairlead cert ca --dir "+dir)
	certLine("ca --dir %s", dir).is(t, exitOK)
	for _, c := range []struct{ role, name, file string }{
		{"controller", "c1", "controller-c1"},
		{"proxy", "p1", "proxy-p1"},
		{"agent", "render/10.0.0.5:8080", "agent-render-10.0.0.5-8080"},
		{"agent", "render/[::1]:8080", "agent-render----1--8080"},
		{"agent", "render/*", "agent-render-all"},
		{"operator", "../../alice", "operator-..-..-alice"},
		{"client", "100%?", "client-100--"},
	} {
		crt, key := filepath.Join(dir, c.file+".crt"), filepath.Join(dir, c.file+".key")
		use := "--tls-cert " + crt + " --tls-key " + key + " --tls-ca " + ca
		if c.role == "controller" {
			use = fmt.Sprintf("tls: {cert: %q, key: %q, ca: %q}", crt, key, ca)
		}
		cert("issue", "--dir", dir, c.role, c.name).is(t, exitOK, crt, key, c.role+"/"+c.name, "valid until 20", use)
		mode(t, key, 0o600)
		loaded, err := trust.Load(trust.Files{Cert: crt, Key: key, CA: ca}, nil)
		if want := (trust.Identity{Role: trust.Role(c.role), Name: c.name}); err != nil || loaded.Identity() != want {
			t.Errorf("%s %s: loads as %v, %v", c.role, c.name, loaded, err)
		}
	}
}

func TestCertHosts(t *testing.T) {
	dir := t.TempDir()
	certLine("ca --dir %s", dir).is(t, exitOK)
	out := filepath.Join(dir, "elsewhere", "it's")
	cert("issue", "--dir", dir, "--out", out, "--host", "LB.example.org", "--host", "10.0.0.1,::1", "proxy", "p1").
		is(t, exitOK, out+".crt", `it'\''s.crt'`)
	pair, err := tls.LoadX509KeyPair(out+".crt", out+".key")
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"lb.example.org", "10.0.0.1", "::1"} {
		if err := pair.Leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	certLine("issue --dir %s --host https://a controller c2", dir).is(t, exitError, "https://a", "without scheme and port")
}

func TestCertForce(t *testing.T) {
	dir := t.TempDir()
	certLine("ca --dir %s", dir).is(t, exitOK)
	certLine("issue --dir %s client a/b", dir).is(t, exitOK)
	crt, key := filepath.Join(dir, "client-a-b.crt"), filepath.Join(dir, "client-a-b.key")
	certLine("issue --dir %s client a/b", dir).is(t, exitError, crt, "exists", "--force")
	certLine("issue --dir %s --force client a/b", dir).is(t, exitOK)
	certLine("issue --dir %s --force client a-b", dir).is(t, exitError, crt, "not a certificate of client/a-b", "--out")
	certLine("issue --dir %s --force --out %s client a", dir, filepath.Join(dir, "ca")).is(t, exitError, "not overwritten")
	remove(t, crt)
	certLine("issue --dir %s client a/b", dir).is(t, exitError, key, "exists")
	certLine("issue --dir %s --force client a/b", dir).is(t, exitError, key, "without its certificate")
	if err := os.WriteFile(crt, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	certLine("issue --dir %s --force client a/b", dir).is(t, exitError, crt, "no certificate", "not overwritten")
}

func TestCertShow(t *testing.T) {
	dir := t.TempDir()
	certLine("ca --dir %s --name Ours", dir).is(t, exitOK)
	certLine("issue --dir %s --host a.example.org proxy p1", dir).is(t, exitOK)
	certLine("issue --dir %s --life 1ns client c1", dir).is(t, exitOK)
	file := func(name string) string { return filepath.Join(dir, name) }
	certLine("show %s %s %s", file("ca.crt"), file("proxy-p1.crt"), file("client-c1.crt")).is(t, exitOK,
		"FILE", "CA Ours", "proxy/p1", "a.example.org", "client/c1", "Z (expired)")
	certLine("show %s", file("ca.key")).is(t, exitError, "ca.key", "no certificate")
	certLine("show %s", file("none.crt")).is(t, exitError, "none.crt", "does not exist")
	certLine("show %s", dir).is(t, exitError, dir, "is a directory")
	if got := printable("a\x1b[2J"); got != `"a\x1b[2J"` {
		t.Errorf("a terminal would get %q", got)
	}
}

func mode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	if info, err := os.Stat(path); err != nil || info.Mode() != want {
		t.Errorf("%s has mode %v, want %v: %v", path, info.Mode(), want, err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
