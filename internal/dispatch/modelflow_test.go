package dispatch

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/internal/fleet"
)

// modelFlow is one flow of a class: start-time fair queueing, as its paper has it.
type modelFlow struct {
	class fleet.Class
	name  string
	start float64
}

func (a *modelAsk) class() fleet.Class { return classOf(a.about) }

func (m *model) flow(class fleet.Class, name string) *modelFlow {
	for _, f := range m.flows {
		if f.class == class && f.name == name {
			return f
		}
	}
	f := &modelFlow{class: class, name: name}
	m.flows = append(m.flows, f)
	return f
}

func (m *model) flowOf(a *modelAsk) *modelFlow { return m.flow(a.class(), aboutOf(a.about).Flow) }

// readTurns takes over from the Pool how far each flow is.
func (m *model) readTurns(p *Pool) {
	for class := range p.ranks {
		m.turns[class] = p.ranks[class].now
	}
	for _, f := range m.flows {
		f.start = 0 // as of one that is forgotten, and begins when it comes back
		if of := p.ranks[f.class].flows[f.name]; of != nil {
			f.start = of.start
		}
	}
}

func (m *model) weight(f *modelFlow) float64 {
	if w := m.spec.FlowWeights[f.name]; w > 0 {
		return w
	}
	return 1
}

// waiting counts those of a class, and of a flow of it.
func (m *model) waiting(f *modelFlow) (ofClass, ofFlow int) {
	for _, a := range m.asks {
		if a.class() == f.class {
			ofClass++
		}
		if m.flowOf(a) == f {
			ofFlow++
		}
	}
	return ofClass, ofFlow
}

// joinFlow has a flow that had nobody waiting start now, and not in the past.
func (m *model) joinFlow(a *modelAsk) {
	f := m.flowOf(a)
	if _, n := m.waiting(f); n == 0 {
		f.start = max(f.start, m.turns[f.class])
	}
}

// turn charges the flow of an ask that is granted from the queue.
func (m *model) turn(a *modelAsk) {
	f := m.flowOf(a)
	m.turns[f.class] = max(m.turns[f.class], f.start)
	f.start += 1 / m.weight(f)
}

// leaveClass has everyone start anew when nobody of a class waits.
func (m *model) leaveClass(class fleet.Class) {
	for _, a := range m.asks {
		if a.class() == class {
			return
		}
	}
	m.turns[class] = 0
	for _, f := range m.flows {
		if f.class == class {
			f.start = 0
		}
	}
}

// sooner tells whether a goes before b.
func (m *model) sooner(a, b *modelAsk) bool {
	if a.class() != b.class() {
		return a.class() < b.class()
	}
	if fa, fb := m.flowOf(a), m.flowOf(b); fa != fb && fa.start != fb.start {
		return fa.start < fb.start
	}
	if a.arrived != b.arrived {
		return a.arrived < b.arrived
	}
	return a.came < b.came
}

// until is for how long an ask may wait.
func (m *model) until(a *modelAsk) fleet.Time {
	if own := m.spec.Classes[a.class()].Timeout; own > 0 {
		return a.arrived.Add(own)
	}
	return a.arrived.Add(m.spec.QueueTimeout)
}

// shed checks that a had to go for the queue's limit: it came and nobody was less worth a
// place; or it was, of those whom somebody who came could drive out.
func (m *model) shed(a *modelAsk, isNew bool) error {
	came := a
	if !isNew {
		if came = m.newcomer; came == nil {
			return errors.New("nobody came")
		}
	}
	mine := m.flowOf(came)
	ofClass, ofMine := m.waiting(mine)
	total, least := len(m.asks), came.class() // the one who goes is not among them any more
	if !isNew {
		total, ofMine = total-1, ofMine-1 // came is
		if came.class() == mine.class {
			ofClass--
		}
	}
	limit := m.spec.Classes[mine.class].Limit
	if !isNew && a.class() == mine.class {
		ofClass++
	}
	if !isNew {
		total++
	}
	full, crowded := total >= m.spec.QueueLimit, limit > 0 && ofClass >= limit
	if !full && !crowded {
		return fmt.Errorf("the queue was not full: %d wait, %d of the class", total, ofClass)
	}
	for _, o := range m.asks {
		if len(o.exclude) == 0 && o.back == 0 && o != came {
			least = max(least, o.class())
		}
	}
	if isNew {
		if least > mine.class && !crowded {
			return errors.New("somebody of a lower class waits")
		}
		return nil
	}
	length := func(f *modelFlow, more int) float64 {
		_, n := m.waiting(f)
		return float64(n+more) / m.weight(f)
	}
	switch f := m.flowOf(a); {
	case a.class() < mine.class:
		return errors.New("it is of a higher class")
	case a.class() > mine.class:
		if crowded || a.class() < least {
			return errors.New("it is not of the lowest class, or that does not help")
		}
	case f != mine && slices.ContainsFunc(m.asks, func(o *modelAsk) bool { return o.back == m.steps }):
		// Who is back from a backend that declined was not in the queue then.
	case f == mine, length(f, 1) <= float64(ofMine+1)/m.weight(mine):
		return errors.New("its flow has no more than the newcomer's")
	}
	return nil
}
