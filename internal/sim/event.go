package sim

// kind says what an event is.
type kind uint8

const (
	evArrive     kind = iota // the next request is at its proxy; nothing more
	evAtProxy                // a: request, that jitter delayed
	evAtBackend              // a: request, b: stamp
	evFinish                 // a: request, b: stamp; a server is done with it
	evShare                  // a: backend, b: stamp; the least request of a sharing backend is done
	evAnswer                 // a: request, b: stamp; its answer is at the proxy
	evCancel                 // a: request, b: life; its client has left, and the proxy sees it
	evDrop                   // a: request, b: life; its backend sees it
	evForeign                // a: backend; others send it a request
	evAntagonist             // a: backend that recovers
	evReport                 // a: backend
	evHealth                 // a: backend, b: 1 for up; who checks has noticed
	evFault                  // a: fault, b: 1 when it begins
	evMessage                // a: message that arrives
	evTick                   // the mind's
	evReconnect              // a: proxy, b: session before
	evSilence                // a: proxy, b: session; nothing was heard for long
	evPatience               // a: proxy, b: how often it was down
	evHouse                  // a: proxy, b: its ID; slots in hand are looked after
	evToken                  // a: proxy, b: backend that has an idle server
	evProbe                  // a: probe that reaches its backend
	evProbed                 // a: probe that is back
)

// event is something that happens at a time. a and b are what the kind says.
type event struct {
	at  int64
	ord uint64 // order among those of one time, and the kind in the lowest byte
	a   int32
	b   int32
}

func (e *event) before(f *event) bool { return e.at < f.at || e.at == f.at && e.ord < f.ord }

// events are those to come, the earliest first. Those of one time come in the order in
// which they were added, so that a run does not depend on how the heap happens to lie.
//
// The heap has four children a node: it is half as deep as a binary one, and the four lie
// in two cache lines. Most events are not in it: what takes the same time each time, such
// as a hop, is added in the order in which it happens, and a queue will do.
type events struct {
	heap  []event
	added uint64
	lanes [lanes]lane
}

// Lanes.
const (
	arrivalLane = iota
	hopLane
	messageLane
	lanes
)

// lane is a queue of events whose times rise.
type lane struct {
	all   []event
	first int
	last  int64
}

func (h *events) push(at int64, k kind, a, b int32) {
	h.added++
	h.sift(event{at, h.added<<8 | uint64(k), a, b})
}

// pushLane adds an event to a lane, if it is not before the last one there.
func (h *events) pushLane(l int, at int64, k kind, a, b int32) {
	h.added++
	e, q := event{at, h.added<<8 | uint64(k), a, b}, &h.lanes[l]
	if at < q.last {
		h.sift(e)
		return
	}
	q.last = at
	if len(q.all) == cap(q.all) && q.first > len(q.all)/2 {
		n := copy(q.all, q.all[q.first:])
		q.all, q.first = q.all[:n], 0
	}
	q.all = append(q.all, e)
}

// pop takes the first event off; false: there is none.
func (h *events) pop() (event, bool) {
	var first *event
	from := -1
	if len(h.heap) > 0 {
		first = &h.heap[0]
	}
	for l := range h.lanes {
		q := &h.lanes[l]
		if q.first < len(q.all) && (first == nil || q.all[q.first].before(first)) {
			first, from = &q.all[q.first], l
		}
	}
	if first == nil {
		return event{}, false
	}
	if from < 0 {
		return h.popHeap(), true
	}
	e, q := *first, &h.lanes[from]
	if q.first++; q.first == len(q.all) {
		q.all, q.first = q.all[:0], 0
	}
	return e, true
}

func (h *events) sift(e event) {
	h.heap = append(h.heap, e)
	i := len(h.heap) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(&h.heap[parent]) {
			break
		}
		h.heap[i] = h.heap[parent]
		i = parent
	}
	h.heap[i] = e
}

func (h *events) popHeap() event {
	first, n := h.heap[0], len(h.heap)-1
	e := h.heap[n]
	h.heap = h.heap[:n]
	if n == 0 {
		return first
	}
	i := 0
	for {
		child := 4*i + 1
		if child >= n {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, n); c++ {
			if h.heap[c].before(&h.heap[least]) {
				least = c
			}
		}
		if !h.heap[least].before(&e) {
			break
		}
		h.heap[i] = h.heap[least]
		i = least
	}
	h.heap[i] = e
	return first
}
