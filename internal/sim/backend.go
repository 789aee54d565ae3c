package sim

import (
	"math"
	"slices"

	"github.com/fairlead/fairlead/internal/fleet"
)

// backend is a server, or several that share a queue; or a processor that all requests in
// hand share, as far as it has servers for them.
type backend struct {
	group   *BackendGroup
	servers int32
	rate    float64 // work done per time by one server; 0: it stands still
	slow    float64 // by an antagonist: divides the rate; infinite: it stands still
	frozen  bool    // by a fault
	dead    bool    // nothing listens
	down    bool    // and those who choose have noticed
	drains  bool
	silent  bool  // its agent is lost
	fallen  bool  // an antagonist is on it
	noted   noted // what the controller was told

	inHand  int32   // foreign requests included
	own     int32   // the others
	running []int32 // first come, first served
	queue   ring    // likewise

	clock   float64 // sharing: work done on each request since the beginning
	clockAt int64
	shares  []share // heap by tag
	stamp   int32

	area   float64 // of busy servers over time, since the last report
	areaAt int64
	served int // since the last report
	erred  int // of these
	told   int64
	every  int64 // between reports; 0: there are none
}

// share is a request that shares a processor.
type share struct {
	tag float64 // the clock when it is done
	r   int32
}

func (b *backend) join(g *BackendGroup) {
	*b = backend{group: g, servers: int32(g.Servers), slow: 1, every: int64(g.Report)}
	b.setRate()
}

func (b *backend) setRate() {
	b.rate = b.group.Speed / b.slow
	if b.frozen {
		b.rate = 0
	}
}

// account adds what its servers did since it was last called.
func (b *backend) account(now int64) {
	if b.every > 0 {
		b.area += float64(now-b.areaAt) * float64(min(b.inHand, b.servers))
		b.areaAt = now
	}
}

// atBackend is where a request gets to its backend.
func (e *engine) atBackend(i, stamp int32) {
	r := &e.requests[i]
	if r.stamp != stamp || r.at != toBackend {
		return
	}
	b := &e.backends[r.backend]
	if b.dead {
		e.answer(i, fleet.Unreachable)
		return
	}
	if r.drop {
		e.release(i)
		return
	}
	e.takeIn(i, b)
	b.own++
	if b.own > e.meter.most && e.measured(r) {
		e.meter.most = b.own
	}
}

// takeIn has b work on a request, or queue it.
func (e *engine) takeIn(i int32, b *backend) {
	r := &e.requests[i]
	b.account(e.now)
	r.at, r.met = atBackend, b.inHand
	r.fails = !r.foreign && b.group.ErrorRate > 0 && r.luck < b.group.ErrorRate
	b.inHand++
	switch {
	case b.group.Sharing:
		e.startSharing(i, b)
	case len(b.running) < int(b.servers):
		e.start(i, b)
	default:
		r.queued = true
		b.queue.push(i)
	}
}

// todo returns the work that b has with a request.
func (b *backend) todo(r *request) float64 {
	if !r.fails {
		return r.work
	}
	rate := b.rate
	if rate == 0 {
		rate = b.group.Speed
	}
	return float64(b.group.ErrorTime) * rate
}

func (e *engine) start(i int32, b *backend) {
	r := &e.requests[i]
	b.running = append(b.running, i)
	r.left, r.since, r.began = b.todo(r), e.now, e.now
	e.expect(i, r, b)
}

// expect notes when a server will be done with a request, as fast as it is now.
func (e *engine) expect(i int32, r *request, b *backend) {
	r.stamp++
	if b.rate > 0 {
		e.events.push(e.now+int64(math.Ceil(r.left/b.rate)), evFinish, i, r.stamp)
	}
}

func (e *engine) finished(i, stamp int32) {
	r := &e.requests[i]
	if r.stamp != stamp {
		return
	}
	b := &e.backends[r.backend]
	e.unrun(i, b)
	r.service = e.now - r.began
	e.finish(i, b)
}

// unrun takes a request off its server, for the next one in the queue.
func (e *engine) unrun(i int32, b *backend) {
	at := slices.Index(b.running, i)
	last := len(b.running) - 1
	b.running[at] = b.running[last]
	b.running = b.running[:last]
	e.refill(b)
}

// refill gives idle servers of b to those that queue there. What was dropped meanwhile is
// skipped.
func (e *engine) refill(b *backend) {
	for b.queue.len > 0 && len(b.running) < int(b.servers) {
		next := b.queue.pop()
		r := &e.requests[next]
		if r.queued = false; r.drop {
			e.release(next)
			continue
		}
		e.start(next, b)
	}
}

// finish has a request leave b.
func (e *engine) finish(i int32, b *backend) {
	r := &e.requests[i]
	v := r.backend
	b.account(e.now)
	b.inHand--
	if r.foreign {
		e.release(i)
	} else {
		b.own--
		b.served++
		how := fleet.OK
		if r.fails {
			how = fleet.Failed
			b.erred++
		}
		e.answer(i, how)
	}
	e.decider.departed(v)
}

// dropped has a backend learn that a request's client has left.
func (e *engine) dropped(i, life int32) {
	r := &e.requests[i]
	if r.life != life {
		return
	}
	switch r.at {
	case toBackend:
		r.drop = true
	case atBackend:
		e.expel(i)
	}
}

// expel takes a request that is over out of its backend.
func (e *engine) expel(i int32) {
	r := &e.requests[i]
	v := r.backend
	b := &e.backends[v]
	b.account(e.now)
	b.inHand--
	if !r.foreign {
		b.own--
	}
	switch {
	case r.queued:
		r.drop = true // its record is free when it comes up
		return
	case b.group.Sharing:
		e.unshare(i, b)
	default:
		e.unrun(i, b)
	}
	e.release(i)
	e.decider.departed(v)
}

// pace has what b works on go on at the rate that it has now.
func (e *engine) pace(v int32) {
	b := &e.backends[v]
	old := b.rate
	if b.group.Sharing {
		e.wind(b)
	}
	b.setRate()
	if old == b.rate {
		return
	}
	if b.group.Sharing {
		e.expectShare(v, b)
	}
	for _, i := range b.running {
		r := &e.requests[i]
		r.left = max(0, r.left-float64(e.now-r.since)*old)
		r.since = e.now
		e.expect(i, r, b)
	}
	e.decider.changed(v)
}

// ring is a queue of records.
type ring struct {
	all        []int32
	first, len int
}

func (q *ring) push(i int32) {
	if q.len == len(q.all) {
		grown := make([]int32, max(8, 2*q.len))
		for j := range q.len {
			grown[j] = q.all[(q.first+j)%len(q.all)]
		}
		q.all, q.first = grown, 0
	}
	q.all[(q.first+q.len)&(len(q.all)-1)] = i
	q.len++
}

func (q *ring) pop() int32 {
	i := q.all[q.first]
	q.first = (q.first + 1) & (len(q.all) - 1)
	q.len--
	return i
}

// noted is what of a backend its controller is told when it changes.
type noted struct{ down, drains bool }
