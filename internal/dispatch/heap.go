package dispatch

// freeHeap is a binary min-heap of the backends that can take a grant now, best first
// (Williams 1964). Each backend knows its place, so that a changed score costs
// O(log n) and choosing costs O(1).
type freeHeap []*backend

// before orders by score; among equals the one that was chosen longest ago comes first,
// so that equal backends take turns.
func before(a, b *backend) bool {
	if a.score != b.score {
		return a.score < b.score
	}
	return a.chosen < b.chosen
}

func (h freeHeap) best() *backend {
	if len(h) == 0 {
		return nil
	}
	return h[0]
}

func (h *freeHeap) add(b *backend) {
	b.place = len(*h)
	*h = append(*h, b)
	h.up(b.place)
}

func (h *freeHeap) remove(b *backend) {
	old, i := *h, b.place
	last := len(old) - 1
	old[i] = old[last]
	old[i].place = i
	old[last] = nil
	*h = old[:last]
	b.place = nowhere
	if i < last {
		h.fix(i)
	}
}

// fix restores the order after the score of the backend at i changed.
func (h freeHeap) fix(i int) {
	if !h.up(i) {
		h.down(i)
	}
}

func (h freeHeap) up(i int) (moved bool) {
	for i > 0 {
		parent := (i - 1) / 2
		if !before(h[i], h[parent]) {
			break
		}
		h.swap(i, parent)
		i, moved = parent, true
	}
	return moved
}

func (h freeHeap) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(h) {
			return
		}
		if right := child + 1; right < len(h) && before(h[right], h[child]) {
			child = right
		}
		if !before(h[child], h[i]) {
			return
		}
		h.swap(i, child)
		i = child
	}
}

func (h freeHeap) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}
