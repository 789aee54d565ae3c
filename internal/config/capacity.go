package config

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"github.com/fairlead/fairlead/internal/strict"
)

const (
	slotsFix   = "set slots to the number of requests that one backend can serve at once"
	workersFix = "set workers to the number of requests that one backend works on at once, or to auto"
	// either of them has to be there.
	capacityFix = slotsFix + ", or, if backends have a queue of their own, workers"
)

// capacity is how much a backend can do: a number, or that it is learnt.
type capacity struct {
	n     int
	learn bool
}

// learnt returns a converter of a capacity.
func learnt(fix string) func(ast.Node) (capacity, *complaint) {
	return func(n ast.Node) (capacity, *complaint) {
		if word, ok := strict.TextOf(n); ok && word == "auto" {
			return capacity{1, true}, nil // it begins with one
		}
		got, bad := whole(1, maxSlots, fix)(n)
		return capacity{n: got}, bad
	}
}

// checkSlots wants to know what bounds every backend that there may ever be. How many
// requests a backend can serve is what Fairlead is about, so there is no guess unless one
// is asked for.
func (d *decoder) checkSlots(p *poolDraft) {
	switch {
	case p.slots.given && p.workers.given:
		d.report(p.workers.at, complaint{
			fmt.Sprintf("the pool has slots, in line %d, which bound its backends already", p.slots.at.Line),
			"keep slots for backends that must never have more, or workers for backends that have a queue of their own"})
		return
	case p.slots.broken, p.workers.broken, p.backends.broken:
		return
	}
	d.checkOwn(p)
	if p.slots.given || p.workers.given {
		return
	}
	if p.agents.or(false) {
		d.report(p.at.Under("slots"), complaint{"is missing", capacityFix + ", for agents that do not say"})
		return
	}
	for _, b := range p.backends.got {
		if !b.slots.given && !b.workers.given {
			d.report(p.at.Under("slots"), complaint{
				fmt.Sprintf("is missing, and %s does not set its own", b.at.Key), capacityFix})
			return
		}
	}
}

// checkOwn holds what backends set for themselves against what the pool has: slots or
// workers, and the same of all.
func (d *decoder) checkOwn(p *poolDraft) {
	hold := p.holds()
	for _, b := range p.backends.got {
		switch {
		case b.slots.given && hold:
			d.report(b.slots.at, complaint{"the pool's backends have workers, and a queue of their own", "set workers instead"})
		case b.workers.given && !hold:
			d.report(b.workers.at, complaint{"the pool's backends have slots, which are never exceeded", "set slots instead, or workers of the pool"})
		}
	}
}

// holds tells whether the pool's backends have workers: as it says itself, else as its
// first backend does.
func (p *poolDraft) holds() bool {
	if p.slots.given || p.workers.given {
		return p.workers.given || p.slots.got.learn
	}
	for _, b := range p.backends.got {
		if b.slots.given || b.workers.given {
			return b.workers.given
		}
	}
	return false
}

// capacity returns what the pool of a good draft gives a backend that does not say.
func (p *poolDraft) capacity() (slots, workers int, learn bool) {
	got := p.slots.or(capacity{n: 1}) // without it every backend has its own
	if p.workers.good() {
		got = p.workers.got
	}
	if p.holds() {
		return 0, got.n, got.learn
	}
	return got.n, 0, false
}
