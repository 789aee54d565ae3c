package dispatch

import (
	"cmp"
	"slices"

	"github.com/fairlead/fairlead/internal/fleet"
)

// describe takes in where a backend is and what it is like.
func (p *Pool) describe(b *backend, source Source, spec *fleet.BackendSpec) {
	if spec.Zone != "" && spec.Zone != b.zone {
		p.unzone(b)
		b.zone = spec.Zone
		p.zones[b.zone]++
	}
	b.labelsSay[source] = spec.Labels
	p.relabel(b, union(b.labelsSay[FromConfig], b.labelsSay[FromAgent]))
	if spec.Weight > 0 {
		b.saidWeight = spec.Weight
	}
	p.reweigh(b)
	p.move(b)
}

// reweigh has a backend weigh what an operator says, else what was said of it.
func (p *Pool) reweigh(b *backend) {
	if w := cmp.Or(b.handWeight, b.saidWeight, 1); w != b.weight {
		b.weight = w
		p.outdate(b)
	}
}

// adjust takes in what an operator says of a backend.
func (p *Pool) adjust(in *Adjust) {
	b := p.byName[in.Backend]
	if b == nil {
		p.counts.Stray++
		return
	}
	before := p.size(b)
	b.handSlots, b.handWeight = max(in.Slots, 0), max(in.Weight, 0)
	p.reweigh(b)
	p.move(b)
	if b.known[FromAgent] && before != p.size(b) {
		p.tell(b)
	}
	if p.size(b) < before {
		p.reclaimOn(b)
	}
	p.refresh(b)
}

// relabel gives a backend other labels. How many have each one is counted, so that a request
// which requires one that nobody has costs no look at anybody.
func (p *Pool) relabel(b *backend, labels []string) {
	for _, l := range b.labels {
		if p.labels[l]--; p.labels[l] == 0 {
			delete(p.labels, l)
		}
	}
	b.labels = labels
	for _, l := range labels {
		p.labels[l]++
	}
}

// union returns what is in either of two sorted lists, sorted.
func union(a, b []string) []string {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

func (p *Pool) unzone(b *backend) {
	if p.zones[b.zone]--; p.zones[b.zone] == 0 {
		delete(p.zones, b.zone)
	}
}
