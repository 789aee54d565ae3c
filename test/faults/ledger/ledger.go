//go:build unix

// Package ledger is what a backend under test and its test share: a file mapped into
// memory, in which the backend counts, and in which the test says how it is to behave.
// So the counts outlast the backend's death, can be read while it is frozen or cut off,
// and need no network.
package ledger

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Mode is how a backend behaves.
type Mode int64

// The modes. Those with Work leave the health check's path alone.
const (
	Well        Mode = iota // answers when the work is done
	Silent                  // takes requests and never answers, checks of health neither
	SilentWork              // answers checks of health alone
	Garbage                 // answers what is no HTTP, to checks too
	GarbageWork             // answers checks of health properly
	FailsWork               // answers 500 at once, and checks properly
	RefusesWork             // answers 503 at once, and checks properly
)

// Ledger is one backend's. All of it is atomic, across processes too.
type Ledger struct {
	Mode     atomic.Int64 // a Mode
	InFlight atomic.Int64 // now; 0 after a start
	Most     atomic.Int64 // at once, ever
	Begun    atomic.Int64 // requests, ever; checks of health do not count
	Ended    atomic.Int64 // of these, that ran to their end
	Wrong    atomic.Int64 // of these, answered wrongly, as the mode says
	Starts   atomic.Int64 // of the backend's process
}

const size = int(unsafe.Sizeof(Ledger{}))

// Open maps the file, which is made where there is none. The ledger stays for as long as
// the process does.
func Open(path string) (*Ledger, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	defer f.Close()
	if err := f.Truncate(int64(size)); err != nil {
		return nil, fmt.Errorf("making room in the ledger: %w", err)
	}
	b, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping the ledger %s: %w", path, err)
	}
	return (*Ledger)(unsafe.Pointer(&b[0])), nil
}

// Born counts a start of the backend's process, which has nothing in flight yet.
func (l *Ledger) Born() {
	l.InFlight.Store(0)
	l.Starts.Add(1)
}

// Enter counts a request in, and returns what counts it out.
func (l *Ledger) Enter() (leave func()) {
	l.Begun.Add(1)
	n := l.InFlight.Add(1)
	for {
		most := l.Most.Load()
		if n <= most || l.Most.CompareAndSwap(most, n) {
			break
		}
	}
	return func() {
		l.InFlight.Add(-1)
		l.Ended.Add(1)
	}
}
