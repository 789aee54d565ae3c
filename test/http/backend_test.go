package http_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/http1/corpus"
)

// backend is a TCP server that records every byte that it gets, and answers each request
// that the strict reader finds in them.
type backend struct {
	listener net.Listener
	first    *corpus.Case  // how the first request is answered; nil: as all others
	one      bool          // that answer goes out byte by byte
	got      chan struct{} // closed when the client has that answer
	late     chan struct{} // closed when the late bytes are sent
	seen     chan arrival

	wg       sync.WaitGroup
	mu       sync.Mutex // guards what is below
	conns    []*recorded
	answered bool // the first request was
}

// arrival is a request that arrived as a whole.
type arrival struct {
	*message
	on *recorded
}

// recorded is a connection.
type recorded struct {
	net.Conn
	bytes    []byte
	requests []*message
	rest     []byte // behind them
	err      error  // why that is no request

	continued bool // it was told to send the body of the latest
}

func newBackend(t testing.TB, first *corpus.Case, one bool) *backend {
	t.Helper()
	b := &backend{
		listener: listen(t), first: first, one: one, seen: make(chan arrival, 10_000),
		got: make(chan struct{}), late: make(chan struct{}),
	}
	b.wg.Go(b.accept)
	return b
}

func (b *backend) name() fleet.BackendName { return fleet.BackendName(b.listener.Addr().String()) }

func (b *backend) accept() {
	for {
		c, err := b.listener.Accept()
		if err != nil {
			return
		}
		r := &recorded{Conn: c}
		b.mu.Lock()
		b.conns = append(b.conns, r)
		b.mu.Unlock()
		b.wg.Go(func() { b.serve(r) })
	}
}

// serve reads until the proxy closes the connection.
func (b *backend) serve(r *recorded) {
	defer r.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		r.bytes = append(r.bytes, buf[:n]...)
		r.rest = append(r.rest, buf[:n]...)
		if b.early(r) {
			continue
		}
		for r.err == nil && len(r.rest) > 0 {
			m, rest, bad := strictRequest(r.rest)
			if bad != nil {
				if !errors.Is(bad, errShort) {
					r.err = bad
					return
				}
				r.goOn()
				break
			}
			r.rest = rest
			r.continued = false
			r.requests = append(r.requests, m)
			b.seen <- arrival{m, r}
			b.answer(r, m)
		}
		if err != nil {
			return
		}
	}
}

// goOn tells a proxy that waits for it to send the body. It may send it anyway.
func (r *recorded) goOn() {
	head, _, whole := bytes.Cut(r.rest, []byte("\r\n\r\n"))
	if whole && !r.continued && bytes.Contains(bytes.ToLower(head), []byte("\nexpect: 100-continue")) {
		r.continued = true
		_, _ = io.WriteString(r, "HTTP/1.1 100 Continue\r\n\r\n")
	}
}

// early answers a request of which only the head is here.
func (b *backend) early(r *recorded) bool {
	if b.first == nil || !b.first.Early || !bytes.Contains(r.bytes, []byte("\r\n\r\n")) || !b.takeFirst() {
		return false
	}
	b.script(r)
	return true
}

// takeFirst tells whether no request was answered before.
func (b *backend) takeFirst() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	had := b.answered
	b.answered = true
	return !had
}

// answer answers a request. That the proxy no longer listens shows elsewhere.
func (b *backend) answer(r *recorded, m *message) {
	if b.first != nil && b.takeFirst() {
		b.script(r)
		return
	}
	text := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Backend: yes\r\n\r\n"
	if m.method != "HEAD" {
		text += "ok"
	}
	_, _ = io.WriteString(r, text)
}

// script answers as the case says.
func (b *backend) script(r *recorded) {
	if b.one {
		for i := range b.first.Answer {
			if _, err := r.Write(b.first.Answer[i : i+1]); err != nil {
				break
			}
		}
	} else {
		_, _ = r.Write(b.first.Answer)
	}
	if b.first.Late != nil {
		<-b.got
		_, _ = r.Write(b.first.Late)
		awaitDelivery(r.Conn.(*net.TCPConn))
	}
	close(b.late)
	if b.first.Closes {
		_ = r.Conn.(*net.TCPConn).CloseWrite()
	}
}

// close ends the backend when the proxy has closed its connections.
func (b *backend) close() {
	_ = b.listener.Close()
	b.wg.Wait()
}

// check reads what was recorded again. It must be the same requests to net/http as to the
// strict reader, with nothing left over; but if the client broke its request off, the last
// one may lack its end.
func (b *backend) check(mayBreak bool) error {
	var all []error
	for _, r := range b.conns {
		if r.err != nil {
			all = append(all, fmt.Errorf("the backend cannot read for sure what arrived: %w; %.300q", r.err, r.bytes))
			continue
		}
		if err := sameToOthers(r, mayBreak); err != nil {
			all = append(all, fmt.Errorf("%w; %.300q", err, r.bytes))
		}
	}
	return errors.Join(all...)
}

func sameToOthers(r *recorded, mayBreak bool) error {
	from := bufio.NewReader(bytes.NewReader(r.bytes))
	for _, m := range r.requests {
		req, err := http.ReadRequest(from)
		if err != nil {
			return fmt.Errorf("net/http does not read what arrived: %w", err)
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return fmt.Errorf("net/http does not read the body that arrived: %w", err)
		}
		if err := same(m, req, body); err != nil {
			return err
		}
	}
	switch {
	case len(r.rest) == 0:
		return nil
	case !mayBreak:
		return fmt.Errorf("behind the last request there are bytes: %.100q", r.rest)
	}
	if req, err := http.ReadRequest(from); err == nil {
		if _, err = io.ReadAll(req.Body); err == nil {
			return errors.New("net/http reads a whole request where the strict reader lacks its end")
		}
	}
	return nil
}

// same compares what two readers make of a request.
func same(m *message, req *http.Request, body []byte) error {
	if req.Method != m.method || req.RequestURI != m.target || req.Host != m.values("Host")[0] || !bytes.Equal(body, m.body) {
		return fmt.Errorf("net/http reads %s %s of %s with %.60q, the strict reader %+v", req.Method, req.RequestURI, req.Host, body, m)
	}
	for _, f := range m.fields {
		if strings.EqualFold(f.Name, "Host") || strings.EqualFold(f.Name, "Transfer-Encoding") || strings.EqualFold(f.Name, "Trailer") {
			continue // net/http keeps them elsewhere
		}
		if got := req.Header.Values(f.Name); !slices.Equal(got, m.values(f.Name)) {
			return fmt.Errorf("net/http reads %s: %q, the strict reader %q", f.Name, got, m.values(f.Name))
		}
	}
	for name := range req.Header {
		if m.values(name) == nil {
			return fmt.Errorf("only net/http reads %s", name)
		}
	}
	return nil
}
