package main

import (
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tether has a process die with this one, even when this one is killed.
func tether(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// alarm is a timer of the kernel's that Go's poller waits for as for a socket: it wakes
// within some ten microseconds.
type alarm struct {
	file *os.File
	fd   int // file.Fd would make reads block a thread
}

func newAlarm() *alarm {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil
	}
	return &alarm{os.NewFile(uintptr(fd), "timer"), fd}
}

// sleep sleeps for d, and returns false when it could not.
func (a *alarm) sleep(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if err := unix.TimerfdSettime(a.fd, 0, &at, nil); err != nil {
		return false
	}
	var fired [8]byte
	_, err := a.file.Read(fired[:])
	return err == nil
}

func (a *alarm) close() { _ = a.file.Close() }
