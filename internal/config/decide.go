package config

import (
	"fmt"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Decide is who chooses the backend of a request.
type Decide string

// Who decides.
const (
	DecideController Decide = "controller"
	DecideProxy      Decide = "proxy"
	// DecideAuto is the controller while requests last so long that asking does not count,
	// else each proxy.
	DecideAuto Decide = "auto"
)

// MayProxiesDecide tells whether proxies choose, or may come to choose, the pool's backends
// themselves. Where slots bound they never do: the bound is one number for all proxies.
func (p *Pool) MayProxiesDecide() bool {
	return p.Workers > 0 && (p.Decide == DecideProxy || p.Decide == DecideAuto)
}

// ServesAlone tells whether proxies can serve the pool while no controller lives: not where
// backends are told of each grant, or clients are sent to them.
func (p *Pool) ServesAlone() bool {
	return p.Assign == fleet.AssignNone && p.Link != Direct && !p.Tickets
}

// SharesSlots tells whether proxies can have slots of the pool in hand.
func (p *Pool) SharesSlots() bool { return p.Workers == 0 && p.ServesAlone() }

// checkPermits refuses permits where each request needs a grant of its own.
func (d *decoder) checkPermits(p *poolDraft) {
	if !p.permits.or(false) {
		return
	}
	refuse := func(problem string) {
		d.report(p.permits.at, complaint{"has no meaning for a pool " + problem, "remove the key, or write permits: false"})
	}
	switch {
	case p.holds():
		refuse("with workers: a permit is a slot that a proxy keeps; decide: auto saves the way to the controller there")
	case p.link.or(Proxied) == Direct:
		refuse("with direct links, as the grant is its backend's")
	case p.assign.or(fleet.AssignNone) != fleet.AssignNone:
		refuse("that assigns, as its backends are told of each grant")
	case p.tickets.or(false):
		refuse("with tickets, as each is good once")
	case p.prefer.or(PreferNone) == PreferZone:
		refuse("that prefers the client's zone, as the slot that a proxy keeps may be in another")
	}
}

// checkDecide refuses to have proxies decide where only a grant of the controller's will
// do.
func (d *decoder) checkDecide(p *poolDraft) {
	who := p.decide.or(DecideController)
	if !p.decide.good() || who == DecideController {
		return
	}
	refuse := func(problem, fix string) { d.report(p.decide.at, complaint{problem, fix}) }
	const orElse = ", or set decide to controller"
	switch {
	case p.link.or(Proxied) == Direct:
		refuse(fmt.Sprintf("must be controller for a pool with direct links, got %s: its clients need grants", who), "set link to proxied"+orElse)
	case p.assign.or(fleet.AssignNone) != fleet.AssignNone:
		refuse(fmt.Sprintf("must be controller for a pool that assigns, got %s: only the controller can tell a backend of a request", who), "remove assign"+orElse)
	case p.tickets.or(false):
		refuse(fmt.Sprintf("must be controller for a pool with tickets, got %s: only the controller signs them", who), "remove tickets"+orElse)
	case who == DecideProxy && !p.holds():
		refuse("proxies that decide for themselves could together exceed the slots, which bound what all of them send a backend",
			"if its backends may queue requests themselves, write workers in place of slots; else set decide to controller")
	}
}
