package dispatch

import "github.com/fairlead/fairlead/internal/fleet"

// The heaps that a backend can be in.
const (
	inAll = iota
	inZone
)

// freeHeap is a binary min-heap of the backends that can take a grant now, best first
// (Williams 1964). Each backend knows its place, so that a changed score costs
// O(log n) and choosing costs O(1). What is compared lies in the heap itself: with ten
// thousand backends, a look at each one's own memory is most of what a decision costs.
type freeHeap struct {
	kind  int
	zone  string
	items []entry
}

// entry is a backend with what it is ordered by, as of its last put.
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

// best returns the best one that is not excluded, or nil. h may be nil.
func (h *freeHeap) best(exclude []fleet.BackendName) *backend {
	switch {
	case h == nil || len(h.items) == 0:
		return nil
	case len(exclude) == 0:
		return h.items[0].on
	}
	var best *entry
	for i := range h.items {
		f := &h.items[i]
		if !contains(exclude, f.on.name) && (best == nil || f.before(best)) {
			best = f
		}
	}
	if best == nil {
		return nil
	}
	return best.on
}

// put has b in the heap, in its place, or not in it.
func (h *freeHeap) put(b *backend, in bool) {
	f := entry{b.score, b.chosen, b}
	switch at := b.place[h.kind]; {
	case in && at == nowhere:
		h.items = append(h.items, f)
		h.settle(len(h.items)-1, f)
	case in && (h.items[at].score != f.score || h.items[at].chosen != f.chosen):
		h.settle(at, f)
	case !in && at != nowhere:
		h.remove(at)
	}
}

func (h *freeHeap) remove(at int) {
	h.items[at].on.place[h.kind] = nowhere
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
	f.on.place[h.kind] = at
}
