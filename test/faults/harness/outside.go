//go:build unix

package harness

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// Outside runs what is written for a test outside of one, in a program that measures. It
// returns why it was skipped, or what went wrong.
func Outside(body func(testing.TB)) (skipped string, err error) {
	o := &outside{}
	defer func() {
		if r := recover(); r != nil && r != (over{}) {
			panic(r)
		}
		o.end()
		skipped, err = o.skipped, errors.Join(o.wrong...)
	}()
	body(o)
	return "", nil
}

// over is what ends a body early.
type over struct{}

// outside is as much of a test as the harness and testproc use. One goroutine uses it.
type outside struct {
	testing.TB // nil: what is not written here is not used
	cleanups   []func()
	wrong      []error
	skipped    string
}

func (o *outside) Helper()             {}
func (o *outside) Failed() bool        { return len(o.wrong) > 0 }
func (o *outside) Cleanup(f func())    { o.cleanups = append(o.cleanups, f) }
func (o *outside) Logf(string, ...any) {}

func (o *outside) Errorf(format string, args ...any) {
	o.wrong = append(o.wrong, fmt.Errorf(format, args...))
}

func (o *outside) Fatalf(format string, args ...any) {
	o.Errorf(format, args...)
	panic(over{})
}

func (o *outside) Fatal(args ...any) { o.Fatalf("%s", fmt.Sprint(args...)) }

func (o *outside) Skipf(format string, args ...any) {
	o.skipped = fmt.Sprintf(format, args...)
	panic(over{})
}

func (o *outside) Skip(args ...any) { o.Skipf("%s", fmt.Sprint(args...)) }

func (o *outside) TempDir() string {
	dir, err := os.MkdirTemp("", "fairlead-faults-")
	if err != nil {
		o.Fatal(err)
	}
	o.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			o.Errorf("%w", err)
		}
	})
	return dir
}

// end runs the clean-ups, the last one first, and those that they add.
func (o *outside) end() {
	for n := len(o.cleanups); n > 0; n = len(o.cleanups) {
		last := o.cleanups[n-1]
		o.cleanups = o.cleanups[:n-1]
		func() {
			defer func() {
				if r := recover(); r != nil && r != (over{}) {
					panic(r)
				}
			}()
			last()
		}()
	}
}
