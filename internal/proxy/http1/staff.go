package http1

import "sync"

// staff are goroutines that have served a stream and wait for another. It is safe for
// concurrent use.
type staff struct {
	mu   sync.Mutex // guards what is below
	idle []*conn    // who was busy last is at the end
	low  int        // how many were idle all the time since the last trim
	over bool
}

// take returns one that waits; nil: none does.
func (s *staff) take() *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.idle)
	if n == 0 {
		return nil
	}
	c := s.idle[n-1]
	s.idle[n-1] = nil
	s.idle = s.idle[:n-1]
	s.low = min(s.low, n-1)
	return c
}

// give has one wait. False: it is not to.
func (s *staff) give(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	s.idle = append(s.idle, c)
	return true
}

// trim dismisses some of those that nobody needed since the last time.
func (s *staff) trim() {
	const part = 8
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dismiss((s.low + part - 1) / part)
}

// close dismisses all of them, and those that are busy when they are done.
func (s *staff) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.dismiss(len(s.idle))
}

// dismiss lets the n go that have waited longest. The caller holds mu.
func (s *staff) dismiss(n int) {
	for _, c := range s.idle[:n] {
		close(c.next)
	}
	left := copy(s.idle, s.idle[n:])
	clear(s.idle[left:])
	s.idle = s.idle[:left]
	s.low = left
}
