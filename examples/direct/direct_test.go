//go:build unix

// Package direct shows the example's README to be true: it runs the commands that stand
// there.
package direct

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m) }

const (
	soon  = 60 * time.Second
	admin = "127.0.0.1:7480"
)

// wants is what the commands of each section print, as regular expressions, in order.
var wants = map[string][]string{
	"Which proxy?": {
		`^127\.0\.0\.[23]\n`,
		`8090 p[12]\.proxy\.lb\.test\.`,
		`status: NOERROR(.|\n)*CLIENT-SUBNET: 127\.0\.0\.0/24`,
		`"protocol":\s*"http"(.|\n)*"address":\s*"127\.0\.0\.[23]:8090"`,
		`serves /proxied/by-redirect`,
		`(?m)^p[12] +127\.0\.0\.[23]:8090`,
	},
	"Proxied": {`serves /proxied/one`, `serves /proxied/two`, `(?s)200 OK: .*/proxied/three.*200 OK: .*/proxied/four`},
	"Direct": {
		`^307 http://127\.0\.0\.1:9[34]1[12]/direct/five\?fairlead-ticket=`,
		`serves /direct/six`,
		`(?s)200 OK: .*/direct/seven.*200 OK: .*/direct/eight`,
		`(?i)ticket`,
		`(?is)serves /direct/ten.*ticket`,
		`"crv":\s*"Ed25519"`,
	},
	"Look": {`(?m)^p1 +a +yes`, `(?m)^direct +127\.0\.0\.1:9311 +up`, `would be (granted|queued)`},
}

// sections returns the commands of the README, by section.
func sections(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if name, ok := strings.CutPrefix(line, "## "); ok {
			section = name
		} else if cmd, ok := strings.CutPrefix(line, "    "); ok {
			all[section] = append(all[section], cmd)
		}
	}
	return all
}

func TestReadme(t *testing.T) {
	for _, program := range []string{"nginx", "dig", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s; install it (Debian: apt-get install nginx-light dnsutils curl)", program)
		}
	}
	testproc.FixedAddresses(t, "127.0.0.1:7400", admin, "127.0.0.1:7453", "127.0.0.1:7481", "127.0.0.2:8090", "127.0.0.3:8090",
		"127.0.0.1:9301", "127.0.0.1:9302", "127.0.0.1:9311", "127.0.0.1:9312", "127.0.0.1:9411")
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	all := sections(t)
	procs := start(t, root, all["Start it"])
	awaitAll(t, procs)
	for _, section := range []string{"Which proxy?", "Proxied", "Direct", "Look"} {
		commands := all[section]
		if len(commands) != len(wants[section]) {
			t.Fatalf("the section %q has %d commands, and %d are known", section, len(commands), len(wants[section]))
		}
		for i, command := range commands {
			out, err := shell(root, command).CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s", command, err, out)
			}
			if !regexp.MustCompile(wants[section][i]).Match(out) {
				t.Errorf("%s\nprints\n%s\nwant %s", command, out, wants[section][i])
			}
		}
	}
}

// TestMainReadme: the commands in the main README are among those that TestReadme runs.
func TestMainReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text2, ok := strings.Cut(string(text), "[examples/direct](examples/direct) has all of it")
	part, _, end := strings.Cut(text2, "`go test ./examples/direct`")
	if !ok || !end {
		t.Fatal("the main README has no such part any more")
	}
	known := map[string]bool{}
	for _, commands := range sections(t) {
		for _, c := range commands {
			known[c] = true
		}
	}
	n := 0
	for line := range strings.Lines(part) {
		if c, is := strings.CutPrefix(strings.TrimRight(line, "\n"), "    "); is {
			n++
			if !known[c] {
				t.Errorf("nobody runs %q", c)
			}
		}
	}
	if n < 15 {
		t.Errorf("%d commands; where are the others?", n)
	}
}

func shell(root, command string) *exec.Cmd {
	cmd := exec.Command("bash", "-c", command)
	cmd.Dir = root
	return cmd
}

// start runs the commands that start things, those with an & as processes.
func start(t *testing.T, root string, commands []string) (procs []*testproc.Process) {
	t.Helper()
	for _, command := range commands {
		program, background := strings.CutSuffix(command, " &")
		if !background {
			if out, err := shell(root, command).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", command, err, out)
			}
			continue
		}
		procs = append(procs, testproc.Start(t, program, shell(root, "exec "+program)))
	}
	return procs
}

// awaitAll waits until every backend takes requests and clients are led to both proxies.
func awaitAll(t *testing.T, procs []*testproc.Process) {
	t.Helper()
	testproc.AwaitHTTP(t, soon, "http://"+admin+"/readyz", procs...)
	testproc.Await(t, soon, "everyone to take part", func(ctx context.Context) error {
		s, err := testproc.Look(ctx, admin)
		if err != nil {
			return err // it may be busy with its start
		}
		for _, p := range s.GetPools() {
			for _, b := range p.GetBackends() {
				if !b.GetEligible() {
					return fmt.Errorf("%s of %s: %s", b.GetAddress(), p.GetName(), b.GetWhy())
				}
			}
		}
		if len(s.GetProxies()) < 2 {
			return errors.New("a proxy is missing")
		}
		for _, p := range s.GetProxies() {
			if p.GetWhyNot() != "" {
				return fmt.Errorf("%s: %s", p.GetName(), p.GetWhyNot())
			}
		}
		return nil
	}, procs...)
}
