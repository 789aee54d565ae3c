// Package idle ends links on which nothing moves.
package idle

import (
	"sync"
	"time"
)

// looks is how often a link is looked at within its idle timeout, so that it ends no later
// than a quarter after that.
const looks = 4

// idleness is how long nothing has moved on a link, as seen by looking now and then.
type idleness struct {
	moved uint64
	since time.Time // when moved was first seen
}

// look takes in how much has moved by now, and returns for how long nothing has.
func (i *idleness) look(now time.Time, moved uint64) time.Duration {
	if moved != i.moved || i.since.IsZero() {
		i.moved, i.since = moved, now
	}
	return now.Sub(i.since)
}

// Watch calls expired once, when nothing has moved for limit, or up to a quarter longer; 0 or
// less: never. It takes no goroutine of its own while it waits. stop ends it, and waits for a
// call that runs.
func (l *Link) Watch(limit time.Duration, expired func()) (stop func()) {
	if limit <= 0 {
		return func() {}
	}
	w := &watch{link: l, limit: limit, expired: expired}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look()
	return w.stop
}

type watch struct {
	link    *Link
	limit   time.Duration
	expired func()

	mu    sync.Mutex // guards what is below
	seen  idleness
	timer *time.Timer
	over  bool
}

// look ends the link, or comes back. The caller holds mu.
func (w *watch) look() {
	moved, err := w.link.moved()
	switch {
	case err != nil: // it is closed, and whoever moves its bytes knows
	case w.seen.look(time.Now(), moved) >= w.limit:
		w.expired()
	default:
		w.timer = time.AfterFunc(w.limit/looks, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			if !w.over {
				w.look()
			}
		})
	}
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.timer != nil {
		w.timer.Stop()
	}
}
