package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
)

// arrival is what a backend saw of a connection before its first byte.
type arrival struct {
	ticket   string
	from, to string
	err      error
}

// backend accepts connections, reads their PROXY headers, and answers with one line for
// each connection: what else it got.
func backend(t *testing.T) (address string, arrivals <-chan arrival) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan arrival, 16)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer func() { _ = conn.Close() }()
				in := bufio.NewReader(conn)
				seen <- readArrival(in)
				line, _ := in.ReadString('\n')
				_, _ = io.WriteString(conn, "got "+line)
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); serving.Wait() })
	return ln.Addr().String(), seen
}

func readArrival(in *bufio.Reader) arrival {
	header, err := proxyproto.Read(in)
	if err != nil {
		return arrival{err: err}
	}
	a := arrival{from: header.SourceAddr.String(), to: header.DestinationAddr.String()}
	tlvs, err := header.TLVs()
	for _, tlv := range tlvs {
		if tlv.Type == 0xE4 {
			a.ticket = string(tlv.Value)
		}
	}
	if err == nil && (header.Version != 2 || !header.Command.IsProxy() || len(tlvs) != 1) {
		err = fmt.Errorf("version %d, command %v, %d TLVs", header.Version, header.Command, len(tlvs))
	}
	a.err = err
	return a
}

// talk sends a line on a connection, and checks that it is answered.
func talk(t *testing.T, conn net.Conn) {
	t.Helper()
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "hello\n"); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(conn); err != nil || string(got) != "got hello\n" {
		t.Errorf("the backend says %q, %v", got, err)
	}
}

// gives answers POST /v1/grant with a grant of one of several backends, in turn.
func gives(t *testing.T, grants *atomic.Int32, public ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/v1/grant" || r.ContentLength != 0 {
			t.Errorf("asked %s %s with %d bytes", r.Method, r.URL, r.ContentLength)
		}
		n := grants.Add(1)
		fmt.Fprintf(w, `{"backend":"10.0.0.9:5432","public":%q,"grant":"1.%d","ticket":"T%d","expiresMs":3600000}`,
			public[min(int(n), len(public))-1], n, n)
	}
}

func TestADirectConnectionBeginsWithItsTicket(t *testing.T) {
	address, arrivals := backend(t)
	var grants atomic.Int32
	proxy, _ := server(t, gives(t, &grants, closedAddress(t), address)) // the first cannot be reached
	l := newLocator(t, TCP, closedAddress(t), proxy)
	l.link = Direct
	c, _ := newClient(t, Config{}, l)
	conn, err := c.Dialer("db")(t.Context(), "tcp", "whatever:1")
	if err != nil {
		t.Fatal(err)
	}
	want := arrival{ticket: "T2", from: conn.LocalAddr().String(), to: conn.RemoteAddr().String()}
	if got := await(t, "arrival", arrivals); got != want {
		t.Errorf("the backend saw %+v, want %+v", got, want)
	}
	talk(t, conn)
	if l.questions() != `["" "p1"]` {
		t.Errorf("questions %s", l.questions())
	}
}

func TestADirectBackendIsAskedForAnewOnce(t *testing.T) {
	var grants atomic.Int32
	proxy, _ := server(t, gives(t, &grants, closedAddress(t)))
	l := newLocator(t, TCP, proxy)
	l.link = Direct
	c, _ := newClient(t, Config{}, l)
	_, err := c.DialContext(t.Context(), "db")
	wantError(t, err, `client: listener "db": backend 127.0.0.1:`, `which grant "1.2" of proxy p1 names: `, "connection refused")
	if grants.Load() != 2 {
		t.Errorf("%d grants", grants.Load())
	}
}

func TestAProxiedConnectionIsThePlainOne(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	l := newLocator(t, TCP, closedAddress(t), ln.Addr().String())
	c, _ := newClient(t, Config{}, l)
	ctx, cancel := context.WithCancel(t.Context())
	conn, err := c.DialContext(ctx, "db")
	if err != nil {
		t.Fatal(err)
	}
	cancel() // of no concern to the connection
	if _, err := io.WriteString(conn, "x"); err != nil {
		t.Error(err)
	}
	_ = conn.Close()
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = accepted.Close() }()
	if got, err := io.ReadAll(accepted); err != nil || string(got) != "x" {
		t.Errorf("the proxy got %q, %v", got, err)
	}
	if l.questions() != `["" "p1"]` {
		t.Errorf("questions %s", l.questions())
	}
}

