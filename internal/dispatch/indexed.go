package dispatch

// indexed is a binary min-heap (Williams 1964) whose elements know their place, so that
// one that changes or leaves costs O(log n).
type indexed[T any] struct {
	items  []*T
	before func(a, b *T) bool
	place  func(*T) *int // where an element keeps its place; nowhere: it is not in the heap
}

// top returns the first element, or nil.
func (h *indexed[T]) top() *T {
	if len(h.items) == 0 {
		return nil
	}
	return h.items[0]
}

// push adds x, which is not in the heap.
func (h *indexed[T]) push(x *T) {
	h.items = append(h.items, x)
	h.rise(len(h.items)-1, x)
}

// fix puts x in its place after a change.
func (h *indexed[T]) fix(x *T) {
	at := *h.place(x)
	if h.rise(at, x) == at {
		h.sink(at, x)
	}
}

// remove takes x out, if it is in the heap.
func (h *indexed[T]) remove(x *T) {
	at := *h.place(x)
	if at == nowhere {
		return
	}
	*h.place(x) = nowhere
	last := len(h.items) - 1
	moved := h.items[last]
	h.items[last] = nil
	h.items = h.items[:last]
	if at < last {
		*h.place(moved) = at
		h.items[at] = moved
		h.fix(moved)
	}
}

func (h *indexed[T]) rise(at int, x *T) int {
	for at > 0 {
		parent := (at - 1) / 2
		if !h.before(x, h.items[parent]) {
			break
		}
		h.set(at, h.items[parent])
		at = parent
	}
	h.set(at, x)
	return at
}

func (h *indexed[T]) sink(at int, x *T) {
	for {
		child := 2*at + 1
		if child >= len(h.items) {
			break
		}
		if right := child + 1; right < len(h.items) && h.before(h.items[right], h.items[child]) {
			child = right
		}
		if !h.before(h.items[child], x) {
			break
		}
		h.set(at, h.items[child])
		at = child
	}
	h.set(at, x)
}

func (h *indexed[T]) set(at int, x *T) {
	h.items[at] = x
	*h.place(x) = at
}
