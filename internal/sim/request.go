package sim

import (
	"slices"

	"github.com/fairlead/fairlead/internal/fleet"
)

// place is where a request is.
type place uint8

const (
	nowhere   place = iota // the record is free
	toProxy                // on its way to its proxy
	waiting                // for a decision
	toBackend              // on its way
	atBackend              // in hand there
	back                   // its answer is on its way to its proxy
)

// request is one request, or a foreign one. Records are used again, so events name them
// with life or stamp, both of which only ever rise.
type request struct {
	born    int64   // at its client
	work    float64 // at speed 1
	luck    float64
	left    float64 // of work, as of since; of a sharing backend, the clock at which it is done
	since   int64
	began   int64 // when a server took it up
	service int64 // how long that took
	sent    int64 // when its proxy sent it on
	came    int64 // when it was at its proxy
	asked   int64 // when its proxy asked for it last
	ask     fleet.AskID
	grant   fleet.GrantID
	index   int32 // in the order of arrival
	proxy   int32
	backend int32
	mix     int32
	flow    int32
	key     int32
	life    int32
	stamp   int32
	tries   int32
	met     int32 // in hand at its backend when it came
	exclude [retries]int32
	at      place
	how     fleet.Outcome
	closed  bool // its client has left, or has its answer
	foreign bool
	fails   bool // it gets an error
	queued  bool // in its backend's queue, or in that of a policy
	drop    bool // its backend need not do it
}

func (r *request) tried(v int32) bool {
	return slices.Contains(r.exclude[:min(r.tries, retries)], v)
}

// newRequest returns a free record.
func (e *engine) newRequest() int32 {
	var i int32
	if n := len(e.free); n > 0 {
		i = e.free[n-1]
		e.free = e.free[:n-1]
	} else {
		i = int32(len(e.requests))
		e.requests = append(e.requests, request{})
	}
	r := &e.requests[i]
	*r = request{life: r.life + 1, stamp: r.stamp + 1}
	return i
}

// release frees a record that nothing refers to any more, but by life or stamp.
func (e *engine) release(i int32) {
	r := &e.requests[i]
	if !r.foreign {
		e.busy--
	}
	r.at = nowhere
	r.life++
	r.stamp++
	e.free = append(e.free, i)
}

// draw has the next request arrive at its proxy, after the least time of the way there.
func (e *engine) draw() {
	d, ok := e.source.take()
	if !ok {
		e.ended = true
		e.to = e.now
		return
	}
	e.next = d
	e.events.pushLane(arrivalLane, max(d.at+e.hop, e.now), evArrive, 0, 0)
}

// arrived takes the next request in.
func (e *engine) arrived() {
	d := e.next
	i := e.newRequest()
	r := &e.requests[i]
	r.index, r.born, r.work, r.luck = int32(e.drawn), d.at, d.work, d.luck
	r.proxy, r.mix, r.flow, r.key, r.at = d.proxy, d.mix, d.flow, d.key, toProxy
	if r.index == int32(e.s.Warmup) {
		e.from = e.now
	}
	e.drawn++
	e.open++
	e.busy++
	if e.measured(r) {
		e.meter.requests++
		if e.meter.mixes != nil {
			e.meter.mixes[r.mix].requests++
		}
	}
	e.draw()
	if j := e.s.Network.Jitter; j > 0 && e.hop > 0 {
		e.events.push(e.now+int64(float64(e.hop)*j*e.network.Float64()), evAtProxy, i, 0)
		return
	}
	e.atProxy(i)
}

func (e *engine) measured(r *request) bool { return int(r.index) >= e.s.Warmup }

func (e *engine) atProxy(i int32) {
	r := &e.requests[i]
	if !e.findProxy(r) {
		e.close(i, fleet.Failed)
		return
	}
	r.came = e.now
	if limit := e.plan.mixes[r.mix].limit; limit > 0 {
		e.events.push(max(r.born+limit+e.hop, e.now), evCancel, i, r.life)
	}
	e.decider.arrive(i)
}

