//go:build unix

package testproc

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// FixedAddresses gives the test addresses that it cannot choose, such as those of a
// README. Tests of other packages that call it too wait until this one has ended. The
// test is skipped when somebody else has one of them.
func FixedAddresses(t testing.TB, addresses ...string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(os.TempDir(), "fairlead-test-addresses.lock"), os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	if err := lock(f); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // unlocks
	for _, a := range addresses {
		ln, err := net.Listen("tcp", a)
		if err != nil {
			t.Skipf("%s is needed and not free: %v", a, err)
		}
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// lock waits for a lock on f. It ends with the file, and with the process.
func lock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
