//go:build !linux

package hangup

import "syscall"

// Watcher would watch connections; on this system it never fires.
type Watcher struct{}

// New returns a Watcher.
func New() (*Watcher, error) { return &Watcher{}, nil }

// Close does nothing.
func (*Watcher) Close() error { return nil }

// Watch does nothing: onGone is never called.
func (*Watcher) Watch(syscall.Conn, Mode, func()) (stop func()) { return func() {} }

// Broken tells whether a connection was reset; on this system nobody knows.
func Broken(syscall.Conn) bool { return false }
