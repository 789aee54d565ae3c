package dispatch

// node makes its owner an element of a list. An owner that is in several lists has a
// node for each.
type node[T any] struct {
	prev, next *node[T]
	in         *list[T]
	owner      *T
}

// list is a doubly linked list through nodes that its elements own, so that adding and
// removing cost no allocation and no search.
type list[T any] struct {
	first, last *node[T]
	len         int
}

// head returns the first element, or nil.
func (l *list[T]) head() *T {
	if l.first == nil {
		return nil
	}
	return l.first.owner
}

// after returns the element that follows n, or nil.
func (n *node[T]) after() *T {
	if n.next == nil {
		return nil
	}
	return n.next.owner
}

// push adds n at the end.
func (l *list[T]) push(n *node[T]) { l.insertAfter(l.last, n) }

// insertAfter adds n behind at, or first where at is nil.
func (l *list[T]) insertAfter(at, n *node[T]) {
	n.in, n.prev = l, at
	if at == nil {
		n.next, l.first = l.first, n
	} else {
		n.next, at.next = at.next, n
	}
	if n.next == nil {
		l.last = n
	} else {
		n.next.prev = n
	}
	l.len++
}

// insertSorted adds n to a list that is in order, behind those that are not after it. The
// search begins at the end, and goes on from near, which may be in the list or not.
func (l *list[T]) insertSorted(n, near *node[T], before func(a, b *T) bool) {
	at := l.last
	if at == nil || !before(n.owner, at.owner) {
		l.insertAfter(at, n)
		return
	}
	if near != nil && near.in == l {
		at = near
	}
	for at != nil && before(n.owner, at.owner) {
		at = at.prev
	}
	for next := l.following(at); next != nil && !before(n.owner, next.owner); next = next.next {
		at = next
	}
	l.insertAfter(at, n)
}

// following returns the node behind at, or the first one where at is nil.
func (l *list[T]) following(at *node[T]) *node[T] {
	if at == nil {
		return l.first
	}
	return at.next
}

// remove takes n out of the list that it is in, if it is in one.
func (n *node[T]) remove() {
	l := n.in
	if l == nil {
		return
	}
	if n.prev == nil {
		l.first = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		l.last = n.prev
	} else {
		n.next.prev = n.prev
	}
	n.prev, n.next, n.in = nil, nil, nil
	l.len--
}
