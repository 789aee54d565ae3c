//go:build unix

package harness

import (
	"os/exec"
	"testing"

	"github.com/fairlead/fairlead/internal/testproc"
)

// Everyone is all who connect to a part.
const Everyone = "*"

// network is what is between the parts of a fleet.
type network interface {
	// listen returns an address for a part to listen at.
	listen(t testing.TB, name string, port int) string
	// way returns the address at which a part reaches another.
	way(t testing.TB, from, to, address string) string
	command(name string, cmd *exec.Cmd) *exec.Cmd
	cut(t testing.TB, from, to string, w Way, spared string)
	heal(t testing.TB)
	// own tells whether a part has a network of its own.
	own() bool
}

func newNetwork(t testing.TB, o Options) network {
	if o.Namespaces {
		return newSpaces(t)
	}
	return &loopback{relayed: !o.Direct, relays: map[[2]string]*Relay{}}
}

// loopback is one host's, with relays on the ways that can be cut.
type loopback struct {
	relayed bool
	relays  map[[2]string]*Relay
}

func (l *loopback) listen(t testing.TB, _ string, _ int) string { return testproc.FreeAddr(t) }

func (l *loopback) way(t testing.TB, from, to, address string) string {
	if !l.relayed {
		return address
	}
	r := NewRelay(t, address)
	l.relays[[2]string{from, to}] = r
	return r.Address()
}

func (l *loopback) command(_ string, cmd *exec.Cmd) *exec.Cmd { return cmd }

// cut of Everyone cuts each way to the part.
func (l *loopback) cut(t testing.TB, from, to string, w Way, spared string) {
	t.Helper()
	found := false
	for way, r := range l.relays {
		if way[1] == to && (from == Everyone || way[0] == from) {
			r.Cut(w, spared)
			found = true
		}
	}
	if !found {
		t.Fatalf("there is no relay from %s to %s to cut", from, to)
	}
}

func (l *loopback) own() bool { return false }

func (l *loopback) heal(testing.TB) {
	for _, r := range l.relays {
		r.Heal()
	}
}
