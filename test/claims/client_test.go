//go:build unix

package claims

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"
)

// call is one request, of a client of its own.
type call struct {
	id    string // its X-Request-Id
	place int    // on the wire, when it began
	by    *proxy
	path  string // of a flood

	cancel     context.CancelFunc
	head, done chan struct{}

	// To be read after head.
	local  string // the client's socket, of the last connection that it used
	remote string // and its other end
	status int
	header http.Header
	// To be read after done.
	body string
	err  error
}

// get begins a GET by a proxy. It is over when the test is.
func (f *fleet) get(t *testing.T, p *proxy, path string) *call {
	t.Helper()
	return f.begin(t, f.client, p, "http://"+p.web+path)
}

// begin begins a GET of a URL, which leads to a proxy.
func (f *fleet) begin(t *testing.T, client *http.Client, p *proxy, url string) *call {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*soon)
	c := &call{
		id: rand.Text(), place: f.tap.Mark(), by: p, cancel: cancel,
		head: make(chan struct{}), done: make(chan struct{}),
	}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		c.local, c.remote = i.Conn.LocalAddr().String(), i.Conn.RemoteAddr().String()
	}})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Request-Id", c.id)
	go c.run(client, req)
	t.Cleanup(c.end)
	return c
}

func (c *call) run(client *http.Client, req *http.Request) {
	defer close(c.done)
	resp, err := client.Do(req)
	if err != nil {
		c.err = err
		close(c.head)
		return
	}
	defer resp.Body.Close()
	c.status, c.header = resp.StatusCode, resp.Header
	close(c.head)
	body, err := io.ReadAll(resp.Body)
	c.body, c.err = strings.TrimSpace(string(body)), err
}

// end has the client go away.
func (c *call) end() {
	c.cancel()
	<-c.done
}

func wait(t *testing.T, what string, event <-chan struct{}) {
	t.Helper()
	limit := time.NewTimer(soon)
	defer limit.Stop()
	select {
	case <-event:
	case <-limit.C:
		t.Fatalf("%s: not within %v", what, soon)
	}
}

// awaitHead waits for an answer's head, and wants 200.
func (c *call) awaitHead(t *testing.T) *call {
	t.Helper()
	wait(t, "an answer's head by "+c.by.Name(), c.head)
	if c.status != http.StatusOK {
		t.Fatalf("by %s: status %d, %v; error %v", c.by.Name(), c.status, c.header, c.err)
	}
	return c
}

// awaitDone waits for the whole of an answer, whatever it is.
func (c *call) awaitDone(t *testing.T) *call {
	t.Helper()
	wait(t, "an answer by "+c.by.Name(), c.done)
	return c
}

// backend returns who answered, by its own word.
func (c *call) backend(t *testing.T, f *fleet) *backend {
	t.Helper()
	b := f.backend(c.header.Get("Backend"))
	if b == nil {
		t.Fatalf("an answer by %s names no backend: status %d, %v", c.by.Name(), c.status, c.header)
	}
	return b
}

// hold has a request held, and returns when a backend has it.
func (f *fleet) hold(t *testing.T, p *proxy) *call {
	t.Helper()
	return f.get(t, p, "/hold").awaitHead(t)
}

// fill has every slot of the HTTP pool taken, by all proxies in turn.
func (f *fleet) fill(t *testing.T) {
	t.Helper()
	full := make([]int, len(f.backends))
	for i := range f.slots * len(f.backends) {
		f.hold(t, f.proxies[i%len(f.proxies)])
		full[i%len(full)]++
	}
	f.awaitLoads(t, full...)
}

// free releases what is held on each backend: the first number on the first, and so on.
func (f *fleet) free(t *testing.T, each ...int) {
	t.Helper()
	for i, n := range each {
		if n > 0 {
			f.backends[i].release(t, n)
		}
	}
}

// line is a TCP connection by a proxy.
type line struct {
	net.Conn
	read  *bufio.Reader
	place int // on the wire, when it began
	by    *proxy
	to    *backend // by its own word
}

// dial opens a TCP connection by a proxy, and returns when a backend has greeted. It is
// closed when the test ends.
func (f *fleet) dial(t *testing.T, p *proxy) *line {
	t.Helper()
	place := f.tap.Mark()
	conn, err := net.DialTimeout("tcp", p.raw, soon)
	if err != nil {
		t.Fatal(err)
	}
	l := f.greeted(t, p, conn)
	l.place = place
	return l
}

// greeted waits for a backend's greeting on a connection, which ends with the test.
func (f *fleet) greeted(t *testing.T, p *proxy, conn net.Conn) *line {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(soon)); err != nil {
		t.Fatal(err)
	}
	l := &line{Conn: conn, read: bufio.NewReader(conn), by: p}
	name, err := l.read.ReadString('\n')
	if err != nil {
		t.Fatalf("a backend's greeting: %v", err)
	}
	if l.to = f.backend(strings.TrimSpace(name)); l.to == nil {
		t.Fatalf("greeted by %q, which is no backend", name)
	}
	return l
}

// echo says something, and wants to hear it.
func (l *line) echo(text string) error {
	if _, err := fmt.Fprintln(l, text); err != nil {
		return err
	}
	got, err := l.read.ReadString('\n')
	if err == nil && got != text+"\n" {
		err = fmt.Errorf("%q came back, not %q", got, text)
	}
	return err
}
