//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// paced is how many requests a second a paced load sends, however long the answers take.
const paced = 5000

// pacer sends requests at a fixed rate, each on a connection that is free.
type pacer struct {
	free    chan *pacedConn
	warm    time.Time // from here on times count
	ending  atomic.Bool
	mu      sync.Mutex // guards the tally
	tally   *tally
	readers sync.WaitGroup
}

type pacedConn struct {
	net.Conn
	sent atomic.Int64 // when, since the epoch
}

// pace does a job of HTTP/1.1 at a fixed rate. The first tenth of its time is to warm
// up, if it ends by time.
func pace(ctx context.Context, j job) (score, error) {
	p := &pacer{free: make(chan *pacedConn, j.connections), tally: newTally()}
	start := time.Now()
	if p.warm = start; j.ops == 0 {
		p.warm = start.Add(j.each / 10)
	}
	var all []*pacedConn
	defer func() {
		p.ending.Store(true)
		for _, c := range all {
			_ = c.Close()
		}
		p.readers.Wait()
	}()
	for range j.connections {
		d := net.Dialer{Timeout: patience}
		raw, err := d.DialContext(ctx, "tcp", j.to)
		if err != nil {
			return score{}, err
		}
		c := &pacedConn{Conn: raw}
		all = append(all, c)
		p.free <- c
		p.readers.Add(1)
		go p.read(c)
	}
	if err := p.send(ctx, start.Add(j.each), j.ops); err != nil {
		return score{}, err
	}
	end := time.Now()
	p.settle(j.connections)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tally.score(end.Sub(p.warm)), ctx.Err()
}

// send sends what is due, by a timer of the kernel's: Go's own may be a millisecond late.
func (p *pacer) send(ctx context.Context, until time.Time, ops int) error {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("making a timer: %w", err)
	}
	defer unix.Close(fd)
	every := unix.NsecToTimespec(int64(time.Second / paced))
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		return fmt.Errorf("setting a timer: %w", err)
	}
	var due [8]byte
	for n := 0; time.Now().Before(until) && ctx.Err() == nil && (ops == 0 || n < ops); {
		if _, err := unix.Read(fd, due[:]); err != nil {
			if err == unix.EINTR {
				continue
			}
			return fmt.Errorf("reading a timer: %w", err)
		}
		for range binary.NativeEndian.Uint64(due[:]) {
			p.one()
			n++
		}
	}
	return nil
}

var pacedRequest = []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n")

func (p *pacer) one() {
	select {
	case c := <-p.free:
		c.sent.Store(time.Now().UnixNano())
		if _, err := c.Write(pacedRequest); err != nil {
			p.fail(err)
		}
	default:
		p.fail(fmt.Errorf("all %d connections wait for answers", cap(p.free)))
	}
}

func (p *pacer) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tally.fail(err)
}

// read reads a connection's answers until it is closed.
func (p *pacer) read(c *pacedConn) {
	defer p.readers.Done()
	r := bufio.NewReader(c)
	for {
		res, err := http.ReadResponse(r, nil)
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
		}
		now := time.Now()
		if err != nil {
			if !p.ending.Load() {
				p.fail(fmt.Errorf("reading an answer: %w", err))
			}
			return
		}
		p.mu.Lock()
		if res.StatusCode != http.StatusOK {
			p.tally.fail(fmt.Errorf("the answer is %s", res.Status))
		} else if sent := time.Unix(0, c.sent.Load()); !sent.Before(p.warm) {
			p.tally.took(now.Sub(sent))
		}
		p.mu.Unlock()
		p.free <- c
	}
}

// settle waits until every connection is free again; those that are not have failed.
func (p *pacer) settle(connections int) {
	late := time.After(patience)
	for i := range connections {
		select {
		case <-p.free:
		case <-late:
			p.fail(fmt.Errorf("%d connections got no answer", connections-i))
			return
		}
	}
}
