package hangup

import (
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newWatcher(t testing.TB) *Watcher {
	t.Helper()
	w, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// pair returns the two ends of a loopback connection.
func pair(t testing.TB) (client, server *net.TCPConn) {
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

// await fails the test when nothing comes. The time is for a stuck machine only.
func await(t testing.TB, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		t.Fatalf("waited in vain: %s", what)
	}
}

// settled returns when the watcher has handled every event so far: a watch that was
// made later has fired.
func settled(t testing.TB, w *Watcher) {
	t.Helper()
	c, s := pair(t)
	fired := make(chan struct{})
	defer w.Watch(s, HTTP, func() { close(fired) })()
	c.Close()
	await(t, "the marker", fired)
}

// gone has a peer act, and tells whether the watch saw it as gone.
func gone(t *testing.T, mode Mode, act func(client *net.TCPConn)) (<-chan struct{}, *Watcher, *net.TCPConn) {
	w := newWatcher(t)
	c, s := pair(t)
	fired := make(chan struct{})
	t.Cleanup(w.Watch(s, mode, func() { close(fired) }))
	act(c)
	return fired, w, c
}

func write(t *testing.T, c *net.TCPConn) {
	t.Helper()
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
}

func TestGone(t *testing.T) {
	reset := func(c *net.TCPConn) { c.SetLinger(0); c.Close() }
	for _, k := range []struct {
		name string
		mode Mode
		act  func(c *net.TCPConn)
	}{
		{"HTTP, closed", HTTP, func(c *net.TCPConn) { c.Close() }},
		{"HTTP, half-closed", HTTP, func(c *net.TCPConn) { c.CloseWrite() }},
		{"HTTP, half-closed after bytes", HTTP, func(c *net.TCPConn) { write(t, c); c.CloseWrite() }},
		{"HTTP, reset", HTTP, reset},
		{"TCP, closed", TCP, func(c *net.TCPConn) { c.Close() }},
		{"TCP, half-closed", TCP, func(c *net.TCPConn) { c.CloseWrite() }},
		{"TCP, reset", TCP, reset},
		{"TCP, reset after bytes", TCP, func(c *net.TCPConn) { write(t, c); reset(c) }},
	} {
		t.Run(k.name, func(t *testing.T) {
			fired, _, _ := gone(t, k.mode, k.act)
			await(t, "gone", fired)
		})
	}
}

func TestBytesAreNotGone(t *testing.T) {
	fired, w, c := gone(t, HTTP, func(c *net.TCPConn) { write(t, c) })
	settled(t, w)
	select {
	case <-fired:
		t.Fatal("bytes count as gone")
	default:
	}
	c.Close()
	await(t, "gone after bytes", fired)
}

func TestHalfCloseWithBytesIsNotGone(t *testing.T) {
	fired, w, c := gone(t, TCP, func(c *net.TCPConn) { write(t, c); c.CloseWrite() })
	settled(t, w)
	select {
	case <-fired:
		t.Fatal("a half-close with bytes unread counts as gone")
	default:
	}
	c.SetLinger(0)
	c.Close()
	await(t, "reset after the half-close", fired)
}

func TestGoneBeforeWatch(t *testing.T) {
	w := newWatcher(t)
	c, s := pair(t)
	c.Close()
	one := make([]byte, 1)
	if _, err := s.Read(one); err == nil {
		t.Fatal("read a byte")
	}
	fired := make(chan struct{})
	defer w.Watch(s, HTTP, func() { close(fired) })()
	await(t, "gone", fired)
}

func TestStop(t *testing.T) {
	w := newWatcher(t)
	c, s := pair(t)
	stop := w.Watch(s, HTTP, func() { t.Error("fired after stop") })
	stop()
	stop() // does no harm
	c.Close()
	settled(t, w)
	if n := len(w.watches); n != 0 {
		t.Errorf("%d watches left", n)
	}
}

func TestWatchAgain(t *testing.T) {
	w := newWatcher(t)
	c, s := pair(t)
	for range 3 {
		w.Watch(s, HTTP, func() { t.Error("fired after stop") })()
	}
	fired := make(chan struct{})
	defer w.Watch(s, TCP, func() { close(fired) })()
	c.Close()
	await(t, "gone", fired)
}

func TestStopAfterClose(t *testing.T) {
	w := newWatcher(t)
	_, s := pair(t)
	stop := w.Watch(s, HTTP, func() { t.Error("fired for a connection closed here") })
	s.Close()
	_, other := pair(t) // likely has the same descriptor
	otherStop := w.Watch(other, HTTP, func() { t.Error("fired for another connection") })
	stop()
	settled(t, w)
	otherStop()
	if stop := w.Watch(s, HTTP, func() {}); len(w.watches) != 0 {
		t.Error("a closed connection is watched")
	} else {
		stop()
	}
}

func TestMany(t *testing.T) {
	const n = 500
	w := newWatcher(t)
	var fired, stopped sync.WaitGroup
	var clients []*net.TCPConn
	for i := range n {
		c, s := pair(t)
		clients = append(clients, c)
		if i%2 == 0 {
			fired.Add(1)
			t.Cleanup(w.Watch(s, Mode(i/2%2), fired.Done))
			continue
		}
		stop := w.Watch(s, HTTP, func() {}) // races with the client's end
		stopped.Go(func() { stop(); s.Close() })
	}
	for _, c := range clients {
		stopped.Go(func() { c.Close() })
	}
	all := make(chan struct{})
	go func() { fired.Wait(); stopped.Wait(); close(all) }()
	await(t, "all", all)
}

func TestBroken(t *testing.T) {
	w := newWatcher(t)
	c, s := pair(t)
	if Broken(s) || Broken(c) {
		t.Error("a fresh connection is broken")
	}
	fired := make(chan struct{})
	defer w.Watch(s, TCP, func() { close(fired) })()
	c.SetLinger(0)
	c.Close()
	await(t, "reset", fired)
	if !Broken(s) || !Broken(c) {
		t.Error("a reset connection is not broken")
	}
}

func BenchmarkWatch(b *testing.B) {
	w := newWatcher(b)
	_, s := pair(b)
	b.ReportAllocs()
	for b.Loop() {
		w.Watch(s, HTTP, func() {})()
	}
}
