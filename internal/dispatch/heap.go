package dispatch

// freeHeap is a binary min-heap of the backends that can take a grant now, best first
// (Williams 1964). Each backend knows its place, so that a changed score costs
// O(log n) and choosing costs O(1). What is compared lies in the heap itself: with ten
// thousand backends, a look at each one's own memory is most of what a decision costs.
type freeHeap struct {
	id    int // of the scope
	items []entry
}

// entry is a backend with what it is ordered by, as of when it was last put there.
type entry struct {
	score  float64
	chosen uint64
	on     *backend
}

// before orders by score; among equals the one that was chosen longest ago comes first,
// so that equal backends take turns.
func (a *entry) before(b *entry) bool {
	if a.score != b.score {
		return a.score < b.score
	}
	return a.chosen < b.chosen
}

func (h *freeHeap) len() int { return len(h.items) }

// top returns the best one, or nil.
func (h *freeHeap) top() *backend {
	if len(h.items) == 0 {
		return nil
	}
	return h.items[0].on
}

// best returns the best one that passes, or nil. It looks below only those that do not
// pass, which are few where few are left out.
func (h *freeHeap) best(passes func(*backend) bool) *backend {
	return h.bestOf(len(h.items), passes)
}

// bestOf returns the best one that passes of the first few that are looked at, or nil.
func (h *freeHeap) bestOf(looks int, passes func(*backend) bool) *backend {
	best := h.search(0, nil, &looks, passes)
	if best == nil {
		return nil
	}
	return best.on
}

func (h *freeHeap) search(at int, best *entry, looks *int, passes func(*backend) bool) *entry {
	if at >= len(h.items) || *looks <= 0 {
		return best
	}
	e := &h.items[at]
	if best != nil && !e.before(best) {
		return best
	}
	*looks--
	if passes(e.on) {
		return e
	}
	best = h.search(2*at+1, best, looks, passes)
	return h.search(2*at+2, best, looks, passes)
}

func (h *freeHeap) placeOf(b *backend) *int32 {
	if h.id == 0 {
		return &b.place
	}
	return &b.places[h.id]
}

// push adds b, which is not in the heap.
func (h *freeHeap) push(b *backend) {
	f := entry{b.score, b.chosen, b}
	h.items = append(h.items, f)
	h.settle(len(h.items)-1, f)
}

// fix puts b, which is in the heap, in its place.
func (h *freeHeap) fix(b *backend) {
	at := int(*h.placeOf(b))
	if h.items[at].score != b.score || h.items[at].chosen != b.chosen {
		h.settle(at, entry{b.score, b.chosen, b})
	}
}

func (h *freeHeap) remove(place int32) {
	at := int(place)
	*h.placeOf(h.items[at].on) = nowhere
	last := len(h.items) - 1
	moved := h.items[last]
	h.items[last] = entry{}
	h.items = h.items[:last]
	if at < last {
		h.settle(at, moved)
	}
}

// settle puts f where it belongs, beginning at a place that is f's to fill.
func (h *freeHeap) settle(at int, f entry) {
	start := at
	for at > 0 {
		parent := (at - 1) / 2
		if !f.before(&h.items[parent]) {
			break
		}
		h.set(at, h.items[parent])
		at = parent
	}
	for at == start { // it did not rise, so it may sink
		child := 2*at + 1
		if child >= len(h.items) {
			break
		}
		if right := child + 1; right < len(h.items) && h.items[right].before(&h.items[child]) {
			child = right
		}
		if !h.items[child].before(&f) {
			break
		}
		h.set(at, h.items[child])
		at, start = child, child
	}
	h.set(at, f)
}

func (h *freeHeap) set(at int, f entry) {
	h.items[at] = f
	*h.placeOf(f.on) = int32(at)
}
