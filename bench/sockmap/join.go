//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// joiner joins two connections until both directions have ended. It says on ready when bytes
// would be moved.
type joiner func(a, b *net.TCPConn, ready chan<- error)

func copied(a, b *net.TCPConn, ready chan<- error) {
	ready <- nil
	both(a, b, func(to, from *net.TCPConn) error {
		_, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 64<<10))
		return err
	})
}

func spliced(a, b *net.TCPConn, ready chan<- error) {
	ready <- nil
	both(a, b, func(to, from *net.TCPConn) error {
		_, err := io.Copy(to, from)
		return err
	})
}

// both moves both ways, and passes half-closes and aborts on.
func both(a, b *net.TCPConn, move func(to, from *net.TCPConn) error) {
	one := func(to, from *net.TCPConn) {
		if move(to, from) == nil {
			_ = to.CloseWrite()
			return
		}
		for _, c := range []*net.TCPConn{a, b} {
			_ = c.SetLinger(0)
			_ = c.Close()
		}
	}
	var up sync.WaitGroup
	up.Go(func() { one(b, a) })
	one(a, b)
	up.Wait()
}

// sockmap has each socket's peer by the socket's cookie.
type sockmap struct {
	peers   *ebpf.Map
	verdict *ebpf.Program
}

func newSockmap() (*sockmap, error) {
	peers, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.SockHash, KeySize: 8, ValueSize: 4, MaxEntries: 1024})
	if err != nil {
		return nil, err
	}
	verdict, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.SkSKB, AttachType: ebpf.AttachSkSKBVerdict, License: "GPL",
		Instructions: asm.Instructions{
			asm.Mov.Reg(asm.R6, asm.R1),
			asm.FnGetSocketCookie.Call(),
			asm.StoreMem(asm.RFP, -8, asm.R0, asm.DWord),
			asm.Mov.Reg(asm.R1, asm.R6),
			asm.LoadMapPtr(asm.R2, peers.FD()),
			asm.Mov.Reg(asm.R3, asm.RFP),
			asm.Add.Imm(asm.R3, -8),
			asm.Mov.Imm(asm.R4, 0), // out of the peer
			asm.FnSkRedirectHash.Call(),
			asm.Return(),
		},
	})
	if err != nil {
		return nil, errors.Join(err, peers.Close())
	}
	err = link.RawAttachProgram(link.RawAttachProgramOptions{Target: peers.FD(), Program: verdict, Attach: ebpf.AttachSkSKBVerdict})
	if err != nil {
		return nil, errors.Join(err, verdict.Close(), peers.Close())
	}
	return &sockmap{peers, verdict}, nil
}

func (s *sockmap) close() { _, _ = s.verdict.Close(), s.peers.Close() }

// join leaves the bytes to the kernel. It reads from both, to hear of their ends.
func (s *sockmap) join(a, b *net.TCPConn, ready chan<- error) { s.carry(a, b, ready, false) }

// joinWaiting is join that passes an end on only when the peer has acknowledged as much as had
// been received.
func (s *sockmap) joinWaiting(a, b *net.TCPConn, ready chan<- error) { s.carry(a, b, ready, true) }

func (s *sockmap) carry(a, b *net.TCPConn, ready chan<- error, wait bool) {
	err := errors.Join(s.lead(a, b), s.lead(b, a))
	ready <- err
	if err != nil {
		return
	}
	both(a, b, func(to, from *net.TCPConn) error {
		n, err := io.Copy(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{from})
		if wait && err == nil {
			err = flushed(to, from)
		}
		if n > 0 {
			fmt.Printf("         (%d bytes were not redirected)\n", n)
		}
		return err
	})
}

// lead has what from receives sent out of to.
func (s *sockmap) lead(from, to *net.TCPConn) error {
	cookie, err := cookieOf(from)
	if err != nil {
		return err
	}
	raw, err := to.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = s.peers.Update(cookie, uint32(fd), ebpf.UpdateAny) })
	return errors.Join(err, failed)
}

// flushed waits until as much was acknowledged on one connection as was received on another,
// give or take the SYN and the FIN, which count as bytes.
func flushed(to, from *net.TCPConn) error {
	for limit := time.Now().Add(patience); time.Now().Before(limit); time.Sleep(time.Millisecond) {
		in, err1 := info(from)
		out, err2 := info(to)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if out.Bytes_acked+2 >= in.Bytes_received {
			return nil
		}
	}
	return errors.New("what was received is not sent on")
}

func info(c *net.TCPConn) (i *unix.TCPInfo, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { i, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
	return i, errors.Join(err, failed)
}

func cookieOf(c *net.TCPConn) (cookie uint64, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { cookie, failed = unix.GetsockoptUint64(int(fd), unix.SOL_SOCKET, unix.SO_COOKIE) })
	return cookie, errors.Join(err, failed)
}
