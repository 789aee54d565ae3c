package idle

import (
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestIdleness(t *testing.T) {
	var i idleness
	at := time.Unix(1000, 0)
	for _, c := range []struct {
		after time.Duration
		moved uint64
		want  time.Duration
	}{
		{0, 0, 0}, {10, 0, 10}, {20, 5, 0}, {25, 5, 5}, {90, 5, 70}, {91, 6, 0}, {92, 6, 1},
	} {
		if got := i.look(at.Add(c.after), c.moved); got != c.want {
			t.Errorf("after %d with %d bytes moved: idle for %d, want %d", c.after, c.moved, got, c.want)
		}
	}
}

// pair returns the two ends of a loopback connection.
func pair(t *testing.T) (one, other net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if one, err = net.Dial("tcp", l.Addr().String()); err == nil {
		other, err = l.Accept()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { one.Close(); other.Close() })
	return one, other
}

// TestMoved: bytes of both directions count, and no byte counts twice for long.
func TestMoved(t *testing.T) {
	client, near := pair(t)
	far, backend := pair(t)
	l := NewLink(near, far)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = l.Copy(far, near)
	}()
	say := func() {
		t.Helper()
		b := make([]byte, 5)
		if _, err := client.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(backend, b); err != nil || string(b) != "hello" {
			t.Fatalf("read %q, %v", b, err)
		}
	}
	say()
	before, err := l.moved()
	if err != nil || before < 5 {
		t.Fatalf("%d bytes have moved, %v", before, err)
	}
	say()
	if after, err := l.moved(); err != nil || after < before+5 {
		t.Errorf("%d bytes have moved, then %d, %v", before, after, err)
	}
	client.Close()
	<-ended
	near.Close()
	l.Watch(time.Hour, func() { t.Error("it expired") })()
}

// TestWatch: a link on which nothing moves expires, once.
func TestWatch(t *testing.T) {
	one, other := pair(t)
	expired := make(chan struct{}, 10)
	stop := NewLink(one, other).Watch(time.Millisecond, func() { expired <- struct{}{} })
	<-expired
	stop()
	if len(expired) > 0 {
		t.Error("it expired again")
	}
	NewLink(one, other).Watch(0, func() { t.Error("it expired without a limit") })()
}
