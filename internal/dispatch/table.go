package dispatch

import (
	"math/bits"

	"github.com/fairlead/fairlead/internal/fleet"
)

// grantTable finds living grants by their ID. It is a hash table with open addressing and
// linear probing, and deletion by shifting back (Knuth, The Art of Computer Programming 3,
// 6.4, algorithm R): each decision puts one in and takes one out, and this costs a third
// of what the built-in map does.
type grantTable struct {
	cells []cell // a power of two of them
	shift int
	len   int
}

type cell struct {
	number uint64
	grant  *grant // nil: empty
}

const leastCells = 64

func newGrantTable() grantTable {
	return grantTable{cells: make([]cell, leastCells), shift: 64 - bits.TrailingZeros(leastCells)}
}

// home returns where a number belongs: multiplicative hashing (Knuth, 6.4).
func (t *grantTable) home(number uint64) int {
	return int(number * 0x9e3779b97f4a7c15 >> t.shift)
}

// get returns the grant of that ID, or nil.
func (t *grantTable) get(id fleet.GrantID) *grant {
	for at := t.home(id.Number); ; at = (at + 1) & (len(t.cells) - 1) {
		c := &t.cells[at]
		if c.grant == nil || c.number == id.Number && c.grant.id == id {
			return c.grant
		}
	}
}

// put adds a grant whose ID is not there.
func (t *grantTable) put(g *grant) {
	if t.len >= len(t.cells)/2 {
		t.resize(2 * len(t.cells))
	}
	t.len++
	t.insert(cell{g.id.Number, g})
}

func (t *grantTable) insert(c cell) {
	at := t.home(c.number)
	for t.cells[at].grant != nil {
		at = (at + 1) & (len(t.cells) - 1)
	}
	t.cells[at] = c
}

// remove takes out a grant that is there.
func (t *grantTable) remove(g *grant) {
	mask := len(t.cells) - 1
	at := t.home(g.id.Number)
	for t.cells[at].grant != g {
		at = (at + 1) & mask
	}
	for next := (at + 1) & mask; t.cells[next].grant != nil; next = (next + 1) & mask {
		// Whoever's home is not between the gap and here may fill the gap.
		if home := t.home(t.cells[next].number); (next-home)&mask >= (next-at)&mask {
			t.cells[at] = t.cells[next]
			at = next
		}
	}
	t.cells[at] = cell{}
	t.len--
	if len(t.cells) > leastCells && t.len < len(t.cells)/16 {
		t.resize(len(t.cells) / 4)
	}
}

func (t *grantTable) resize(n int) {
	old := t.cells
	t.cells, t.shift = make([]cell, n), 64-bits.TrailingZeros(uint(n))
	for _, c := range old {
		if c.grant != nil {
			t.insert(c)
		}
	}
}
