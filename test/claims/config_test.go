//go:build unix

package claims

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/testproc"
)

// writeConfig writes the controller's file. Proxies listen at any free port.
func (f *fleet) writeConfig(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	fmt.Fprintf(&b, "controller: {listen: %q, admin: %q, data: %q}\n", f.listen, f.admin, filepath.Join(dir, "data"))
	b.WriteString(f.more)
	b.WriteString(`listeners:
  - {name: web, address: "127.0.0.1:0", protocol: http}
  - {name: raw, address: "127.0.0.1:0", protocol: tcp}
routes:
  - {listener: web, pool: render}
  - {listener: raw, pool: lines}
pools:
`)
	for _, pool := range []string{web, raw} {
		f.writePool(&b, pool)
	}
	file := filepath.Join(dir, "fairlead.yaml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (f *fleet) writePool(b *strings.Builder, pool string) {
	health := "{type: tcp, interval: 100ms}"
	if pool == raw {
		health = "{type: none}" // a check would be counted there as a connection
	}
	fmt.Fprintf(b, "  - name: %s\n    slots: %d\n    queue: {limit: %d, timeout: 30s}\n    health: %s\n",
		pool, f.slots, f.queue, health)
	if !f.keeps && !strings.Contains(f.pools[pool], "workers") {
		b.WriteString("    permits: false\n") // each request asks
	}
	for line := range strings.Lines(f.pools[pool]) {
		fmt.Fprintf(b, "    %s\n", strings.TrimSpace(line))
	}
	b.WriteString("    backends:\n")
	for i, one := range f.backends {
		fmt.Fprintf(b, "      - {address: %q", one.addressIn(pool))
		if len(f.zones) > 0 && (pool == raw || i%2 == 0) {
			fmt.Fprintf(b, ", zone: %s", f.zones[i])
		}
		b.WriteString("}\n")
	}
}

// startBackend starts a backend, and who reports for it.
func (f *fleet) startBackend(t *testing.T, i int, b *backend) {
	t.Helper()
	args := []string{"-name", b.name, "-listen", b.web, "-tcp", b.raw, "-control", b.control}
	if f.reports == bySDK || f.reports == guards || f.reports == byBoth && i > 0 {
		args = append(args, "-controller", f.tap.Address, "-pool", web, "-slots", strconv.Itoa(f.slots), "-assign")
	}
	if f.reports == guards {
		args = append(args, "-direct", "-tcp-pool", raw)
	}
	b.Process = run(t, b.name, testproc.Binary(t, "github.com/fairlead/fairlead/test/backend"), args...)
	switch {
	case f.reports == byAgent && len(f.zones) > 0 && i%2 == 1:
		f.startAgent(t, b, web, "--zone", f.zones[i])
	case f.reports == byAgent, f.reports == byBoth && i == 0:
		f.startAgent(t, b, web)
	case f.reports == gates:
		f.startAgent(t, b, web, "--gate", b.webGate)
		f.startAgent(t, b, raw, "--gate", b.rawGate, "--gate-protocol", "tcp")
	}
}

func (f *fleet) startAgent(t *testing.T, b *backend, pool string, more ...string) {
	t.Helper()
	f.fairlead(t, "agent of "+b.name+" in "+pool, append([]string{"agent", "--controller", f.tap.Address,
		"--pool", pool, "--address", b.addressIn(pool), "--drain-timeout", "2s"}, more...)...)
}
