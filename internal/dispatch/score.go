package dispatch

import (
	"math"
	"time"
)

// The constants of the score. Everything is in units of the logarithm of latency: 0.1
// weighs as much as being 10 % slower.
const (
	// fillWeight is what a full backend pays against an idle one. Slots share a host's
	// caches and clocks, so among about equal backends the emptier is the better; a
	// clearly faster one still goes first.
	fillWeight = 0.10
	// utilWeight is what full use, by the backend's own word, costs. It is small on
	// purpose: reports are old when they arrive, and ranking by them sends everyone to
	// the same place.
	utilWeight = 0.10
	// errorWeight is what each error in a row costs, up to maxErrors of them.
	errorWeight = 0.25
	maxErrors   = 8
	// zoneWorth is how much worse a backend in the request's zone may be than the best one
	// elsewhere and still be preferred, where zones are: twice as slow.
	zoneWorth = math.Ln2
	// curiosity is what a backend that nobody has measured yet is given.
	curiosity = 0.20
	// saturation is the utilization from which a backend can do no more.
	saturation = 0.95
)

// Learning rates.
const (
	learnRate     = 0.10 // a backend's speed, for each answer
	learnMost     = 0.5  // and by how much longer than expected it may seem
	poolLearnRate = 0.01 // the pool's
	idleDrift     = 0.02 // an idle backend's speed towards the pool's, each beat
	tripRate      = 0.05 // the round trip, for each ask that tells of it
	tripStep      = 0.10 // share by which it has to move for bounds to follow
	foreignTime   = 500 * time.Millisecond
)

// Ages.
const (
	beat        = 100 * time.Millisecond // between looks at what changes with time alone
	idleAfter   = 500 * time.Millisecond // unheard for this long, an idle one drifts
	reportFresh = 2 * time.Second        // a younger report counts in full,
	reportOld   = 10 * time.Second       // an older one not at all
	holdUnit    = 50 * time.Millisecond  // a slot rests this long after one error
	// forgiveAfter is how long an error counts at least. Without it, a backend that has
	// recovered would only be tried again when every other one is taken.
	forgiveAfter = time.Second
)

// Score is why one backend ranks before another: the sum of its parts, least first.
type Score struct {
	Speed       float64 // log of learnt latency in seconds
	Fill        float64 // from own grants
	Foreign     float64 // from load that others put on it
	Utilization float64 // from its own word
	Errors      float64 // from errors in a row
	Queue       float64 // from the wait in its own queue
	Weight      float64 // from its weight by hand
	Zone        float64 // for being elsewhere, where a request's zone is preferred
}

// Sum returns what backends are ordered by.
func (s Score) Sum() float64 {
	return s.Speed + s.Fill + s.rest() + s.Queue + s.Zone
}

// rest is what does not change with each grant and answer.
func (s Score) rest() float64 { return s.Foreign + s.Utilization + s.Errors + s.Weight }

// scoreOf returns b's score as of p.now.
func (p *Pool) scoreOf(b *backend) Score {
	s := p.knownOf(b)
	s.Speed = p.speedOf(b)
	s.Fill = fillWeight * float64(b.live.len) / float64(p.size(b))
	if b.standing == overflowing {
		s.Queue = p.queueScore(b)
	}
	return s
}

// knownOf returns the parts of b's score that do not change with each grant and answer.
func (p *Pool) knownOf(b *backend) Score {
	s := Score{
		Utilization: utilWeight * b.report.Utilization() * b.reportWeight,
		Errors:      errorWeight * float64(min(b.errs, maxErrors)),
	}
	if b.foreign > 0 {
		s.Foreign = math.Log1p(b.foreign * b.foreignWeight / float64(p.size(b)))
	}
	if b.weight != 1 {
		s.Weight = -math.Log(b.weight)
	}
	return s
}

// patienceCost is what a moment of wait in a backend's own queue counts for beside one of
// service. Above 1, as who waits for a fast backend keeps its place from others, and
// leaves a slower one idle that the pool needs; how much above, simulation says
// (docs/decisions/0011).
const patienceCost = 5

// queueScore is what the wait in a backend's own queue adds to its score: the score is then
// the logarithm of both.
func (p *Pool) queueScore(b *backend) float64 {
	return math.Log1p(patienceCost * p.queueOf(b) / b.worth.pace)
}

func (p *Pool) speedOf(b *backend) float64 {
	if b.samples == 0 {
		return p.speed - curiosity
	}
	return b.speed
}

// surprise bounds how much longer than expected one answer may seem. How long a request
// is tells less of a backend than how short: the shortest are as long as its speed makes
// them, and the longest as long as their work. With a heavy tail this halves the noise of
// what is learnt (an estimate of location after Huber, Annals of Mathematical Statistics
// 35(1), 1964, on one side). At first, nothing is expected yet.
func (p *Pool) surprise(b *backend) float64 {
	if b.samples <= 10 {
		return math.Inf(1)
	}
	return learnMost
}

// learn takes one latency in. It averages in the log domain, so that one long request
// does not outweigh many short ones: with service times spread over orders of magnitude
// a plain mean follows the largest of late and ranks by accident.
//
// load is how many grants the backend had when this one began. Of the time with more than
// it has workers, only their part was work: the rest was a wait in its own queue.
func (p *Pool) learn(b *backend, latency time.Duration, load int) {
	seconds := max(latency.Seconds(), 1e-6)
	p.service.add(seconds)
	if size := p.size(b); load > size {
		seconds *= float64(size) / float64(load)
	}
	x := math.Log(seconds)
	if b.samples > 10 && load <= p.size(b) {
		p.residual.add(seconds / math.Exp(b.speed))
	}
	b.samples++
	b.speed += max(learnRate, 1/float64(b.samples)) * min(x-b.speed, p.surprise(b))
	p.samples++
	p.speed += max(poolLearnRate, 1/float64(p.samples)) * (x - p.speed)
	p.mean += max(poolLearnRate, 1/float64(p.samples)) * (seconds - p.mean)
	p.stir() // the scores of those that nobody measured follow
	if p.samples == 1 {
		p.refreshAll() // at the first, at once: before it they were compared with nothing
	}
}

// hint takes a proxy's own average in, for a backend that this controller has not
// measured yet: after a restart, what the proxies remember is there in one round trip.
func (p *Pool) hint(b *backend, latency time.Duration) {
	if b.samples == 0 {
		p.learn(b, latency, 1)
	}
}

// meanService returns the pool's mean latency in seconds.
func (p *Pool) meanService() float64 { return p.mean }

// weigh returns how much a report of this age counts.
func weigh(age time.Duration) float64 {
	switch {
	case age <= reportFresh:
		return 1
	case age >= reportOld:
		return 0
	}
	return float64(reportOld-age) / float64(reportOld-reportFresh)
}

// heed takes a report in. In-flight beyond the grants that live is load that others put
// on the backend.
func (p *Pool) heed(b *backend, inFlight float64, said bool) {
	if !said {
		return
	}
	dt := p.now.Sub(b.foreignAt)
	share := 1.0
	if b.foreignAt != 0 {
		share = 1 - math.Exp(-float64(dt)/float64(foreignTime))
	}
	b.foreignAt, b.foreignWeight = p.now, 1
	others := max(0, inFlight-float64(b.live.len-int(b.kept)))
	b.foreign += share * (others - b.foreign)
	if b.foreign < 0.01 {
		b.foreign = 0
	}
}
