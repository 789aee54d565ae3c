//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/testproc"
)

func TestUsage(t *testing.T) {
	file := newSite(t).file
	for _, c := range []struct{ line, words string }{
		{"bogus", `no command "bogus"`},
		{"help bogus", `no command "bogus"`},
		{"--bogus", "unknown flag: --bogus"},
		{"pools --bogus", "unknown flag: --bogus"},
		{"pools extra", `unexpected argument "extra"`},
		{"pools --controller nowhere", "not host:port"},
		{"pools --controller :0", "--controller"},
		{"pools --controller 127.0.0.1:99999", "99999"},
		{"pools --controller 192.0.2.1:7400", "--insecure"},
		{"pools --controller 192.0.2.1:7400", "'fairlead cert' makes them"},
		{"pools --controller 127.0.0.1:7400,192.0.2.1:7400", `"192.0.2.1:7400" is on another host`},
		{"pools --controller 127.0.0.1:7400,", "a comma too many"},
		{"pools --controller 127.0.0.1:7400,,127.0.0.1:7401", "a comma too many"},
		{"pools --controller 127.0.0.1:7400,127.0.0.1:7400", "twice"},
		{"pools --controller 127.0.0.1:7400,nowhere", "not host:port"},
		{"pools --controller " + strings.Repeat("127.0.0.1:7400,", 16) + "127.0.0.1:7401", "at most 16"},
		{"proxy --controller 127.0.0.1:7400,nowhere", "not host:port"},
		{"agent --pool render --address 127.0.0.1:80 --controller 127.0.0.1:7400,192.0.2.1:7400", "--insecure"},
		{"pools --tls-cert a", "--tls-key is missing"},
		{"pools --tls-cert a --tls-key b", "--tls-ca is missing"},
		{"pools --tls-cert a --tls-key b --tls-ca c --insecure", "exclude each other"},
		{"choose", "takes one listener"},
		{"proxies extra", `unexpected argument "extra"`},
		{"proxy --max-connections -1", "1 or more"},
		{"proxy --linger -1s", "0 or more"},
		{"proxy --access-log-query drop", "--access-log FILE"},
		{"proxy --access-log a --access-log-query hide", "keep or drop"},
		{"proxy --access-log a --access-log-format xml", "json or combined"},
		{"proxy --access-log a --access-log-sample 2", "to 1 (all)"},
		{"proxy --access-log a --access-log-sample NaN", "to 1 (all)"},
		{"proxy --access-log a --access-log-sample some", "--access-log-sample"},
		{"proxy --advertise lb.example.org:80", "without a port"},
		{"proxy --advertise 0.0.0.0", "can connect to"},
		{"agent --pool p --address 127.0.0.1:80 --gate-protocol tcp", "--gate HOST:PORT"},
		{"agent --pool p --address 127.0.0.1:80 --gate nowhere", "not host:port"},
		{"agent --pool p --address 127.0.0.1:80 --gate 127.0.0.1:0 --gate-protocol udp", "http or tcp"},
		{"agent --pool p --address 127.0.0.1:80 --gate 127.0.0.1:0 --forward nowhere", "not host:port"},
		{"drain", "takes one backend"},
		{"undrain a b", "takes one backend"},
		{"explain", "takes one pool"},
		{"explain a --last x", "--last"},
		{"check", "-c FILE"},
		{"controller", "-c FILE"},
		{"controller extra -c " + file, `"extra"`},
		{"controller --log-level loud -c " + file, "debug, info, warn or error"},
		{"controller --log-format xml -c " + file, "text or json"},
		{"up --load=perhaps", "--load"},
		{"proxy --listen web", "NAME=HOST:PORT"},
		{"proxy --listen web=80", "not host:port"},
		{"proxy --listen web=127.0.0.1:http", "no port"},
		{"proxy --listen web=:80 --listen web=:81", "twice"},
		{"proxy --controller nowhere", "not host:port"},
		{"proxy --drain-timeout -1s", "0 or more"},
		{"proxy --drain-timeout soon", "--drain-timeout"},
		{"agent --address 127.0.0.1:80", "--pool is needed"},
		{"agent --pool render", "--address is needed"},
		{"agent --pool render --address nowhere", "not host:port"},
		{"agent --pool render --address 127.0.0.1:80 --slots -1", "0 or more"},
		{"agent --pool render --address 127.0.0.1:80 --slots 1 --workers 1", "excludes --slots"},
		{"agent --pool render --address 127.0.0.1:80 --label gpu", "name=value"},
		{"agent --pool render --address 127.0.0.1:80 --label gpu=a --label gpu=b", "given twice"},
		{"explain render --class urgent", "critical, normal or sheddable"},
		{"explain render --deadline -1s", "0 or more"},
		{"explain render --label gpu", "name=value"},
		{"agent --pool render --address 127.0.0.1:80 --controller nowhere", "not host:port"},
	} {
		fairlead(strings.Fields(c.line)...).is(t, exitUsage, c.words, "Try 'fairlead", "--help'.")
	}
}

