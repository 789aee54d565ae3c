//go:build unix

package harness

import (
	"fmt"
	"os"
	"strings"
)

// heldUp returns an error while a proxy's host still has bytes to send. What a cut held up
// is sent again ever more rarely, so it can arrive seconds after the way is mended, at a
// time when another fault is being played.
func (f *Fleet) heldUp() error {
	if !f.net.own() {
		return nil
	}
	for _, p := range f.Proxies {
		table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", p.Process().PID()))
		if err != nil {
			return fmt.Errorf("what %s still has to send: %w", p.Name, err)
		}
		if n := unsent(string(table)); n > 0 {
			return fmt.Errorf("%s has %d connections with bytes that did not arrive", p.Name, n)
		}
	}
	return nil
}

// unsent counts the connections of a table (proc(5), /proc/net/tcp) of which not all was
// acknowledged and that nobody has open any more.
func unsent(table string) (n int) {
	for i, line := range strings.Split(table, "\n") {
		f := strings.Fields(line)
		if i == 0 || len(f) < 10 {
			continue
		}
		queued, _, _ := strings.Cut(f[4], ":")
		if orphan := f[9] == "0"; orphan && strings.Trim(queued, "0") != "" {
			n++
		}
	}
	return n
}
