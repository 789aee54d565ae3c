//go:build unix

package claims

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
)

// C2: the link runs through the proxy.
func linkRunsThroughProxy(t *testing.T, f *fleet) {
	for _, p := range f.proxies {
		c := f.hold(t, p)
		peer := c.header.Get("Peer")
		if peer == "" || peer == c.local {
			t.Errorf("the client's socket is %s, and the backend's peer %q", c.local, peer)
		}
		l := f.dial(t, p)
		if runtime.GOOS != "linux" {
			continue // only there /proc tells whose a socket is
		}
		for _, s := range []socket{{local: peer, remote: c.backend(t, f).web}, {remote: l.to.raw}} {
			if !s.isOf(t, p.PID()) {
				t.Errorf("the link %v is not %s's", s, p.Name())
			}
			if s.isOf(t, os.Getpid()) {
				t.Errorf("the link %v is the client's", s)
			}
		}
	}
	linkDiesWithProxy(t)
}

// linkDiesWithProxy shows that with a proxy, its links end at both sides, and no others.
func linkDiesWithProxy(t *testing.T) {
	f := start(t, plan{proxies: 2, backends: 2, slots: 2, queue: 4})
	dies, stays := f.proxies[0], f.proxies[1]
	broken, line := f.hold(t, dies), f.dial(t, dies)
	whole, other := f.hold(t, stays), f.dial(t, stays)
	dies.Kill()
	if broken.awaitDone(t); broken.err == nil {
		t.Errorf("the proxy was killed within an answer, and the client got all of it: %q", broken.body)
	}
	if err := line.echo("hello"); err == nil {
		t.Error("the proxy was killed, and its connection still echoes")
	}
	for _, b := range f.backends {
		requests, lines := 0, 0
		if b == whole.backend(t, f) {
			requests = 1
		}
		if b == other.to {
			lines = 1
		}
		b.awaitRequests(t, requests)
		b.awaitLines(t, lines)
	}
	whole.backend(t, f).release(t, 1)
	if whole.awaitDone(t); whole.err != nil || whole.body != whole.backend(t, f).name {
		t.Errorf("the other proxy's answer: %q, error %v", whole.body, whole.err)
	}
	if err := other.echo("hello"); err != nil {
		t.Errorf("the other proxy's connection: %v", err)
	}
}

// socket is an established TCP connection; an empty address is any.
type socket struct{ local, remote string }

// isOf tells whether a process has such a socket.
func (s socket) isOf(t *testing.T, pid int) bool {
	t.Helper()
	return s.in(t, established(t), inodesOf(t, pid))
}

func (s socket) in(t *testing.T, all []kernelSocket, inodes map[string]bool) bool {
	t.Helper()
	for _, k := range all {
		if inodes[k.inode] && (s.local == "" || k.local == kernelAddress(t, s.local)) && k.remote == kernelAddress(t, s.remote) {
			return true
		}
	}
	return false
}

// kernelSocket is an established connection as the kernel writes it.
type kernelSocket struct{ local, remote, inode string }

// established returns all of this host. It takes the kernel a while.
func established(t *testing.T) []kernelSocket {
	t.Helper()
	const state = "01"
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	var all []kernelSocket
	for row := range strings.Lines(string(table)) {
		// sl local remote state queues timer retransmits uid timeout inode
		if field := strings.Fields(row); len(field) >= 10 && field[3] == state {
			all = append(all, kernelSocket{field[1], field[2], field[9]})
		}
	}
	return all
}

func inodesOf(t *testing.T, pid int) map[string]bool {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	inodes := map[string]bool{}
	for _, file := range files {
		to, err := os.Readlink(dir + "/" + file.Name())
		if err == nil && strings.HasPrefix(to, "socket:[") {
			inodes[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] = true
		}
	}
	return inodes
}

// kernelAddress writes an address as /proc/net/tcp does: the host's bytes as one number
// of this machine.
func kernelAddress(t *testing.T, address string) string {
	t.Helper()
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		t.Fatal(err)
	}
	b := a.Addr().As4()
	return fmt.Sprintf("%02X%02X%02X%02X:%04X", b[3], b[2], b[1], b[0], a.Port())
}
