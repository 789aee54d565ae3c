package permit

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// The constants of the choice. They are those of package dispatch where both have them, so
// that a pool behaves alike whoever decides.
const (
	poolLatencyRate = 0.01 // of the pool's average, for each answer
	// curiosity is what a backend that nobody has measured yet is given, in logarithms.
	curiosity = 0.20
	restUnit  = 50 * time.Millisecond // a backend rests for twice that after one error,
	maxRests  = 8                     // and for 2^8 times that at most
	// An idle backend's average drifts towards the pool's. Without it one that was slow
	// once would never be tried again.
	beat      = 100 * time.Millisecond
	idleAfter = 500 * time.Millisecond
	idleDrift = 0.02
)

// Local chooses backends of one pool with what one proxy knows alone: L-EWMA. It takes the
// backend with the least
//
//	(own requests in flight + 1) * exp(moving average of log latency) / weight
//
// and among equal ones that which was not chosen for longest. That is the shortest expected
// delay (Banawan and Zahorjan, "Load sharing in heterogeneous queueing systems", INFOCOM
// 1989) of a proxy that sees only itself, with speeds that are learnt. They are learnt from
// the logarithm of latency: service times spread over orders of magnitude, and a plain mean
// of them follows the largest of late. Peak EWMA of Finagle is the nearest relative. In our
// simulation it was the best rule that needs no controller (docs/decisions/0010).
//
// A backend that fails fast would look fast and draw requests, so an error rests it: it is
// passed by for 50 ms times 2 to the number of errors in a row, 12.8 s at most, while one
// that does not rest will do. Errors that come while it rests are of requests from before
// and prolong nothing.
//
// Choose looks at every backend, which costs less than keeping them in order up to some
// hundreds: each choice and each end of a request changes a score. It is not safe for
// concurrent use.
type Local struct {
	known map[fleet.BackendName]*backend
	order []*backend // that may be chosen
	ranks []rank     // of these, at the same places: what a choice reads stands together

	count   uint64  // choices so far
	speed   float64 // moving average over all backends, log of seconds
	samples int
	hinted  float64 // mean of the hints, log of seconds
	hints   int
	blank   int // backends in order that neither have an average nor a hint
	beaten  fleet.Time
}

// Choosable is a backend that may be chosen. Slots and Zone are not read.
type Choosable struct {
	fleet.BackendSpec
	Share   int           // of its slots that are this proxy's without a controller
	Latency time.Duration // learnt by others; 0: not known
}

// backend is what a Local knows of one.
type backend struct {
	name   fleet.BackendName
	labels []string
	weight float64
	place  int // in order; nowhere: it may not be chosen
	share  int // of its slots, without a controller

	inFlight int
	speed    float64 // moving average of log seconds; before samples, the hint
	samples  int
	hinted   bool
	cost     float64 // exp(speed)/weight
	chosen   uint64
	errs     int        // in a row
	rests    fleet.Time // until then
	used     fleet.Time // when it was last chosen or a request on it ended
}

// rank is what the choice needs of a backend.
type rank struct {
	score  float64
	chosen uint64
	rests  fleet.Time
}

const nowhere = -1

// NewLocal makes a Local that knows no backends.
func NewLocal() *Local { return &Local{known: map[fleet.BackendName]*backend{}} }

// SetBackends says who may be chosen, in place of who might before. What was learnt of
// those that stay, or come back, is kept. all is not kept, but its Labels are.
func (l *Local) SetBackends(all []Choosable) {
	for _, b := range l.order {
		b.place = nowhere
	}
	l.order, l.ranks = l.order[:0], l.ranks[:0]
	l.hinted, l.hints = 0, 0
	for i := range all {
		c := &all[i]
		b := l.backend(c.Name)
		if b.place != nowhere {
			continue // named twice
		}
		b.place = len(l.order)
		b.labels, b.weight, b.share = c.Labels, c.Weight, c.Share
		if !(b.weight > 0) { // NaN too
			b.weight = 1
		}
		l.hint(b, c.Latency)
		l.order = append(l.order, b)
		l.ranks = append(l.ranks, rank{chosen: b.chosen, rests: b.rests})
	}
	l.blank = 0
	for _, b := range l.order {
		if b.samples == 0 && !b.hinted {
			l.blank++
		}
		l.price(b)
	}
}

// hint takes in what others have learnt of b.
func (l *Local) hint(b *backend, latency time.Duration) {
	if latency <= 0 {
		return
	}
	x := logSeconds(latency)
	l.hints++
	l.hinted += (x - l.hinted) / float64(l.hints)
	if b.samples == 0 {
		b.speed, b.hinted = x, true
	}
}

func logSeconds(d time.Duration) float64 { return math.Log(max(d.Seconds(), 1e-6)) }

func (l *Local) backend(name fleet.BackendName) *backend {
	b := l.known[name]
	if b == nil {
		b = &backend{name: name, weight: 1, place: nowhere}
		l.known[name] = b
	}
	return b
}

// average returns what is known of the pool as a whole.
func (l *Local) average() float64 {
	if l.samples == 0 {
		return l.hinted
	}
	return l.speed
}

// price brings what b's speed costs up to date, after a change to it.
func (l *Local) price(b *backend) {
	if b.place == nowhere {
		return
	}
	speed := b.speed
	if b.samples == 0 && !b.hinted {
		speed = l.average() - curiosity
	}
	b.cost = math.Exp(speed) / b.weight
	l.score(b)
}

// score brings b's score up to date, after a change to what it has in flight.
func (l *Local) score(b *backend) {
	if b.place != nowhere {
		l.ranks[b.place].score = float64(b.inFlight+1) * b.cost
	}
}

