//go:build unix

package testproc

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

const logLimit = 2 << 20 // bytes; then the older half goes

// logs collects a process's output.
type logs struct {
	mu      sync.Mutex // guards what is below
	text    []byte
	changed chan struct{} // closed at the next write
	closed  bool
}

func newLogs() *logs { return &logs{changed: make(chan struct{})} }

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.text)+len(b) > logLimit {
		l.text = append([]byte("...\n"), l.text[len(l.text)/2:]...)
	}
	l.text = append(l.text, b...)
	close(l.changed)
	l.changed = make(chan struct{})
	return len(b), nil
}

func (l *logs) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// tail returns the last n bytes, from the start of a line.
func (l *logs) tail(n int) string {
	s := l.String()
	if len(s) <= n {
		return s
	}
	s = s[len(s)-n:]
	if _, after, ok := strings.Cut(s, "\n"); ok {
		s = after
	}
	return "...\n" + s
}

// line returns the first whole line with the words, and what tells of more output; nil
// when there will be none.
func (l *logs) line(words string) (string, bool, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(l.text) {
		whole := l.closed || bytes.HasSuffix(line, []byte("\n"))
		if whole && bytes.Contains(line, []byte(words)) {
			return strings.TrimRight(string(line), "\r\n"), true, nil
		}
	}
	if l.closed {
		return "", false, nil
	}
	return "", false, l.changed
}

// AwaitLog waits until the process has written a line that contains the words, and
// returns the first such line. It fails the test when that does not come in time or can
// no longer come.
func (p *Process) AwaitLog(t testing.TB, within time.Duration, words string) string {
	t.Helper()
	limit := time.NewTimer(within)
	defer limit.Stop()
	for {
		line, found, changed := p.logs.line(words)
		if found {
			return line
		}
		if changed == nil {
			t.Fatalf("%s ended without writing %q", p.name, words)
		}
		select {
		case <-changed:
		case <-limit.C:
			t.Fatalf("%s has not written %q within %v", p.name, words, within)
		}
	}
}
