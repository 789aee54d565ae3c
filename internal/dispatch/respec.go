package dispatch

import "github.com/fairlead/fairlead/internal/fleet"

// respec has the pool be as another spec says.
func (p *Pool) respec(spec *fleet.PoolSpec) {
	was := p.spec
	p.spec = *spec
	p.spec.FirstGrant = was.FirstGrant // grants are numbered on
	p.spec.Workers, p.spec.Learn = was.Workers, was.Learn
	if !was.Learn && was.Workers > 0 && spec.Workers > 0 {
		p.spec.Workers = spec.Workers
	}
	p.spec.Assign, p.spec.Direct = was.Assign, was.Direct
	for _, b := range p.order {
		before := b.worth.size
		p.refresh(b)
		if b.known[FromAgent] && before != b.worth.size {
			p.tell(b)
		}
	}
	for g := p.kept.head(); g != nil; g = g.inTime.after() {
		if !lends(&p.spec) {
			p.reclaim(g)
		}
	}
	p.drainQueue()
}
