//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// job is what a load generator of ours does.
type job struct {
	kind, to    string
	each        time.Duration
	connections int
	ops         int // of each connection; 0: as many as there is time for
}

// score is what came of it.
type score struct {
	Done, Failed int
	Seconds      float64
	P50, P99     time.Duration
	Why          string `json:",omitempty"` // of the first failure
}

// tally gathers what one connection did, or all together.
type tally struct {
	times        *hdrhistogram.Histogram // in microseconds
	done, failed int
	why          error
}

func newTally() *tally { return &tally{times: hdrhistogram.New(1, 60_000_000, 3)} }

func (t *tally) took(d time.Duration) {
	t.done++
	_ = t.times.RecordValue(min(d.Microseconds(), 60_000_000))
}

func (t *tally) fail(err error) {
	t.failed++
	if t.why == nil {
		t.why = err
	}
}

func (t *tally) score(took time.Duration) score {
	s := score{Done: t.done, Failed: t.failed, Seconds: took.Seconds()}
	if t.done > 0 {
		s.P50 = time.Duration(t.times.ValueAtQuantile(50)) * time.Microsecond
		s.P99 = time.Duration(t.times.ValueAtQuantile(99)) * time.Microsecond
	}
	if t.why != nil {
		s.Why = t.why.Error()
	}
	return s
}

const (
	message   = "sixty-four bytes that go to the backend and have to come back so"
	megabyte  = 1 << 20
	patience  = 10 * time.Second // for one operation
	maxFailed = 100              // of one connection, after which it gives up
)

// speaker is one connection that works for itself.
type speaker interface {
	// some does a few operations, all of them if it may.
	some(until time.Time, ops int, t *tally) error
	close()
}

// work does a job.
func work(ctx context.Context, j job) (score, error) {
	if j.kind == "pace" {
		return pace(ctx, j)
	}
	var wg sync.WaitGroup
	var ready sync.WaitGroup
	tallies := make([]*tally, j.connections)
	begin := make(chan time.Time)
	for i := range tallies {
		tallies[i] = newTally()
		wg.Add(1)
		ready.Add(1)
		go func() {
			defer wg.Done()
			s, err := dial(ctx, j)
			ready.Done()
			persist(ctx, j, s, err, <-begin, tallies[i])
		}()
	}
	ready.Wait()
	start := time.Now()
	for range tallies {
		begin <- start
	}
	wg.Wait()
	took := time.Since(start)
	all := newTally()
	for _, t := range tallies {
		all.times.Merge(t.times)
		all.done += t.done
		all.failed += t.failed
		if all.why == nil {
			all.why = t.why
		}
	}
	return all.score(took), ctx.Err()
}

// persist keeps one connection at work, and connects again when it fails.
func persist(ctx context.Context, j job, s speaker, err error, start time.Time, t *tally) {
	until := start.Add(j.each)
	for {
		if err == nil {
			err = s.some(until, j.ops, t)
			s.close()
		}
		if err != nil {
			t.fail(err)
		}
		if err == nil || ctx.Err() != nil || t.failed >= maxFailed || j.ops > 0 || time.Now().After(until) {
			return
		}
		s, err = dial(ctx, j)
	}
}

func dial(ctx context.Context, j job) (speaker, error) {
	d := net.Dialer{Timeout: patience}
	c, err := d.DialContext(ctx, "tcp", j.to)
	if err != nil {
		return nil, err
	}
	var s speaker
	switch j.kind {
	case "tcp":
		s = &turns{c: c, r: bufio.NewReader(c), say: []byte(message), hear: []byte(message)}
	case "bulk":
		s = &turns{c: c, r: bufio.NewReader(c), say: []byte(message), hear: make([]byte, megabyte)}
	case "ws":
		r := bufio.NewReader(c)
		err = upgrade(c, r)
		s = &turns{c: c, r: r, say: frame(message, true), hear: frame(message, false)}
	case "grpc":
		s, err = newCaller(c)
	default:
		err = fmt.Errorf("no load is called %q", j.kind)
	}
	if err != nil {
		_ = c.Close()
	}
	return s, err
}

// turns says something and hears the answer, over and over.
type turns struct {
	c         net.Conn
	r         *bufio.Reader
	say, hear []byte
	buf       []byte
}

func (s *turns) close() { _ = s.c.Close() }

func (s *turns) some(until time.Time, ops int, t *tally) error {
	s.buf = make([]byte, len(s.hear))
	_ = s.c.SetDeadline(until.Add(patience))
	for n, now := 0, time.Now(); now.Before(until) && (ops == 0 || n < ops); n++ {
		if _, err := s.c.Write(s.say); err != nil {
			return err
		}
		if _, err := io.ReadFull(s.r, s.buf); err != nil {
			return fmt.Errorf("reading an answer: %w", err)
		}
		if !bytes.Equal(s.buf, s.hear) {
			return errors.New("an answer is not what the backend sends")
		}
		then := now
		now = time.Now()
		t.took(now.Sub(then))
	}
	return nil
}

// frame returns a short WebSocket text frame; clients mask theirs.
func frame(text string, masked bool) []byte {
	if !masked {
		return append([]byte{0x81, byte(len(text))}, text...)
	}
	mask := [4]byte{7, 1, 9, 3}
	b := append([]byte{0x81, 0x80 | byte(len(text))}, mask[:]...)
	for i := range len(text) {
		b = append(b, text[i]^mask[i%4])
	}
	return b
}

// The key and its answer are the example of RFC 6455, section 1.3.
const wsKey, wsAccept = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

func upgrade(c net.Conn, r *bufio.Reader) error {
	_ = c.SetDeadline(time.Now().Add(patience))
	_, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "+wsKey+"\r\n\r\n")
	if err != nil {
		return err
	}
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		return fmt.Errorf("upgrading to WebSocket: %w", err)
	}
	if res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Sec-WebSocket-Accept") != wsAccept {
		return fmt.Errorf("upgrading to WebSocket: the answer is %s", res.Status)
	}
	return nil
}

// readOwn reads what a load generator of ours says.
func readOwn(out, _ string) (result, error) {
	var s score
	if err := json.Unmarshal([]byte(strings.TrimSpace(out)), &s); err != nil || s.Seconds <= 0 {
		return result{}, fmt.Errorf("the load generator says no score: %s", out)
	}
	return result{rate: float64(s.Done) / s.Seconds, p50: s.P50, p99: s.P99, failed: s.Failed, why: s.Why}, nil
}
