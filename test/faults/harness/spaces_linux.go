package harness

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// subnet is for benchmarks of networks (RFC 2544), so that nobody misses it. Each part of
// the fleet has a /24 of it, and this process has the first.
const subnet = "198.18"

// spaces gives each part a network of its own, a router in the middle, and this process a
// way to it. The router loses packets: by source and destination, so in one direction or
// both, and nobody is told. It takes root and the program ip.
type spaces struct {
	prefix string // of the namespaces' names
	router string
	index  map[string]int // of a part: its /24
	rules  []string       // that are in force, as words of ip rule
}

func newSpaces(t testing.TB) network {
	t.Helper()
	s := &spaces{prefix: fmt.Sprintf("fairlead-%d-", os.Getpid()), index: map[string]int{}}
	s.router = s.prefix + "router"
	host := fmt.Sprintf("flead%d", os.Getpid()%1_000_000)
	t.Cleanup(func() { s.remove(host) })
	for _, words := range []string{
		"netns add " + s.router,
		"-n " + s.router + " link set lo up",
		"netns exec " + s.router + " sh -c",
		"link add " + host + " type veth peer name host netns " + s.router,
		"addr add " + subnet + ".0.2/24 dev " + host,
		"link set " + host + " up",
		"-n " + s.router + " addr add " + subnet + ".0.1/24 dev host",
		"-n " + s.router + " link set host up",
		"route add " + subnet + ".0.0/16 via " + subnet + ".0.1",
	} {
		args := strings.Fields(words)
		if args[len(args)-1] == "-c" {
			// A path checked backwards would lose the other direction too.
			args = append(args, "cd /proc/sys/net/ipv4; echo 1 > ip_forward; for f in conf/*/rp_filter; do echo 0 > $f; done")
		}
		if err := ip(args...); err != nil {
			t.Skipf("network namespaces cannot be made here, which takes root and the program ip; cuts by relays are played everywhere: %v", err)
		}
	}
	return s
}

func ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// remove ends the namespaces, and with them their interfaces, rules and routes.
func (s *spaces) remove(host string) {
	_ = ip("link", "del", host) // it may not have come about, as the others
	for name := range s.index {
		_ = ip("netns", "del", s.prefix+name)
	}
	_ = ip("netns", "del", s.router)
}

// of returns a part's address, in a namespace that is made where there is none.
func (s *spaces) of(t testing.TB, name string) string {
	t.Helper()
	n, ok := s.index[name]
	if !ok {
		n = len(s.index) + 1
		s.index[name] = n
		space, port, net := s.prefix+name, fmt.Sprintf("v%d", n), fmt.Sprintf("%s.%d", subnet, n)
		for _, words := range []string{
			"netns add " + space,
			"-n " + space + " link set lo up",
			"-n " + s.router + " link add " + port + " type veth peer name eth0 netns " + space,
			"-n " + s.router + " addr add " + net + ".1/24 dev " + port,
			"-n " + s.router + " link set " + port + " up",
			"-n " + space + " addr add " + net + ".2/24 dev eth0",
			"-n " + space + " link set eth0 up",
			"-n " + space + " route add default via " + net + ".1",
		} {
			if err := ip(strings.Fields(words)...); err != nil {
				t.Fatal(err)
			}
		}
	}
	return fmt.Sprintf("%s.%d.2", subnet, n)
}

func (s *spaces) listen(t testing.TB, name string, port int) string {
	t.Helper()
	return net.JoinHostPort(s.of(t, name), strconv.Itoa(port))
}

func (s *spaces) own() bool { return true }

func (s *spaces) way(t testing.TB, from, _, address string) string {
	t.Helper()
	if from != Everyone {
		s.of(t, from)
	}
	return address
}

func (s *spaces) command(name string, cmd *exec.Cmd) *exec.Cmd {
	args := append([]string{"netns", "exec", s.prefix + name}, cmd.Args...)
	return exec.Command("ip", args...) // which becomes the program, with the same id
}

func (s *spaces) cut(t testing.TB, from, to string, w Way, spared string) {
	t.Helper()
	if spared != "" {
		t.Fatal("a router cannot tell what packets are about")
	}
	who := func(name string) string {
		if name == Everyone {
			return "all"
		}
		return s.of(t, name)
	}
	if w != Back {
		s.lose(t, who(from), who(to))
	}
	if w != There {
		s.lose(t, who(to), who(from))
	}
}

func (s *spaces) lose(t testing.TB, from, to string) {
	t.Helper()
	rule := fmt.Sprintf("from %s to %s blackhole pref %d", from, to, 100+len(s.rules))
	if err := ip(append([]string{"-n", s.router, "rule", "add"}, strings.Fields(rule)...)...); err != nil {
		t.Fatal(err)
	}
	s.rules = append(s.rules, rule)
}

func (s *spaces) heal(t testing.TB) {
	t.Helper()
	for _, rule := range s.rules {
		if err := ip(append([]string{"-n", s.router, "rule", "del"}, strings.Fields(rule)...)...); err != nil {
			t.Errorf("%v", err)
		}
	}
	s.rules = nil
}
