package session

import (
	"sync"
	"time"
)

// distance measures how long a message takes to the controller and back: from a status to
// the message that answers it, once a second. Asks measure something else, as they may wait
// for a slot. It is smoothed as TCP does it (RFC 6298, section 2).
type distance struct {
	mu     sync.Mutex // guards what is below
	number uint64     // of the latest status
	sent   time.Time  // when that was; zero: it is answered
	mean   time.Duration
}

// gain is how much a measurement counts.
const gain = 8 // one in so many

// reset begins a session: another controller may be elsewhere, and does not know the
// numbers of this one.
func (d *distance) reset() {
	d.mu.Lock()
	d.sent, d.mean = time.Time{}, 0
	d.mu.Unlock()
}

// ask returns the number of the status that is sent now.
func (d *distance) ask() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.number++
	d.sent = time.Now()
	return d.number
}

// answered takes in which status a message answers; 0: none. It returns when that one was
// sent, if that is kept.
func (d *distance) answered(number uint64) (sent time.Time, ok bool) {
	if number == 0 {
		return sent, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if number != d.number || d.sent.IsZero() {
		return sent, false // of an earlier one, whose time is not kept
	}
	sent = d.sent
	took := max(time.Since(d.sent), time.Microsecond)
	d.sent = time.Time{}
	if d.mean == 0 {
		d.mean = took
		return sent, true
	}
	d.mean += (took - d.mean) / gain
	return sent, true
}

// roundTrip returns what was measured; 0: nothing yet.
func (d *distance) roundTrip() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mean
}
