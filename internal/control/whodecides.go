package control

import (
	"math"
	"time"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

// Who decides, where the config leaves it open. In our simulation the controller's choice
// is the better one while the mean service time is at least five round trips: what is
// shorter waits longer for the word than it gains by it. Between the two bounds nothing
// changes, because at five both are as good.
const (
	toProxies    = 4.0 // below so many round trips, proxies decide
	toController = 6.0 // above so many, the controller
	// restBetween is the least time from one change to the next. Requests of before a
	// change are still under way for a while, and say nothing of what it brought.
	restBetween = 5 * time.Second
	// memory is for how long what was measured counts; what is older counts for 1/e.
	memory = 10 * time.Second
	// enough is how many requests of late have to be known for a change.
	enough = 20.0
)

// chooser says who decides for a pool, from the durations that pass through. It is not
// safe for concurrent use, and knows no clock.
type chooser struct {
	decide    config.Decide
	byProxies bool
	changed   fleet.Time // 0: never
	service   fading
	trip      fading
}

func newChooser(decide config.Decide) chooser {
	return chooser{decide: decide, byProxies: decide == config.DecideProxy}
}

// served notes n requests that took so long together.
func (c *chooser) served(now fleet.Time, n uint64, took time.Duration) {
	if n > 0 && took > 0 {
		c.service.add(now, float64(n), took.Seconds())
	}
}

// tripped notes how long a message to a proxy and back takes.
func (c *chooser) tripped(now fleet.Time, took time.Duration) {
	if took > 0 {
		c.trip.add(now, 1, took.Seconds())
	}
}

// adopt takes note, before anyone was told, that proxies decide: an earlier controller had
// its reasons.
func (c *chooser) adopt() {
	if c.decide == config.DecideAuto {
		c.byProxies = true
	}
}

// think decides anew who decides, and tells whether that has changed.
func (c *chooser) think(now fleet.Time) bool {
	if c.decide != config.DecideAuto || c.changed != 0 && now.Sub(c.changed) < restBetween {
		return false
	}
	c.service.fade(now)
	c.trip.fade(now)
	if c.service.n < enough || c.trip.n == 0 {
		return false
	}
	trips := c.service.mean() / c.trip.mean()
	if by := c.byProxies && trips <= toController || trips < toProxies; by != c.byProxies {
		c.byProxies, c.changed = by, now
		return true
	}
	return false
}

// fading is a mean over what came of late.
type fading struct {
	n, sum float64
	at     fleet.Time
}

// fadeEach is how exactly time is kept, so that not every request costs an exponential.
const fadeEach = 100 * time.Millisecond

func (f *fading) add(now fleet.Time, n, sum float64) {
	if now.Sub(f.at) >= fadeEach {
		f.fade(now)
	}
	f.n += n
	f.sum += sum
}

func (f *fading) fade(now fleet.Time) {
	keep := math.Exp(-float64(now.Sub(f.at)) / float64(memory))
	f.n, f.sum, f.at = f.n*keep, f.sum*keep, now
}

// mean returns the mean in seconds, of at least one.
func (f *fading) mean() float64 { return f.sum / f.n }
