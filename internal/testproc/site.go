//go:build unix

package testproc

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// Site is a controller and one proxy, each a process.
type Site struct {
	Controller, Proxy *Process
	// Admin and ProxyAdmin are their admin addresses.
	Admin, ProxyAdmin string
	File              string // the config
}

// startWithin is how long a process may take to be ready.
const startWithin = 30 * time.Second

// StartSite starts them with a config that says all but the controller's own addresses.
func StartSite(t testing.TB, config string) *Site {
	t.Helper()
	wire := FreeAddr(t)
	s := &Site{Admin: FreeAddr(t), ProxyAdmin: FreeAddr(t)}
	s.File = filepath.Join(t.TempDir(), "fairlead.yaml")
	text := fmt.Sprintf("controller: {listen: %q, admin: %q}\n%s", wire, s.Admin, config)
	if err := os.WriteFile(s.File, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Controller = Start(t, "controller", exec.Command(Fairlead(t), "controller", "-c", s.File))
	AwaitHTTP(t, startWithin, "http://"+s.Admin+"/readyz", s.Controller)
	s.Proxy = Start(t, "proxy", exec.Command(Fairlead(t), "proxy", "--controller", wire, "--admin", s.ProxyAdmin))
	AwaitHTTP(t, startWithin, "http://"+s.ProxyAdmin+"/readyz", s.Proxy)
	return s
}

// Serves waits until a pool has so many backends that take grants.
func (s *Site) Serves(t testing.TB, pool string, backends int) {
	t.Helper()
	AwaitSnapshot(t, startWithin, s.Admin, "pool "+pool, Standing(pool, backends, 1), s.Controller, s.Proxy)
}

// Metric returns the sum of a metric of the proxy over all its label sets that hold the words,
// as `pool="web"`.
func (s *Site) Metric(ctx context.Context, name, words string) (float64, error) {
	return Metric(ctx, s.ProxyAdmin, name, words)
}

// Metric returns the sum of a metric over all its label sets that hold the words, of the process
// with an admin address.
func Metric(ctx context.Context, admin, name, words string) (float64, error) {
	text, err := get(ctx, "http://"+admin+"/metrics")
	if err != nil {
		return 0, err
	}
	return sum(string(text), name, words)
}

func sum(text, name, words string) (total float64, err error) {
	found := false
	for line := range strings.Lines(text) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		bare, labels, _ := strings.Cut(series, "{")
		if bare != name || !strings.Contains(labels, words) {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("the metric %s: %w", series, err)
		}
		total, found = total+n, true
	}
	if !found {
		return 0, fmt.Errorf("the proxy has no metric %s with %q", name, words)
	}
	return total, nil
}

// Quiet waits until nothing of a pool is in flight or waits, and all grants were given back.
// It returns how many there were.
func (s *Site) Quiet(t testing.TB, pool string) (grants uint64) {
	t.Helper()
	return s.Took(t, pool, 0, 0)
}

// Took is Quiet, and returns how many grants there were since there were before. It waits
// until there are as many as expected: of a grant that a proxy gave itself, by a permit, the
// controller hears later.
func (s *Site) Took(t testing.TB, pool string, before, expected uint64) (grants uint64) {
	t.Helper()
	AwaitSnapshot(t, startWithin, s.Admin, "all grants to be back", func(all *fairleadv1.Snapshot) error {
		for _, p := range all.GetPools() {
			if p.GetName() != pool {
				continue
			}
			grants = p.GetGrants()
			if p.GetInFlight() != 0 || p.GetQueue() != 0 || grants != p.GetDones() {
				return fmt.Errorf("%d in flight, %d wait, %d of %d grants are done", p.GetInFlight(), p.GetQueue(), p.GetDones(), grants)
			}
			if grants -= before; grants < expected {
				return fmt.Errorf("%d grants, not %d", grants, expected)
			}
			return nil
		}
		return fmt.Errorf("there is no pool %q", pool)
	}, s.Controller, s.Proxy)
	return grants
}