func TestNoProxyIsLeftToDial(t *testing.T) {
	c, _ := newClient(t, Config{}, newLocator(t, TCP, closedAddress(t), closedAddress(t)))
	_, err := c.DialContext(t.Context(), "db")
	wantError(t, err, `client: listener "db": proxy p2 (127.0.0.1:`, "connection refused", "and no other proxy", "answers 503")
	if _, err := c.DialContext(t.Context(), ""); err == nil {
		t.Error("a listener without a name was dialled")
	}
}

func TestAGrantThatIsRefused(t *testing.T) {
	proxy, _ := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(reasonField, "queue_full")
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"error":"the pool's queue is full"}`)
	})
	l := newLocator(t, TCP, proxy)
	l.link = Direct
	c, _ := newClient(t, Config{}, l)
	_, err := c.DialContext(t.Context(), "db")
	var no *RefusedError
	if !errors.As(err, &no) {
		t.Fatalf("got %v, want a RefusedError", err)
	}
	want := RefusedError{By: no.By, Status: 429, Reason: "queue_full", Message: "the pool's queue is full", RetryAfter: 3 * time.Second}
	if *no != want || len(c.listeners["db"].failed) != 0 {
		t.Errorf("got %+v, want %+v and no failure of the proxy", *no, want)
	}
	wantError(t, err, "answers 429 Too Many Requests (queue_full): the pool's queue is full; ask again after 3s")
}

func TestWhatAGrantMayNotSay(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`nonsense`, "is no JSON of a grant"},
		{`{"public":"h","ticket":"T","expiresMs":1}`, `public address "h" that is no host:port`},
		{`{"public":":1","ticket":"T","expiresMs":1}`, "no host that can be connected to"},
		{`{"public":"h:1","expiresMs":1}`, "a ticket that is empty"},
		{`{"public":"h:1","ticket":"` + strings.Repeat("T", maxTicket+1) + `","expiresMs":1}`, "at most 2048"},
		{`{"public":"h:1","ticket":"T\n","expiresMs":1}`, "characters that no ticket has"},
		{`{"public":"h:1","ticket":"T"}`, "expiresMs 0"},
		{`{"public":"h:1","ticket":"T","expiresMs":1,"grant":"` + strings.Repeat("1", maxName+1) + `"}`, "grant number of 257 bytes"},
		{strings.Repeat(" ", maxAnswer+1), "is longer than"},
	} {
		proxy, _ := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.body) })
		l := newLocator(t, TCP, proxy)
		l.link = Direct
		client, _ := newClient(t, Config{}, l)
		_, err := client.DialContext(t.Context(), "db")
		wantError(t, err, `client: listener "db": proxy p1 (127.0.0.1:`, "its answer ", c.want)
	}
}

func TestAGrantFromAnotherProxy(t *testing.T) {
	address, arrivals := backend(t)
	var grants atomic.Int32
	first, _ := server(t, hangUp)
	second, _ := server(t, gives(t, &grants, address))
	l := newLocator(t, TCP, first, second)
	l.link = Direct
	c, _ := newClient(t, Config{}, l)
	conn, err := c.DialContext(t.Context(), "db")
	if err != nil {
		t.Fatal(err)
	}
	if got := await(t, "arrival", arrivals); got.err != nil || got.ticket != "T1" {
		t.Errorf("the backend saw %+v", got)
	}
	talk(t, conn)
}

func TestWhoLeavesWhileAGrantIsMade(t *testing.T) {
	entered := make(chan struct{})
	proxy, _ := server(t, func(_ http.ResponseWriter, r *http.Request) { close(entered); <-r.Context().Done() })
	l := newLocator(t, TCP, proxy)
	l.link = Direct
	c, _ := newClient(t, Config{}, l)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { _, err := c.DialContext(ctx, "db"); ended <- err }()
	await(t, "question", entered)
	cancel()
	if err := await(t, "end", ended); !errors.Is(err, context.Canceled) || len(c.listeners["db"].failed) != 0 {
		t.Errorf("got %v, and failed are %v", err, c.listeners["db"].failed)
	}
	if _, err := c.DialContext(ctx, "db"); !errors.Is(err, context.Canceled) {
		t.Errorf("who has left got %v", err)
	}
}

func TestShowGivesUpWithItsContext(t *testing.T) {
	here, there := net.Pipe() // nobody reads
	defer func() { _ = there.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := show(ctx, here, "T"); err == nil {
		t.Error("nobody reads, and show does not mind")
	}
	_ = here.Close()
}
