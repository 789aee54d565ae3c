package backend

import (
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/fairlead/fairlead/internal/ticket"
)

// logGap is the least time between two lines on the same subject.
const logGap = time.Second

// seldom logs a line at most each logGap, and says how many it left out. Its zero value
// is ready. Safe for concurrent use.
type seldom struct {
	mu   sync.Mutex // guards what is below
	last time.Time
	left int
}

func (s *seldom) warn(log *slog.Logger, now time.Time, text string, args ...any) {
	s.mu.Lock()
	if !s.last.IsZero() && now.Sub(s.last) < logGap {
		s.left++
		s.mu.Unlock()
		return
	}
	left := s.left
	s.last, s.left = now, 0
	s.mu.Unlock()
	if left > 0 {
		args = append(args, "left_out", left)
	}
	log.Warn(text, args...)
}

// refusals count who was not let in, by reason. Safe for concurrent use.
type refusals struct {
	seldom
	mu sync.Mutex // guards by
	by map[string]uint64
}

// Refused returns how many requests and connections Guard and GuardListener have turned
// away, by reason: "missing", "malformed", "algorithm", "unknown_key", "signature",
// "expired", "pool", "backend", "epoch", "replayed" or "full". The map is the caller's.
func (r *Reporter) Refused() map[string]uint64 {
	r.refused.mu.Lock()
	defer r.refused.mu.Unlock()
	clone := make(map[string]uint64, len(r.refused.by))
	maps.Copy(clone, r.refused.by)
	return clone
}

// refuse counts and logs, and returns the reason. It never logs a ticket.
func (r *Reporter) refuse(peer string, err error) ticket.Reason {
	reason := ticket.Malformed
	var known *ticket.Error
	if errors.As(err, &known) {
		reason = known.Reason
	}
	r.refused.mu.Lock()
	if r.refused.by == nil {
		r.refused.by = map[string]uint64{}
	}
	r.refused.by[string(reason)]++
	r.refused.mu.Unlock()
	r.refused.warn(r.cfg.Logger, time.Now(), "refused a client without a good ticket",
		"peer", peer, "reason", string(reason), "error", err)
	return reason
}
