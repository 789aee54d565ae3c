package sim

import "github.com/fairlead/fairlead/internal/fleet"

// idleQueue is join-idle-queue (Lu et al., Performance Evaluation 68(11), 2011): a backend
// that gets an idle server says so to one proxy at random, which sends its next request
// there. A proxy to which nobody is idle takes any.
type idleQueue struct {
	silent
	e      *engine
	tokens []ring  // by proxy
	out    []int32 // tokens that are out, by backend
}

func newIdleQueue(e *engine) *idleQueue {
	q := &idleQueue{e: e, tokens: make([]ring, len(e.proxies)), out: make([]int32, len(e.backends))}
	for v := range e.backends {
		for range e.backends[v].servers {
			q.out[v]++
			q.tokens[e.policy.IntN(len(q.tokens))].push(int32(v))
		}
	}
	return q
}

func (q *idleQueue) arrive(i int32) {
	r := &q.e.requests[i]
	for q.tokens[r.proxy].len > 0 {
		v := q.tokens[r.proxy].pop()
		q.out[v]--
		if q.e.usable(v, r) {
			q.e.send(i, v)
			return
		}
	}
	of := q.e.candidates(r)
	if len(of) == 0 {
		q.e.refuse(i)
		return
	}
	q.e.send(i, of[q.e.policy.IntN(len(of))])
}

func (q *idleQueue) ended(int32, fleet.Outcome, int64) {}

// departed has a backend say that a server is idle, unless as many say so already.
func (q *idleQueue) departed(v int32) {
	b := &q.e.backends[v]
	if b.inHand+q.out[v] >= b.servers || b.dead {
		return
	}
	q.out[v]++
	q.e.later(evToken, q.e.policy.Int32N(int32(len(q.tokens))), v)
}

// changed has a backend that was down say again that it is idle.
func (q *idleQueue) changed(v int32) {
	for b := &q.e.backends[v]; !b.dead && b.inHand+q.out[v] < b.servers; {
		q.departed(v)
	}
}

func (q *idleQueue) happen(k kind, p, v int32) {
	if k == evToken {
		q.tokens[p].push(v)
	}
}
