//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// play is one case.
type play struct {
	name string
	safe bool // over TLS
	args func(url string, each time.Duration) []string
	read func(out string) (result, error)
}

var cases = []play{
	{"HTTP/1.1, small", false, wrk("/", 64), readWrk},
	{"HTTP/1.1, a connection each", false, wrk("/", 64, "-H", "Connection: close"), readWrk},
	{"HTTP/1.1, 1 MB", false, wrk("/big", 16), readWrk},
	{"HTTP/1.1 over TLS, small", true, wrk("/", 64), readWrk},
	{"HTTP/2 over TLS, small", true, func(url string, each time.Duration) []string {
		return []string{"h2load", "-t2", "-c16", "-m8", "-D", strconv.Itoa(int(each.Seconds())), url + "/"}
	}, readH2load},
}

func wrk(path string, connections int, more ...string) func(string, time.Duration) []string {
	return func(url string, each time.Duration) []string {
		return append(append([]string{"wrk", "-t2", "--latency", fmt.Sprintf("-c%d", connections), fmt.Sprintf("-d%ds", int(each.Seconds()))}, more...), url+path)
	}
}

// turn plays a case through one peer.
func (s *site) turn(ctx context.Context, c play, p peer, each time.Duration) (result, error) {
	url := "http://" + p.plain
	if c.safe {
		url = "https://" + p.safe
	}
	before, err := p.spent()
	if err != nil {
		return result{}, err
	}
	args := append([]string{"-c", loadCores}, c.args(url, each)...)
	out, err := exec.CommandContext(ctx, "taskset", args...).CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("%w: %s", err, out)
	}
	after, err := p.spent()
	if err != nil {
		return result{}, err
	}
	r, err := c.read(string(out))
	if err == nil && r.rate > 0 {
		r.cpu = (after - before).Seconds() * 1e6 / (r.rate * each.Seconds())
	}
	return r, err
}

func (p *peer) spent() (time.Duration, error) {
	if p.pid == nil {
		return 0, nil
	}
	return cpu(p.pid())
}

var (
	wrkRate   = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	wrkTime   = regexp.MustCompile(`(?m)^\s+(50|99)%\s+([\d.]+)(us|ms|s)$`)
	wrkErrors = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
	h2Rate    = regexp.MustCompile(`finished in [\d.]+\w+, ([\d.]+) req/s`)
	h2Failed  = regexp.MustCompile(`(\d+) failed, (\d+) errored`)
)

// readWrk reads what wrk says.
func readWrk(out string) (r result, err error) {
	m := wrkRate.FindStringSubmatch(out)
	if m == nil {
		return r, fmt.Errorf("wrk says no rate: %s", out)
	}
	if r.rate, err = strconv.ParseFloat(m[1], 64); err != nil {
		return r, err
	}
	for _, m := range wrkTime.FindAllStringSubmatch(out, -1) {
		d, err := time.ParseDuration(m[2] + m[3])
		if err != nil {
			return r, err
		}
		if m[1] == "50" {
			r.p50 = d
		} else {
			r.p99 = d
		}
	}
	if m := wrkErrors.FindStringSubmatch(out); m != nil {
		r.failed, err = strconv.Atoi(m[1])
	}
	return r, err
}

// readH2load reads what h2load says. It has no percentiles.
func readH2load(out string) (r result, err error) {
	m := h2Rate.FindStringSubmatch(out)
	if m == nil {
		return r, fmt.Errorf("h2load says no rate: %s", out)
	}
	if r.rate, err = strconv.ParseFloat(m[1], 64); err != nil {
		return r, err
	}
	if m := h2Failed.FindStringSubmatch(out); m != nil {
		failed, _ := strconv.Atoi(m[1])
		errored, _ := strconv.Atoi(m[2])
		r.failed = failed + errored
	}
	return r, nil
}

// idlers is how many idle connections are held.
const idlers = 4000

// idle measures what a connection takes that has had one request and waits for the next.
func (s *site) idle(ctx context.Context, o options) (string, error) {
	if o.only != "" && o.only != "idle" {
		return "", nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n| %d idle connections | bytes each, in the process |\n|---|---|\n", idlers)
	for _, p := range s.peers {
		if p.pid == nil {
			continue
		}
		each, err := p.idle(ctx)
		if err != nil {
			return "", fmt.Errorf("idle connections through %s: %w", p.name, err)
		}
		fmt.Fprintf(&b, "| %s | %.0f |\n", p.name, each)
	}
	return b.String(), nil
}

func (p *peer) idle(ctx context.Context) (float64, error) {
	before, err := rss(p.pid())
	if err != nil {
		return 0, err
	}
	var all []net.Conn
	defer func() {
		for _, c := range all {
			_ = c.Close()
		}
	}()
	buf := make([]byte, 4096)
	for range idlers {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		c, err := net.Dial("tcp", p.plain)
		if err != nil {
			return 0, err
		}
		all = append(all, c)
		_, _ = c.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
		if _, err := c.Read(buf); err != nil {
			return 0, err
		}
	}
	after, err := rss(p.pid())
	return float64(after-before) / idlers, err
}

// rss returns a process's memory, in bytes.
func rss(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0, fmt.Errorf("/proc/%d/statm is short", pid)
	}
	pages, err := strconv.ParseInt(f[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
