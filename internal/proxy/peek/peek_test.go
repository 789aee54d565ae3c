//go:build unix

package peek

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const long = time.Minute // which no test waits for

// pair returns the two ends of a loopback connection.
func pair(t *testing.T) (client, server *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

func atLeast(n int) func([]byte) bool { return func(b []byte) bool { return len(b) >= n } }

func send(t *testing.T, c net.Conn, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
}

// TestUntil: bytes that come in drops are waited for, are all seen, and stay.
func TestUntil(t *testing.T) {
	c, s := pair(t)
	all := bytes.Repeat([]byte("0123456789abcdef"), 600) // more than is looked at first
	seen := make(chan int, len(all))
	var got []byte
	done := make(chan error, 1)
	go func() {
		b, err := Until(t.Context(), s, long, 16<<10, func(b []byte) bool {
			seen <- len(b)
			return len(b) >= len(all)
		})
		got = b
		done <- err
	}()
	send(t, c, all[:1])
	<-seen
	send(t, c, all[1:])
	if err := <-done; err != nil || !bytes.Equal(got, all) {
		t.Errorf("saw %d bytes, %v; want %d", len(got), err, len(all))
	}
	c.CloseWrite()
	if left, err := io.ReadAll(s); err != nil || !bytes.Equal(left, all) {
		t.Errorf("%d bytes are left, %v; want all", len(left), err)
	}
}

func TestEnds(t *testing.T) {
	c, s := pair(t)
	send(t, c, []byte("hello"))
	if b, err := Until(t.Context(), s, long, 5, atLeast(6)); err != ErrTooLong || string(b) != "hello" {
		t.Errorf("of too many bytes: %q, %v", b, err)
	}
	if b, err := Until(t.Context(), s, time.Millisecond, 100, atLeast(6)); !TimedOut(err) || string(b) != "hello" {
		t.Errorf("of too few bytes: %q, %v", b, err)
	}
	c, s = pair(t)
	c.CloseWrite()
	if b, err := Until(t.Context(), s, long, 100, atLeast(1)); err != ErrEnded || len(b) > 0 {
		t.Errorf("of none: %q, %v", b, err)
	}
	_, s = pair(t)
	s.Close()
	if _, err := Until(t.Context(), s, long, 100, atLeast(1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("of a closed one: %v", err)
	}
}

func TestContextEnds(t *testing.T) {
	c, s := pair(t)
	send(t, c, []byte("x"))
	errOver := errors.New("over")
	ctx, cancel := context.WithCancelCause(t.Context())
	b, err := Until(ctx, s, long, 100, func([]byte) bool { cancel(errOver); return false })
	if err != errOver || string(b) != "x" || TimedOut(err) {
		t.Errorf("%q, %v; want the context's cause", b, err)
	}
}
