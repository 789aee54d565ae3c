package dispatch

import "github.com/fairlead/fairlead/internal/fleet"

// The order in which those wait who wait: by class, and within a class by start-time fair
// queueing (Goyal, Vin, Cheng: "Start-time Fair Queueing", SIGCOMM 1996). A flow has a
// start tag, in turns: each ask of it that is granted moves the tag on by one over the
// flow's weight, and the flow with the least tag is next. The class's virtual time is
// the tag of the latest ask that was granted; a flow that comes, or comes back, starts no
// earlier than that. So it neither pays for having been away nor saves up for later, and
// its first ask waits for at most one turn of each flow that is ahead of it.
//
// It needs no knowledge of how long requests run, unlike weighted fair queueing, and no
// quantum and no round, unlike deficit round robin, whose newcomer waits for a whole one.

// flow is whose asks these are, within a class.
type flow struct {
	name    string
	class   fleet.Class
	weight  float64
	start   float64 // tag of its next ask
	waiting int
	lanes   []*lane

	place int        // in the class's heap of the longest
	rest  node[flow] // in the list of those that have nobody waiting
}

// lane is the asks of one flow that may use the same backends, by first arrival.
type lane struct {
	flow  *flow
	scope *scope
	asks  list[ask]
	place int // in the scope's heap
}

func lanePlace(l *lane) *int { return &l.place }

// laneBefore orders lanes by whose turn it is; among equals, by the ask that waits longest.
func laneBefore(a, b *lane) bool { return sooner(a.asks.head(), b.asks.head()) }

// sooner orders asks of flows.
func sooner(a, b *ask) bool {
	switch {
	case a.flow.class != b.flow.class:
		return a.flow.class < b.flow.class
	case a.flow.start != b.flow.start:
		return a.flow.start < b.flow.start
	}
	return a.earlier(b)
}

// rank is one class's flows.
type rank struct {
	flows   map[string]*flow
	now     float64       // virtual time
	waiting int           // asks
	longest indexed[flow] // with asks waiting, the longest for its weight first
	idle    list[flow]    // without, those first that have been for longest
}

// maxIdle bounds the flows that are remembered though they have nobody waiting. One that
// is forgotten can be a turn early when it comes back.
const maxIdle = 4096

// manyFlows is from how many on the table of flows is thrown away when nobody waits.
const manyFlows = 64

func newRank() rank {
	return rank{
		flows: map[string]*flow{},
		longest: indexed[flow]{
			before: func(a, b *flow) bool { return a.length() > b.length() },
			place:  func(f *flow) *int { return &f.place },
		},
	}
}

// length is how much of the queue a flow has taken, for its weight.
func (f *flow) length() float64 { return float64(f.waiting) / f.weight }

// flowOf returns the flow of that name, which it makes if need be.
func (p *Pool) flowOf(class fleet.Class, name string) *flow {
	r := &p.ranks[class]
	f := r.flows[name]
	if f == nil {
		weight := p.spec.FlowWeights[name]
		if weight <= 0 {
			weight = 1
		}
		f = &flow{name: name, class: class, weight: weight, start: r.now, place: nowhere}
		f.rest.owner = f
		r.flows[name] = f
	}
	return f
}

// joins has an ask count as one of its flow's.
func (r *rank) joins(f *flow) {
	r.waiting++
	if f.waiting++; f.waiting > 1 {
		r.longest.fix(f)
		return
	}
	f.rest.remove()
	f.start = max(f.start, r.now)
	r.longest.push(f)
}

// leaves has one ask of a flow count no more.
func (r *rank) leaves(f *flow) {
	r.waiting--
	f.waiting--
	switch {
	case f.waiting > 0:
		r.longest.fix(f)
		return
	case r.waiting == 0:
		// Nobody waits, so nobody is owed anything.
		r.longest.remove(f)
		r.now, f.start = 0, 0
		if len(r.flows) > manyFlows {
			r.flows = map[string]*flow{} // to clear it costs as much as it ever held
			r.idle = list[flow]{}
		} else if len(r.flows) > 1 {
			clear(r.flows)
			r.idle = list[flow]{}
		}
		return
	}
	r.longest.remove(f)
	r.idle.push(&f.rest)
	if r.idle.len > maxIdle {
		delete(r.flows, r.idle.head().name)
		r.idle.first.remove()
	}
}

// turn charges a flow for an ask that is granted.
func (p *Pool) turn(f *flow) {
	r := &p.ranks[f.class]
	r.now = max(r.now, f.start)
	f.start += 1 / f.weight
	for _, l := range f.lanes {
		if l.place != nowhere {
			l.scope.lanes[f.class].fix(l)
		}
	}
}

// laneOf returns a flow's lane in a scope, which it makes if need be.
func (f *flow) laneOf(s *scope) *lane {
	for _, l := range f.lanes {
		if l.scope == s {
			return l
		}
	}
	l := &lane{flow: f, scope: s, place: nowhere}
	f.lanes = append(f.lanes, l)
	return l
}

// queueIn has an ask wait in its flow's lane of a scope, in its place by first arrival.
func (a *ask) queueIn(s *scope) {
	l := a.flow.laneOf(s)
	l.asks.insertSorted(&a.inLane, a.beside(func(b *ask) *node[ask] { return &b.inLane }), (*ask).earlier)
	a.lane = l
	s.waiting++
	if l.place == nowhere {
		s.lanes[a.flow.class].push(l)
	} else {
		s.lanes[a.flow.class].fix(l)
	}
}

// leaveLane takes an ask out of its lane.
func (a *ask) leaveLane() {
	l := a.lane
	a.lane = nil
	a.inLane.remove()
	l.scope.waiting--
	heap := &l.scope.lanes[l.flow.class]
	if l.asks.len > 0 {
		heap.fix(l)
		return
	}
	heap.remove(l)
	if l.scope.id == 0 {
		return // to be used again
	}
	f := l.flow
	for i, o := range f.lanes {
		if o == l {
			f.lanes[i] = f.lanes[len(f.lanes)-1]
			f.lanes[len(f.lanes)-1] = nil
			f.lanes = f.lanes[:len(f.lanes)-1]
		}
	}
}
