package dispatch

import "github.com/fairlead/fairlead/internal/fleet"

// The heaps that a backend can be in.
const (
	inAll = iota
	inZone
)

// freeHeap is a binary min-heap of the backends that can take a grant now, best first
// (Williams 1964). Each backend knows its place, so that a changed score costs
// O(log n) and choosing costs O(1).
type freeHeap struct {
	kind  int
	zone  string
	items []*backend
}

// before orders by score; among equals the one that was chosen longest ago comes first,
// so that equal backends take turns.
func before(a, b *backend) bool {
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
		return h.items[0]
	}
	var best *backend
	for _, b := range h.items {
		if !contains(exclude, b.name) && (best == nil || before(b, best)) {
			best = b
		}
	}
	return best
}

// put has b in the heap, in its place, or not in it.
func (h *freeHeap) put(b *backend, in bool) {
	switch at := b.place[h.kind]; {
	case in && at == nowhere:
		h.add(b)
	case in:
		h.fix(at)
	case at != nowhere:
		h.remove(b)
	}
}

func (h *freeHeap) add(b *backend) {
	b.place[h.kind] = len(h.items)
	h.items = append(h.items, b)
	h.up(len(h.items) - 1)
}

func (h *freeHeap) remove(b *backend) {
	i, last := b.place[h.kind], len(h.items)-1
	h.items[i] = h.items[last]
	h.items[i].place[h.kind] = i
	h.items[last] = nil
	h.items = h.items[:last]
	b.place[h.kind] = nowhere
	if i < last {
		h.fix(i)
	}
}

// fix restores the order after the score of the backend at i changed.
func (h *freeHeap) fix(i int) {
	if !h.up(i) {
		h.down(i)
	}
}

func (h *freeHeap) up(i int) (moved bool) {
	for i > 0 {
		parent := (i - 1) / 2
		if !before(h.items[i], h.items[parent]) {
			break
		}
		h.swap(i, parent)
		i, moved = parent, true
	}
	return moved
}

func (h *freeHeap) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(h.items) {
			return
		}
		if right := child + 1; right < len(h.items) && before(h.items[right], h.items[child]) {
			child = right
		}
		if !before(h.items[child], h.items[i]) {
			return
		}
		h.swap(i, child)
		i = child
	}
}

func (h *freeHeap) swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	h.items[i].place[h.kind], h.items[j].place[h.kind] = i, j
}