// findProxy moves a request from a proxy that is dead to the next that is not.
func (e *engine) findProxy(r *request) bool {
	for range e.proxies {
		if e.proxies[r.proxy] {
			r.at = waiting
			return true
		}
		r.proxy = (r.proxy + 1) % int32(len(e.proxies))
	}
	return false
}

// send sends a request on to a backend.
func (e *engine) send(i, backend int32) {
	r := &e.requests[i]
	r.backend, r.sent, r.at = backend, e.now, toBackend
	r.stamp++
	if e.hop == 0 {
		e.atBackend(i, r.stamp)
		return
	}
	e.later(evAtBackend, i, r.stamp)
}

// answer has a backend's answer begin its way to the proxy.
func (e *engine) answer(i int32, how fleet.Outcome) {
	r := &e.requests[i]
	r.at, r.how = back, how
	r.stamp++
	if e.hop == 0 {
		e.answered(i, r.stamp)
		return
	}
	e.later(evAnswer, i, r.stamp)
}

func (e *engine) answered(i, stamp int32) {
	r := &e.requests[i]
	if r.stamp != stamp || r.at != back {
		return
	}
	if r.closed {
		e.release(i)
		return
	}
	e.decider.ended(i, r.how, e.now-r.sent)
	r = &e.requests[i]
	if r.how == fleet.Unreachable && r.tries < retries {
		r.exclude[r.tries] = r.backend
		r.tries++
		r.at = waiting
		e.decider.arrive(i)
		return
	}
	e.close(i, r.how)
}

// refuse answers a request that waits with the balancer's no.
func (e *engine) refuse(i int32) {
	r := &e.requests[i]
	if e.measured(r) {
		e.meter.refused++
		if e.meter.mixes != nil {
			e.meter.mixes[r.mix].refused++
		}
	}
	r.closed = true
	e.open--
	e.release(i)
}

// close has the client's answer leave the proxy, and frees the record.
func (e *engine) close(i int32, how fleet.Outcome) {
	r := &e.requests[i]
	r.closed = true
	e.open--
	took := e.after(e.hop) - r.born
	if limit := e.plan.mixes[r.mix].limit; limit > 0 && took > limit {
		how = fleet.Cancelled
	}
	if how == fleet.OK && e.from >= 0 && e.to == 0 {
		e.meter.good++
		e.meter.work += r.work
	}
	if e.measured(r) {
		switch how {
		case fleet.OK:
			e.meter.took.add(took)
			e.meter.excess.add(max(took-int64(r.work), 0))
			if e.meter.mixes != nil {
				e.meter.mixes[r.mix].took.add(took)
			}
		case fleet.Cancelled:
			e.meter.timedOut++
		default:
			e.meter.failed++
		}
	}
	e.release(i)
}

// leave has a request's client be gone: it waits no more. What a backend has in hand goes
// on until word of it gets there.
func (e *engine) leave(i int32, how fleet.Outcome) {
	r := &e.requests[i]
	if e.measured(r) {
		if how == fleet.Cancelled {
			e.meter.timedOut++
		} else {
			e.meter.failed++
		}
	}
	r.closed = true
	e.open--
	if r.at == waiting {
		e.release(i)
		return
	}
	if e.s.DropsCancelled && (r.at == toBackend || r.at == atBackend) {
		e.later(evDrop, i, r.life)
	}
}

// cancelled has a request's proxy see that the client has left.
func (e *engine) cancelled(i, life int32) {
	r := &e.requests[i]
	if r.life != life || r.closed {
		return
	}
	if r.at == waiting {
		e.decider.cancel(i)
	} else {
		e.decider.ended(i, fleet.Cancelled, e.now-r.sent)
	}
	e.leave(i, fleet.Cancelled)
}

// unanswered counts the measured requests that nobody will answer any more.
func (e *engine) unanswered() (n int) {
	for i := range e.requests {
		if r := &e.requests[i]; r.at != nowhere && !r.foreign && !r.closed && e.measured(r) {
			n++
		}
	}
	return n
}
