package hangup

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Watcher watches connections. It is safe for concurrent use.
type Watcher struct {
	epoll *os.File // non-blocking, so that waiting for it takes no thread
	raw   syscall.RawConn
	ended chan struct{}

	mu      sync.Mutex // guards what is below
	next    uint64
	watches map[uint64]*watch
}

// watch is one connection's. The kernel holds its key, not its descriptor: a late event
// for a descriptor that has another owner by now finds no watch, and does no harm.
type watch struct {
	key    uint64
	conn   syscall.RawConn
	mode   Mode
	onGone func()
}

// New starts a Watcher. Close ends it.
func New() (*Watcher, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("watch for hangups: epoll_create1: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(fmt.Errorf("watch for hangups: %w", err), unix.Close(fd))
	}
	f := os.NewFile(uintptr(fd), "epoll")
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("watch for hangups: %w", err), f.Close())
	}
	w := &Watcher{epoll: f, raw: raw, ended: make(chan struct{}), watches: map[uint64]*watch{}}
	go w.run()
	return w, nil
}

// Close ends the Watcher's goroutine and waits for it. No callback runs after it.
func (w *Watcher) Close() error {
	err := w.epoll.Close()
	<-w.ended
	return err
}

// Watch has onGone called once if conn's peer goes away before stop. onGone runs on the
// goroutine that all connections share, so it must not block. It may still be running
// when stop returns, but does not start after that.
//
// stop is to be called once, by the time that the connection is given up; it does no
// harm when the connection is closed already. A connection has one watch at a time. A
// connection that cannot be watched (it is closed, or not a socket) is not.
func (w *Watcher) Watch(conn syscall.Conn, mode Mode, onGone func()) (stop func()) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return func() {}
	}
	k := &watch{conn: raw, mode: mode, onGone: onGone}
	w.mu.Lock()
	w.next++
	k.key = w.next
	w.watches[k.key] = k
	w.mu.Unlock()
	if w.control(k, unix.EPOLL_CTL_ADD, unix.EPOLLRDHUP|unix.EPOLLONESHOT) != nil {
		w.take(k.key)
		return func() {}
	}
	return func() { w.stop(k) }
}

func (w *Watcher) stop(k *watch) {
	w.take(k.key)
	// An error means that the descriptor is closed; then the kernel has forgotten it.
	_ = w.control(k, unix.EPOLL_CTL_DEL, 0)
}

// take removes a watch. It returns nil when somebody else did.
func (w *Watcher) take(key uint64) *watch {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.watches[key]
	delete(w.watches, key)
	return k
}

// control changes what the kernel watches. Neither descriptor can be closed meanwhile,
// nor be that of something else: RawConn holds both.
func (w *Watcher) control(k *watch, op int, events uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(uint32(k.key)), Pad: int32(uint32(k.key >> 32))}
	var closed, refused error
	err := w.raw.Control(func(epoll uintptr) {
		closed = k.conn.Control(func(fd uintptr) {
			refused = unix.EpollCtl(int(epoll), op, int(fd), &ev)
		})
	})
	return cmp.Or(err, closed, refused)
}

func (w *Watcher) run() {
	defer close(w.ended)
	events := make([]unix.EpollEvent, 64)
	for {
		n := 0
		err := w.raw.Read(func(fd uintptr) bool {
			for {
				var err error
				n, err = unix.EpollWait(int(fd), events, 0)
				if !errors.Is(err, unix.EINTR) {
					return n != 0 // else there is nothing: sleep until there is
				}
			}
		})
		if err != nil || n < 0 {
			return // closed
		}
		for _, ev := range events[:n] {
			w.handle(uint64(uint32(ev.Fd))|uint64(uint32(ev.Pad))<<32, ev.Events)
		}
	}
}

func (w *Watcher) handle(key uint64, events uint32) {
	if events&(unix.EPOLLHUP|unix.EPOLLERR) == 0 && w.halfClosed(key) {
		return
	}
	if k := w.take(key); k != nil {
		k.onGone()
	}
}

// halfClosed tells whether a watch's peer only stopped sending, and if so waits for the
// rest: HUP and ERR come unasked for. It holds the lock, so that a watch which is
// stopped meanwhile does not overwrite the next one of its connection.
func (w *Watcher) halfClosed(key uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.watches[key]
	if k == nil || k.mode != TCP || !unread(k.conn) {
		return false
	}
	return w.control(k, unix.EPOLL_CTL_MOD, unix.EPOLLONESHOT) == nil
}

// unread tells whether bytes of the peer's have not been read.
func unread(conn syscall.RawConn) bool {
	n := 0
	_ = conn.Control(func(fd uintptr) {
		n, _ = unix.IoctlGetInt(int(fd), unix.TIOCINQ)
	})
	return n > 0
}

// Broken tells whether a connection was reset, or closed in both directions, without
// reading from it.
func Broken(conn syscall.Conn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return true
	}
	broken := true // when it is closed here
	_ = raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd)}}
		_, err := unix.Poll(fds, 0)
		broken = err == nil && fds[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
	})
	return broken
}
