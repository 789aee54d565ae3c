package dispatch

import (
	"math"

	"github.com/fairlead/fairlead/internal/fleet"
)

// wake is something that happens to a backend later.
type wake struct {
	at   fleet.Time
	what waking
	on   *backend
	mark uint64 // of all but slotRests: void unless on's is the same
}

type waking uint8

const (
	slotRests    waking = iota // a slot that rested after an error may be used again
	agentGone                  // the agent's grace is over
	ejectionOver               // it may take requests again
	backendLost                // it has been down for so long that its grants end
)

// wakeAt adds to a binary min-heap by time.
func (p *Pool) wakeAt(w wake) {
	h := append(p.wakes, w)
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if h[parent].at <= h[i].at {
			break
		}
		h[parent], h[i] = h[i], h[parent]
		i = parent
	}
	p.wakes = h
}

// popWake takes the earliest off.
func (p *Pool) popWake() wake {
	h := p.wakes
	first, last := h[0], len(h)-1
	h[0], h[last] = h[last], wake{}
	h = h[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && h[child+1].at < h[child].at {
			child++
		}
		if h[i].at <= h[child].at {
			break
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
	p.wakes = h
	return first
}

func (p *Pool) wakeUp() {
	for len(p.wakes) > 0 && p.wakes[0].at <= p.now {
		switch w := p.popWake(); w.what {
		case slotRests:
			w.on.resting--
			p.refresh(w.on)
		case ejectionOver:
			if w.on.ejectMark == w.mark {
				p.readmit(w.on)
				p.refresh(w.on)
			}
		case agentGone:
			if w.on.agentMark == w.mark {
				p.leave(w.on.name, FromAgent)
			}
		case backendLost:
			if w.on.healthMark == w.mark {
				p.lose(w.on)
			}
		}
	}
}

// lose ends the grants of a backend that is gone.
func (p *Pool) lose(b *backend) {
	b.lost = true
	for g := b.live.head(); g != nil; {
		next := g.inBackend.after()
		if g.offer != nil {
			p.recall(g, fleet.BackendLost)
			p.rescind(g)
		} else {
			p.revoke(g, fleet.BackendLost)
		}
		g = next
	}
}

// stir has time looked at, because something has happened that time will change.
func (p *Pool) stir() {
	if p.beatAt == 0 {
		p.beatAt = p.now.Add(beat)
	}
}

// beat does what time alone brings: reports age, errors are forgiven one by one, and
// idle backends are given another chance, their speed drifting to the pool's. It goes on while there is anything left
// to change, so that a pool at rest costs nothing.
func (p *Pool) beat() {
	p.beatAt = 0
	p.alternate()
	for _, b := range p.order {
		changed := false
		if b.reportWeight > 0 {
			b.reportWeight = weigh(p.now.Sub(b.reportAt))
			b.foreignWeight = weigh(p.now.Sub(b.foreignAt))
			changed = true
		}
		if b.samples > 0 && b.live.len == 0 && math.Abs(p.speed-b.speed) > 0.001 {
			if p.now.Sub(b.heard) >= idleAfter {
				b.speed += idleDrift * (p.speed - b.speed)
			}
			changed = true
		}
		if b.upAt != 0 {
			if p.now.Sub(b.upAt) >= p.spec.SlowStart {
				b.upAt = 0
			}
			changed = true
		}
		if b.errs > 0 {
			if p.now.Sub(b.errAt) >= forgiveAfter {
				b.errs--
				b.errAt = p.now
			}
			changed = true
		}
		if changed {
			p.refresh(b)
			p.stir()
		} else if b.samples == 0 {
			p.refresh(b) // its score is the pool's speed
		}
	}
}