func TestHelp(t *testing.T) {
	fairlead().is(t, exitOK, "fairlead up", "Available Commands")
	fairlead("--version").is(t, exitOK, "fairlead ")
	for command, words := range map[string]string{
		"": "Usage:", "up": "--load", "controller": "--config", "proxy": "--start-timeout", "agent": "--address",
		"check": "--config", "proxies": "--watch", "choose": "--client", "sim": "--policies", "cert": "fairlead cert ca", "pools": "--watch", "backends": "--json", "drain": "--pool", "undrain": "--pool", "explain": "--exclude",
	} {
		fairlead(append(strings.Fields(command), "--help")...).is(t, exitOK, "Usage:", words)
	}
}

func TestCheck(t *testing.T) {
	s := newSite(t)
	fairlead("check", "-c", s.file).is(t, exitOK, s.file, "is good", "1 pools", "2 backends with 12 slots")
	bad := write(t, "controller: {lisen: 127.0.0.1:7400}\n")
	for _, command := range []string{"check", "controller", "up"} {
		fairlead(command, "--config", bad).is(t, exitError, bad)
		missing := filepath.Join(t.TempDir(), "missing.yaml")
		fairlead(command, "-c", missing).is(t, exitError, missing, "does not exist")
		fairlead(command, "-c", t.TempDir()).is(t, exitError, "config")
	}
	if os.Getuid() != 0 { // root may read anything
		if err := os.Chmod(bad, 0); err != nil {
			t.Fatal(err)
		}
		fairlead("check", "-c", bad).is(t, exitError, bad)
	}
}

func TestPortInUse(t *testing.T) {
	s := newSite(t)
	busy := taken(t)
	for _, place := range []struct{ address, words string }{
		{s.wire, "controller.listen"}, {s.admin, "controller.admin"},
	} {
		text, err := os.ReadFile(s.file)
		if err != nil {
			t.Fatal(err)
		}
		file := write(t, strings.Replace(string(text), place.address, busy, 1))
		for _, command := range []string{"controller", "up"} {
			fairlead(command, "-c", file).is(t, exitError, place.words, busy, "in use", "choose another")
		}
	}
	fairlead("proxy", "--admin", busy, "--controller", s.wire).is(t, exitError, "--admin", busy, "in use")
	text, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, strings.Replace(string(text), s.web, busy, 1))
	fairlead("up", "-c", file).is(t, exitError, `listener "web"`, busy, "in use")
}

// TestWrongController points everything at addresses where no controller answers.
func TestWrongController(t *testing.T) {
	closed, page := testproc.FreeAddr(t), taken(t)
	for _, at := range []string{closed, page} {
		for _, line := range []string{
			"pools", "backends", "pools --watch", "backends --json", "explain render", "drain " + backend1, "undrain " + backend1,
		} {
			fairlead(append(strings.Fields(line), "--controller", at)...).is(t, exitError,
				"no controller answers at "+at, "is it running", "gRPC address")
		}
		fairlead("proxy", "--controller", at, "--start-timeout", "100ms").is(t, exitError, "controller", "is it running", "gRPC address")
		fairlead("agent", "--controller", at, "--start-timeout", "100ms", "--pool", "render", "--address", backend1).
			is(t, exitError, "controller", "is it running", "gRPC address")
	}
}
