package main

import (
	"sync"
	"time"
)

// sleepers sleep more exactly than time.Sleep, which wakes up to a millisecond late in
// an idle Go program: a twentieth of a request's work, in which a slot would look taken.
// The zero value is ready, and safe for concurrent use.
type sleepers struct {
	mu   sync.Mutex // guards what is below
	idle []*alarm
}

// until returns when the time has come.
func (s *sleepers) until(t time.Time) {
	if time.Until(t) <= 0 {
		return
	}
	a := s.take()
	if a == nil || !a.sleep(time.Until(t)) {
		time.Sleep(time.Until(t))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a != nil {
		s.idle = append(s.idle, a)
	}
}

// take returns an alarm that nobody uses; nil if the system has none to give.
func (s *sleepers) take() *alarm {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.idle); n > 0 {
		a := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return a
	}
	return newAlarm()
}

// close frees the alarms. Nobody may sleep meanwhile, or later.
func (s *sleepers) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.idle {
		a.close()
	}
	s.idle = nil
}
