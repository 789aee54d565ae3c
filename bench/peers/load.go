//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// play is one case.
type play struct {
	name  string
	kind  string // of traffic
	cores string // of the load
	args  func(o turn) []string
	read  func(out, log string) (result, error)
}

// turn is what a load generator is told.
type turn struct {
	to, log string // an address or URL; a file that it may write
	each    time.Duration
}

var cases = []play{
	{"HTTP/1.1, small", "plain", loadCores, wrk("/", 64), readWrk},
	{"HTTP/1.1, a connection each", "plain", loadCores, wrk("/", 64, "-H", "Connection: close"), readWrk},
	{"HTTP/1.1, 1 MB", "plain", loadCores, wrk("/big", 16), readWrk},
	{"HTTP/1.1, 1 MB, a connection each", "plain", loadCores, wrk("/big", 16, "-H", "Connection: close"), readWrk},
	{"HTTP/1.1 over TLS, small", "safe", loadCores, wrk("/", 64), readWrk},
	{"HTTP/2 over TLS, small", "safe", loadCores, h2load(16, 8), readH2load},
	{"gRPC, unary", "grpc", loadCores, own("grpc", 16), readOwn},
	{"WebSocket, echo", "ws", loadCores, own("ws", 64), readOwn},
	{"TCP, echo", "tcp", loadCores, own("tcp", 64), readOwn},
	{"TCP, 1 MB", "bulk", loadCores, own("bulk", 16), readOwn},
	{fixedRate, "plain", paceCore, own("pace", 64), readOwn},
}

// fixedRate is the case that tells what an ask adds.
var fixedRate = fmt.Sprintf("HTTP/1.1, small, at %d a second", paced)

func wrk(path string, connections int, more ...string) func(turn) []string {
	return func(o turn) []string {
		return append(append([]string{"wrk", "-t2", "--latency", fmt.Sprintf("-c%d", connections), fmt.Sprintf("-d%ds", int(o.each.Seconds()))}, more...), o.to+path)
	}
}

func h2load(connections, streams int) func(turn) []string {
	return func(o turn) []string {
		return []string{"h2load", "-t2", fmt.Sprintf("-c%d", connections), fmt.Sprintf("-m%d", streams), "-D", strconv.Itoa(int(o.each.Seconds())),
			"--log-file", o.log, o.to + "/"}
	}
}

// own is a load generator that this program is itself.
func own(kind string, connections int) func(turn) []string {
	return func(o turn) []string {
		return []string{os.Args[0], "load", kind, o.to, o.each.String(), strconv.Itoa(connections)}
	}
}

// url returns where a kind of traffic goes, as its load generator is told.
func url(kind, address string) string {
	switch kind {
	case "plain":
		return "http://" + address
	case "safe":
		return "https://" + address
	}
	return address
}

// turn plays a case through one peer.
func (s *site) turn(ctx context.Context, c play, p peer, each time.Duration) (result, error) {
	o := turn{to: url(c.kind, p.at[c.kind]), log: filepath.Join(s.dir, "load-log"), each: each}
	if c.cores == paceCore {
		o.to = p.at[c.kind]
	}
	before, err := p.spent()
	if err != nil {
		return result{}, err
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "taskset", append([]string{"-c", c.cores}, c.args(o)...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return result{}, fmt.Errorf("%w: %s%s", err, &stdout, &stderr)
	}
	after, err := p.spent()
	if err != nil {
		return result{}, err
	}
	log, err := os.ReadFile(o.log)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return result{}, err
	}
	_ = os.Remove(o.log)
	r, err := c.read(stdout.String(), string(log))
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
	wrkSocket = regexp.MustCompile(`Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
	h2Rate    = regexp.MustCompile(`finished in [\d.]+\w+, ([\d.]+) req/s`)
	h2Codes   = regexp.MustCompile(`status codes: \d+ 2xx, (\d+) 3xx`)
	h2Failed  = regexp.MustCompile(`(\d+) failed, (\d+) errored`)
)

// readWrk reads what wrk says.
func readWrk(out, _ string) (r result, err error) {
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
	for _, errs := range [][]string{wrkErrors.FindStringSubmatch(out), wrkSocket.FindStringSubmatch(out)} {
		for _, n := range errs[min(1, len(errs)):] {
			failed, err := strconv.Atoi(n)
			if err != nil {
				return r, err
			}
			r.failed += failed
			r.why = "wrk tells no more"
		}
	}
	return r, nil
}

// readH2load reads what h2load says, and its log: a line for each request, with when it began,
// its status and what it took, in microseconds.
func readH2load(out, log string) (r result, err error) {
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
	if m := h2Codes.FindStringSubmatch(out); m != nil {
		for _, n := range m[1:] { // answers with 4xx or 5xx are "failed", 3xx are not
			wrong, _ := strconv.Atoi(n)
			r.failed += wrong
		}
	}
	if r.failed > 0 {
		r.why = "h2load tells no more"
	}
	t := newTally()
	for line := range strings.Lines(log) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue // the last may be cut
		}
		us, err := strconv.ParseInt(f[2], 10, 64)
		if err != nil || us < 0 {
			return r, fmt.Errorf("h2load's log makes no sense: %s", line)
		}
		if f[1] == "200" {
			t.took(time.Duration(min(us, 60_000_000)) * time.Microsecond)
		}
	}
	all := t.score(0)
	r.p50, r.p99 = all.P50, all.P99
	return r, nil
}
