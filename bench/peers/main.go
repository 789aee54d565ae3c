//go:build linux

// Command peers compares what a request costs through Fairlead with what it costs through
// HAProxy, nginx, Caddy, and no proxy at all: on one machine, in one run, in turns.
//
// Each proxy has one core (taskset), the backend another, the load generators and the
// controller the rest. Every case is played in rounds, in which each peer has its turn, and
// medians are told. CPU time is the proxy process's alone, from /proc.
//
// It takes Linux with four cores, and haproxy, nginx, wrk and h2load; on Debian:
// apt-get install haproxy nginx-light libnginx-mod-stream wrk nghttp2-client openssl. Caddy is
// built from its Go module, as tools/caddy.mod pins it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// baseline is the peer that ratios are to.
const baseline = "HAProxy"

// Cores of the parts.
const (
	controlCore = "0"
	proxyCore   = "1"
	loadCores   = "0,2"
	paceCore    = "2"
	backendCore = "3"
)

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 3, "how often each peer's turn comes")
	flag.DurationVar(&o.each, "each", 3*time.Second, "how long one turn lasts, in whole seconds")
	flag.StringVar(&o.only, "case", "", "play one case only, or idle")
	flag.StringVar(&o.write, "write", "", "write the table into a file, between its two marks")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := begin(ctx, o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// begin does what the program is called for; it calls itself for the load and the backends.
func begin(ctx context.Context, o options, args []string) error {
	switch {
	case len(args) > 1 && args[0] == "backend":
		return serve(ctx, args[1:])
	case len(args) == 5 && args[0] == "load":
		each, err1 := time.ParseDuration(args[3])
		connections, err2 := strconv.Atoi(args[4])
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		s, err := work(ctx, job{kind: args[1], to: args[2], each: each, connections: connections})
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(s)
	case len(args) > 0:
		return fmt.Errorf("unknown argument %q: there are flags only, see -help", args[0])
	}
	return run(ctx, o)
}

type options struct {
	rounds      int
	each        time.Duration
	only, write string
}

func run(ctx context.Context, o options) error {
	for _, program := range []string{"haproxy", "nginx", "wrk", "h2load", "taskset", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is not installed; on Debian: apt-get install haproxy nginx-light libnginx-mod-stream wrk nghttp2-client openssl", program)
		}
	}
	if o.rounds < 1 || o.each < time.Second || o.each%time.Second != 0 {
		return errors.New("-rounds has to be 1 or more, and -each whole seconds: wrk and h2load take no others")
	}
	if o.only != "" && o.only != "idle" && !slices.ContainsFunc(cases, func(c play) bool { return c.name == o.only }) {
		return fmt.Errorf("-case %q is no case; the first column of the table has their names", o.only)
	}
	if streamModule() == "" {
		fmt.Fprintln(os.Stderr, "peers: nginx has no TCP here; on Debian: apt-get install libnginx-mod-stream")
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
	if s.broken > 0 {
		return fmt.Errorf("%d turns could not be played: see above. Nothing was written", s.broken)
	}
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
	why      string // of the first failure
}

// play plays all cases, and returns the tables.
func (s *site) play(ctx context.Context, o options) (string, error) {
	idle := s.idle(ctx, o)
	var b strings.Builder
	fmt.Fprintf(&b, "%s; %s; %d cores, a proxy has one; %d rounds of %s, medians; %s\n\n", s.versions, runtime.Version(),
		runtime.NumCPU(), o.rounds, o.each, time.Now().UTC().Format(time.DateOnly))
	b.WriteString("| case | through | requests/s | to HAProxy | p50 ms | to HAProxy | p99 ms | to HAProxy | CPU us a request | to HAProxy | errors |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|\n")
	added := ""
	for _, c := range cases {
		if o.only != "" && o.only != c.name {
			continue
		}
		all := map[string][]result{}
		for range o.rounds {
			for _, p := range s.peers {
				if p.at[c.kind] == "" {
					continue
				}
				r, err := s.turn(ctx, c, p, o.each)
				if ctx.Err() != nil {
					return "", ctx.Err()
				}
				if err != nil {
					s.broken++
					fmt.Fprintf(os.Stderr, "%s through %s: %s\n", c.name, p.name, err)
					continue
				}
				fmt.Fprintf(os.Stderr, "%s through %s: %.0f/s, p50 %s, p99 %s, %.1f us, %d failed %s\n", c.name, p.name, r.rate, r.p50, r.p99, r.cpu, r.failed, r.why)
				all[p.name] = append(all[p.name], r)
			}
		}
		s.rows(&b, c, all, o.rounds)
		if c.name == fixedRate {
			added = asked(median(all[makes[0].name]), median(all[makes[1].name]))
		}
	}
	return b.String() + added + idle, nil
}

// rows writes what a case came to, a line for each peer.
func (s *site) rows(b *strings.Builder, c play, all map[string][]result, rounds int) {
	base := median(all[baseline])
	for _, p := range s.peers {
		if p.at[c.kind] == "" {
			fmt.Fprintf(b, "| %s | %s |%s\n", c.name, p.name, strings.Repeat(" - |", 9))
			continue
		}
		r := median(all[p.name])
		cpu := "-"
		if r.cpu > 0 {
			cpu = fmt.Sprintf("%.1f", r.cpu)
		}
		errs := fmt.Sprint(r.failed)
		if lost := rounds - len(all[p.name]); lost > 0 {
			errs += fmt.Sprintf(", and %d of %d turns lost", lost, rounds)
		}
		fmt.Fprintf(b, "| %s | %s | %.0f | %s | %s | %s | %s | %s | %s | %s | %s |\n", c.name, p.name, r.rate, ratio(r.rate, base.rate),
			ms(r.p50), ratio(r.p50.Seconds(), base.p50.Seconds()), ms(r.p99), ratio(r.p99.Seconds(), base.p99.Seconds()), cpu, ratio(r.cpu, base.cpu), errs)
	}
}

// asked tells what an ask adds.
func asked(asks, none result) string {
	if asks.p50 == 0 || none.p50 == 0 {
		return "\nWhat an ask adds could not be measured.\n"
	}
	return fmt.Sprintf("\nAt %d requests a second an ask adds %.2f ms at the median, and %.2f ms at p99.\n", paced,
		(asks.p50-none.p50).Seconds()*1000, (asks.p99-none.p99).Seconds()*1000)
}

func ratio(a, b float64) string {
	if a <= 0 || b <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", a/b)
}

func ms(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", d.Seconds()*1000)
}

// median takes each figure's median on its own; failures it adds up.
func median(all []result) (m result) {
	if len(all) == 0 {
		return m
	}
	for _, r := range all {
		m.failed += r.failed
	}
	mid := func(of func(result) float64) float64 {
		var v []float64
		for _, r := range all {
			v = append(v, of(r))
		}
		slices.Sort(v)
		return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
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
