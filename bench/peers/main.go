//go:build linux

// Command peers compares what a request costs through Fairlead with what it costs through
// HAProxy, nginx, and no proxy at all: on one machine, in one run, in turns.
//
// Each proxy has one core (taskset), the backend another, the load generators and the
// controller the rest. Every case is played in rounds, in which each peer has its turn, and
// medians are told. CPU time is the proxy process's alone, from /proc.
//
// It takes Linux with four cores, and haproxy, nginx, wrk and h2load; on Debian:
// apt-get install haproxy nginx-light wrk nghttp2-client.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Cores of the parts.
const (
	controlCore = "0"
	proxyCore   = "1"
	loadCores   = "0,2"
	backendCore = "3"
)

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 3, "how often each peer's turn comes")
	flag.DurationVar(&o.each, "each", 4*time.Second, "how long one turn lasts")
	flag.StringVar(&o.only, "case", "", "play one case only")
	flag.StringVar(&o.write, "write", "", "write the table into a file, between its two marks")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

type options struct {
	rounds      int
	each        time.Duration
	only, write string
}

func run(ctx context.Context, o options) error {
	for _, program := range []string{"haproxy", "nginx", "wrk", "h2load", "taskset", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is not installed; on Debian: apt-get install haproxy nginx-light wrk nghttp2-client openssl", program)
		}
	}
	if runtime.NumCPU() < 4 {
		return fmt.Errorf("this machine has %d cores, and it takes 4 to keep the parts apart", runtime.NumCPU())
	}
	dir, err := os.MkdirTemp("", "fairlead-peers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := &site{dir: dir}
	defer s.stop()
	if err := s.start(ctx); err != nil {
		return err
	}
	table, err := s.play(ctx, o)
	if err != nil {
		return err
	}
	fmt.Print(table)
	if o.write != "" {
		return between(o.write, table)
	}
	return nil
}

// result is one turn.
type result struct {
	rate     float64 // requests a second
	p50, p99 time.Duration
	cpu      float64 // microseconds of the proxy's a request
	failed   int
}

// play plays all cases, and returns the table.
func (s *site) play(ctx context.Context, o options) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s; %s; %d cores, a proxy has one; %d rounds of %s, medians; %s\n\n", s.versions, runtime.Version(),
		runtime.NumCPU(), o.rounds, o.each, time.Now().UTC().Format(time.DateOnly))
	b.WriteString("| case | through | requests/s | to HAProxy | p50 ms | p99 ms | CPU us a request | to HAProxy |\n|---|---|---|---|---|---|---|---|\n")
	for _, c := range cases {
		if o.only != "" && o.only != c.name {
			continue
		}
		all := map[string][]result{}
		for range o.rounds {
			for _, p := range s.peers {
				r, err := s.turn(ctx, c, p, o.each)
				if err != nil {
					return "", fmt.Errorf("%s through %s: %w", c.name, p.name, err)
				}
				fmt.Fprintf(os.Stderr, "%s through %s: %.0f/s, p99 %s, %.1f us, %d failed\n", c.name, p.name, r.rate, r.p99, r.cpu, r.failed)
				all[p.name] = append(all[p.name], r)
			}
		}
		base := median(all["HAProxy"])
		for _, p := range s.peers {
			r := median(all[p.name])
			cpu, ratio := "-", "-"
			if p.pid != nil {
				cpu, ratio = fmt.Sprintf("%.1f", r.cpu), fmt.Sprintf("%.2f", r.cpu/base.cpu)
			}
			fmt.Fprintf(&b, "| %s | %s | %.0f | %.2f | %s | %s | %s | %s |\n", c.name, p.name, r.rate, r.rate/base.rate, ms(r.p50), ms(r.p99), cpu, ratio)
		}
	}
	idle, err := s.idle(ctx, o)
	return b.String() + idle, err
}

func ms(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", d.Seconds()*1000)
}

// median takes each figure's median on its own.
func median(all []result) (m result) {
	mid := func(of func(result) float64) float64 {
		var v []float64
		for _, r := range all {
			v = append(v, of(r))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	m.rate = mid(func(r result) float64 { return r.rate })
	m.p50 = time.Duration(mid(func(r result) float64 { return float64(r.p50) }))
	m.p99 = time.Duration(mid(func(r result) float64 { return float64(r.p99) }))
	m.cpu = mid(func(r result) float64 { return r.cpu })
	return m
}

// Marks stand around the table in a document.
const beginMark, endMark = "<!-- bench-peers: begin -->\n", "<!-- bench-peers: end -->\n"

func between(path, table string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(b), beginMark)
	_, after, ok2 := strings.Cut(rest, endMark)
	if !ok || !ok2 {
		return errors.New(path + " has no marks for the table")
	}
	return os.WriteFile(path, []byte(before+beginMark+table+endMark+after), 0o644)
}
