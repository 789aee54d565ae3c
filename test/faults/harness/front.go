//go:build unix

package harness

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"
)

// front is the clients' connections to one proxy. A client of net/http would send a
// request again whose connection broke; what is counted here must be sent once.
type front struct {
	proxy *Proxy

	mu   sync.Mutex // guards what is below
	idle []*clientConn
	over bool
	all  map[*clientConn]bool
}

// clientConn is one connection. It carries one request at a time.
type clientConn struct {
	net.Conn
	answers *bufio.Reader
	life    int // of the proxy that it leads to
}

// take returns an idle connection to the process that lives now, or a new one.
func (f *front) take() (*clientConn, error) {
	life := f.proxy.Life()
	f.mu.Lock()
	for n := len(f.idle); n > 0; n = len(f.idle) {
		c := f.idle[n-1]
		f.idle = f.idle[:n-1]
		if c.life == life && c.open() {
			f.mu.Unlock()
			return c, nil
		}
		delete(f.all, c)
		_ = c.Close()
	}
	f.mu.Unlock()
	conn, err := net.DialTimeout("tcp", f.proxy.Address, clientPatience)
	if err != nil {
		return nil, err
	}
	c := &clientConn{conn, bufio.NewReaderSize(conn, 1<<10), life}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	if f.all == nil {
		f.all = map[*clientConn]bool{}
	}
	f.all[c] = true
	return c, nil
}

// roundTrip sends a request and reads its answer.
func (f *front) roundTrip(c *clientConn, work time.Duration) Outcome {
	o := Outcome{Proxy: f.proxy.Name}
	res, err := c.exchange(work)
	if res != nil {
		o.Status, o.Reason = res.StatusCode, res.Header.Get("Fairlead-Reason")
	}
	if err != nil {
		o.Status, o.Err, o.Own = 0, plain(err), c.life != f.proxy.Life() || c.life%2 == 1
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil || res.Close || f.over {
		delete(f.all, c)
		_ = c.Close()
		return o
	}
	f.idle = append(f.idle, c)
	return o
}

// open tells whether the other end has not closed it, as clients find out that keep
// connections.
func (c *clientConn) open() bool {
	raw, err := c.Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return false
	}
	alive := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		alive = errors.Is(err, syscall.EAGAIN)
		return true
	})
	return err == nil && alive
}

func (c *clientConn) exchange(work time.Duration) (*http.Response, error) {
	if err := c.SetDeadline(time.Now().Add(clientPatience)); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(c, "GET /work?us=%d HTTP/1.1\r\nHost: test\r\n\r\n", work.Microseconds()); err != nil {
		return nil, err
	}
	res, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	return res, errors.Join(err, res.Body.Close())
}

// plain sorts what broke a connection.
func plain(err error) string {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer in " + clientPatience.String()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection broken"
	}
	return err.Error()
}

// cut ends all connections.
func (f *front) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
	for c := range f.all {
		_ = c.Close()
	}
	f.all, f.idle = nil, nil
}
