package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const startWithin = 20 * time.Second

// contestant is one way to stand between clients and backends.
type contestant struct {
	name  string
	start func(ctx context.Context, dir string, o options, backends []string) (*standing, error)
}

// standing is a contestant that runs.
type standing struct {
	fronts []string   // addresses for clients
	procs  []*process // in the order in which they have to stop
}

// contestants returns all that can run here, and the version of HAProxy; "" if there is
// none.
func contestants(ctx context.Context, o options) ([]contestant, string) {
	all := []contestant{fairleadContestant(o), {"the same, without permits", fairlead(false)}}
	out, err := exec.CommandContext(ctx, "haproxy", "-v").Output()
	if err != nil {
		return all, ""
	}
	version, _, _ := strings.Cut(string(out), "\n")
	return append(all,
		contestant{fmt.Sprintf("%d HAProxy, leastconn, maxconn %d each", o.Proxies, o.Slots), haproxies(o.Proxies, true)},
		contestant{fmt.Sprintf("%d HAProxy, leastconn", o.Proxies), haproxies(o.Proxies, false)},
		contestant{fmt.Sprintf("1 HAProxy, leastconn, maxconn %d", o.Slots), haproxies(1, true)},
	), version
}

func fairleadContestant(o options) contestant {
	return contestant{fmt.Sprintf("%d Fairlead proxies, one controller, slots %d", o.Proxies, o.Slots), fairlead(true)}
}

// build builds fairlead from this tree.
func build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "fairlead")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "github.com/fairlead/fairlead/cmd/fairlead").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building fairlead: %w\n%s", err, out)
	}
	return path, nil
}

// fairlead starts a controller and proxies, each a process of its own.
func fairlead(permits bool) func(context.Context, string, options, []string) (*standing, error) {
	return func(_ context.Context, dir string, o options, backends []string) (*standing, error) {
		return startFairlead(dir, o, backends, permits)
	}
}

func startFairlead(dir string, o options, backends []string, permits bool) (s *standing, err error) {
	addresses, err := freeAddresses(o.Proxies + 1)
	if err != nil {
		return nil, err
	}
	controller := addresses[0]
	s = &standing{fronts: addresses[1:]}
	defer func() { s.orStop(&err) }()
	file := filepath.Join(dir, "fairlead.yaml")
	if err := os.WriteFile(file, []byte(fairleadConfig(controller, filepath.Join(dir, "data"), o.Slots, backends, permits)), 0o600); err != nil {
		return nil, err
	}
	var env []string
	if o.GoMaxProcs > 0 {
		env = append(env, fmt.Sprintf("GOMAXPROCS=%d", o.GoMaxProcs))
	}
	c, err := start(env, o.fairlead, "controller", "-c", file, "--log-level", "error")
	if err != nil {
		return s, err
	}
	s.procs = append(s.procs, c)
	for i, address := range s.fronts {
		p, err := start(env, o.fairlead, "proxy", "--controller", controller, "--log-level", "error",
			"--name", fmt.Sprintf("bench-%d", i), "--listen", "web="+address)
		if err != nil {
			return s, err
		}
		s.procs = append([]*process{p}, s.procs...) // proxies drain before the controller goes
	}
	return s, nil
}

// fairleadConfig has no health checks, as HAProxy's has none.
func fairleadConfig(controller, dir string, slots int, backends []string, permits bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "controller: {listen: %q, admin: \"127.0.0.1:0\", data: %q}\n", controller, dir)
	fmt.Fprintf(&b, "listeners:\n  - {name: web, address: \"127.0.0.1:0\", protocol: http}\n")
	fmt.Fprintf(&b, "routes:\n  - {listener: web, pool: bench}\n")
	fmt.Fprintf(&b, "pools:\n  - name: bench\n    slots: %d\n    permits: %v\n", slots, permits)
	fmt.Fprintf(&b, "    queue: {limit: 100000, timeout: 30s}\n    health: {type: none}\n    backends:\n")
	for _, a := range backends {
		fmt.Fprintf(&b, "      - {address: %q}\n", a)
	}
	return b.String()
}

// haproxies starts n of them, each a process of its own with one thread.
func haproxies(n int, limit bool) func(context.Context, string, options, []string) (*standing, error) {
	return func(_ context.Context, dir string, o options, backends []string) (s *standing, err error) {
		s = &standing{}
		if s.fronts, err = freeAddresses(n); err != nil {
			return nil, err
		}
		defer func() { s.orStop(&err) }()
		maxconn := 0
		if limit {
			maxconn = o.Slots
		}
		for i, address := range s.fronts {
			file := filepath.Join(dir, fmt.Sprintf("haproxy-%d.cfg", i))
			if err := os.WriteFile(file, []byte(haproxyConfig(address, maxconn, backends)), 0o600); err != nil {
				return s, err
			}
			p, err := start(nil, "haproxy", "-db", "-q", "-f", file)
			if err != nil {
				return s, err
			}
			s.procs = append(s.procs, p)
		}
		return s, nil
	}
}

func haproxyConfig(address string, maxconn int, backends []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "global\n  nbthread 1\n  maxconn %d\n", mostOpen+100)
	fmt.Fprintf(&b, "defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n")
	fmt.Fprintf(&b, "  timeout queue 30s\n  timeout http-keep-alive 60s\n")
	fmt.Fprintf(&b, "frontend web\n  bind %s\n  default_backend bench\n", address)
	fmt.Fprintf(&b, "backend bench\n  balance leastconn\n  http-reuse always\n")
	for i, a := range backends {
		fmt.Fprintf(&b, "  server s%d %s", i, a)
		if maxconn > 0 {
			fmt.Fprintf(&b, " maxconn %d", maxconn)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// await waits until each front passes a request on to a backend.
func (s *standing) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for _, address := range s.fronts {
		f := &front{address: address}
		for {
			status, err := f.send(time.Now().Add(time.Second), readyPath, 0)
			if err == nil && status == http.StatusOK {
				break
			}
			if dead := s.alive(); dead != nil {
				return dead
			}
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				return fmt.Errorf("%s does not serve within %v: status %d, %v", address, startWithin, status, err)
			}
		}
		f.close()
	}
	return nil
}

// alive returns an error if a process has ended.
func (s *standing) alive() error {
	for _, p := range s.procs {
		select {
		case <-p.done:
			return fmt.Errorf("%s ended: %w\n%s", p, p.err, p.said())
		default:
		}
	}
	return nil
}

// stop ends all processes and waits for them.
func (s *standing) stop() error {
	var all error
	for _, p := range s.procs {
		all = errors.Join(all, p.stop())
	}
	return all
}

// orStop cleans up after a start that failed half way.
func (s *standing) orStop(err *error) {
	if *err != nil {
		*err = errors.Join(*err, s.stop())
	}
}

// freeAddresses returns addresses that nothing listens at. All are open at once, so
// that they differ; another program could still take one before it is used.
func freeAddresses(n int) ([]string, error) {
	var all []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("looking for a free port: %w", err)
		}
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return all, nil
}