// Choose returns the best backend that is not excluded and has all labels, each as
// "name=value", sorted; and counts it as having one more request in flight until Done.
// False: there is none, and Refusal says why.
func (l *Local) Choose(now fleet.Time, exclude []fleet.BackendName, labels []string) (fleet.BackendName, bool) {
	return l.choose(now, &Wish{Exclude: exclude, Labels: labels}, nil)
}

// costOf returns what a request costs on a backend, and whether it may go there.
func (l *Local) costOf(now fleet.Time, name fleet.BackendName, r *Wish) (float64, bool) {
	b := l.known[name]
	if b == nil {
		return 0, len(r.Labels) == 0 && !slices.Contains(r.Exclude, name)
	}
	return b.cost, b.rests <= now && b.fits(r.Exclude, r.Labels)
}

// choose is Choose among the backends that have room; nil: all have.
func (l *Local) choose(now fleet.Time, w *Wish, room func(*backend) bool) (fleet.BackendName, bool) {
	if now.Sub(l.beaten) >= beat {
		l.drift(now)
	}
	all := len(w.Exclude)+len(w.Labels) == 0 && room == nil
	best, resting := nowhere, nowhere
	for i := range l.ranks {
		r := &l.ranks[i]
		to := &best
		if r.rests > now {
			to = &resting
		}
		if *to != nowhere {
			if t := &l.ranks[*to]; r.score > t.score || r.score == t.score && r.chosen >= t.chosen {
				continue
			}
		}
		if b := l.order[i]; all || b.fits(w.Exclude, w.Labels) && (room == nil || room(b)) {
			*to = i
		}
	}
	if best == nowhere {
		best = resting // everyone rests, so that it helps nobody
	}
	if best == nowhere {
		return "", false
	}
	b := l.order[best]
	l.began(now, b)
	return b.name, true
}

func (b *backend) fits(exclude []fleet.BackendName, labels []string) bool {
	return b.has(labels) && !slices.Contains(exclude, b.name)
}

// has tells whether b has all labels. Both are sorted.
func (b *backend) has(labels []string) bool {
	rest := b.labels
	for _, want := range labels {
		i := slices.Index(rest, want)
		if i < 0 {
			return false
		}
		rest = rest[i+1:]
	}
	return true
}

// Refusal returns why Choose finds nobody.
func (l *Local) Refusal(exclude []fleet.BackendName, labels []string) fleet.Reason {
	if len(l.order) == 0 {
		return fleet.NoBackend
	}
	for _, b := range l.order {
		if b.has(labels) {
			return fleet.AllExcluded
		}
	}
	return fleet.NoMatch
}

// Began counts a request that someone else gave a backend, so that the choice is warm when
// it is needed.
func (l *Local) Began(now fleet.Time, name fleet.BackendName) { l.began(now, l.backend(name)) }

func (l *Local) began(now fleet.Time, b *backend) {
	l.count++
	b.chosen, b.used = l.count, now
	b.inFlight++
	if b.place != nowhere {
		l.ranks[b.place].chosen = b.chosen
		l.score(b)
	}
}

// Done ends a request that was chosen for or that Began, with how it went. latency 0 says
// nothing about speed.
func (l *Local) Done(now fleet.Time, name fleet.BackendName, how fleet.Outcome, latency time.Duration) {
	b := l.known[name]
	if b == nil || b.inFlight == 0 {
		return
	}
	b.inFlight--
	b.used = now
	switch {
	case how == fleet.OK:
		b.errs = 0
		if latency > 0 {
			l.learn(b, latency)
		}
	case how.Error() && b.rests <= now:
		b.errs++
		b.rests = now.Add(restUnit << min(b.errs, maxRests))
		if b.place != nowhere {
			l.ranks[b.place].rests = b.rests
		}
	}
	l.score(b)
}

// learn takes one latency in.
func (l *Local) learn(b *backend, latency time.Duration) {
	x := logSeconds(latency)
	l.samples++
	l.speed += max(poolLatencyRate, 1/float64(l.samples)) * (x - l.speed)
	if b.samples == 0 && !b.hinted && b.place != nowhere {
		l.blank--
	}
	b.samples++
	if b.samples == 1 {
		b.speed = x // whatever was hinted at
	} else {
		b.speed += max(latencyRate, 1/float64(b.samples)) * (x - b.speed)
	}
	l.price(b)
	if l.blank == 0 {
		return
	}
	for _, other := range l.order { // they follow the pool's average
		if other.samples == 0 && !other.hinted {
			l.price(other)
		}
	}
}

// drift does what time alone brings.
func (l *Local) drift(now fleet.Time) {
	beats := now.Sub(l.beaten) / beat
	if l.beaten == 0 {
		beats = 0 // this is the first look
		l.beaten = now
	}
	l.beaten = l.beaten.Add(beats * beat)
	for _, b := range l.order {
		idle := now.Sub(b.used) - idleAfter
		if b.inFlight > 0 || b.samples == 0 || idle < 0 || l.samples == 0 {
			continue
		}
		n := min(beats, idle/beat+1)
		b.speed += (1 - math.Pow(1-idleDrift, float64(n))) * (l.speed - b.speed)
		l.price(b)
	}
}

// InFlight returns how many requests of this proxy a backend has.
func (l *Local) InFlight(name fleet.BackendName) int {
	if b := l.known[name]; b != nil {
		return b.inFlight
	}
	return 0
}

// Sweep forgets backends that may not be chosen and were not used for long. True: it knows
// nobody any more.
func (l *Local) Sweep(now fleet.Time) bool {
	maps.DeleteFunc(l.known, func(_ fleet.BackendName, b *backend) bool {
		return b.place == nowhere && b.inFlight == 0 && now.Sub(b.used) > unusedAfter
	})
	return len(l.known) == 0
}
