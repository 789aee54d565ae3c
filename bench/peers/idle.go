//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// idlers is how many idle connections are held.
const idlers = 9000

// idle measures what a connection takes that has had one request and waits for the next.
//
// It comes first, as a process that has served much has memory to spare.
func (s *site) idle(ctx context.Context, o options) string {
	if o.only != "" && o.only != "idle" {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n| %d idle connections | bytes each, in the process | to HAProxy |\n|---|---|---|\n", idlers)
	each := map[string]float64{}
	for _, p := range s.peers {
		if p.pid == nil {
			continue
		}
		bytes, err := p.idle(ctx)
		if err != nil {
			s.broken++
			fmt.Fprintf(os.Stderr, "idle connections through %s: %s\n", p.name, err)
			continue
		}
		fmt.Fprintf(os.Stderr, "idle connections through %s: %.0f bytes each\n", p.name, bytes)
		each[p.name] = bytes
	}
	for _, p := range s.peers {
		if bytes, ok := each[p.name]; ok {
			fmt.Fprintf(&b, "| %s | %.0f | %s |\n", p.name, bytes, ratio(bytes, each[baseline]))
		} else if p.pid != nil {
			fmt.Fprintf(&b, "| %s | failed | - |\n", p.name)
		}
	}
	return b.String()
}

func (p *peer) idle(ctx context.Context) (float64, error) {
	if err := p.hold(ctx, 64, func() error { return nil }); err != nil { // what the first ones take is not theirs
		return 0, err
	}
	before, err := rss(p.pid())
	if err != nil {
		return 0, err
	}
	var after int64
	err = p.hold(ctx, idlers, func() (err error) { after, err = rss(p.pid()); return err })
	return float64(after-before) / idlers, err
}

// hold opens connections, has a request answered on each, and calls then while all are open.
func (p *peer) hold(ctx context.Context, n int, then func() error) error {
	var all []net.Conn
	defer func() {
		for _, c := range all {
			_ = c.Close()
		}
	}()
	d := net.Dialer{Timeout: patience}
	for range n {
		c, err := d.DialContext(ctx, "tcp", p.at["plain"])
		if err != nil {
			return fmt.Errorf("connection %d: %w", len(all)+1, err)
		}
		all = append(all, c)
		_ = c.SetDeadline(time.Now().Add(patience))
		if err := get(c); err != nil {
			return fmt.Errorf("connection %d: %w", len(all), err)
		}
	}
	return then()
}

func get(c net.Conn) error {
	if _, err := c.Write(pacedRequest); err != nil {
		return err
	}
	res, err := http.ReadResponse(bufio.NewReaderSize(c, 1024), nil)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s", res.Status)
	}
	return nil
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
