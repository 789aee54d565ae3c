package sim

import (
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/strict"
)

// pool reads the pool's policy, in the words of the config.
func (s *sheet) pool() strict.Reader {
	p := &s.sc.Pool.PoolSpec
	minute := func(purpose string) func(ast.Node) (time.Duration, *strict.Complaint) {
		return readTime(time.Millisecond, time.Hour, false, purpose)
	}
	orNever := func(purpose string) func(ast.Node) (time.Duration, *strict.Complaint) {
		return readTime(time.Millisecond, 365*24*time.Hour, true, purpose)
	}
	return s.within(strict.Keys{
		"slots":   s.bound(&p.Slots, &p.Workers),
		"workers": s.bound(&p.Workers, &p.Slots),
		"learn":   into(s, &p.Learn, strict.YesOrNo),
		"queue": s.within(strict.Keys{
			"limit":   into(s, &p.QueueLimit, strict.Whole(0, maxQueue, "say how many requests may wait")),
			"timeout": into(s, &p.QueueTimeout, minute("say how long a request may wait")),
		}),
		"assign":         into(s, &p.Assign, readAssign),
		"assign_timeout": into(s, &p.AssignTimeout, minute("say how long a backend may think about an assignment")),
		"link":           into(s, &p.Direct, readLink),
		"ticket_life":    into(s, &p.TicketLife, minute("say how long a ticket is good")),
		"prefer":         into(s, &p.PreferZone, readPrefer),
		"spill_after":    into(s, &p.SpillAfter, orNever("say how long a request waits for its zone before another will do")),
		"slow_start":     into(s, &p.SlowStart, orNever("say how long a backend takes to all of its slots, or 0")),
		"permits":        into(s, &p.Permits, strict.YesOrNo),
		"grant_limit":    into(s, &p.GrantLimit, orNever("say how long one request may last, or 0 for any time")),
		"lost_after":     into(s, &p.LostAfter, orNever("say how long a backend is down before its requests end, or 0 for never")),
		"grace":          into(s, &p.Grace, minute("say how long grants outlive their proxy's session")),
		"classes":        s.classes(&p.Classes),
		"flows":          s.flowWeights(&p.FlowWeights),
		"eject": s.within(strict.Keys{
			"errors": into(s, &p.Eject.Errors, strict.Whole(0, 1000, "say after how many errors in a row, or 0 for never")),
			"for":    into(s, &p.Eject.For, minute("say for how long the first time")),
			"most":   into(s, &p.Eject.Most, readShare(0, 1, "say what share of the backends may be out at once")),
		}),
		"retry_budget": s.within(strict.Keys{
			"ratio": into(s, &p.Budget.Ratio, readShare(0, 10, "say how many retries there may be for each request")),
			"least": into(s, &p.Budget.Least, readShare(0, 1e6, "say how many retries a second there may be in any case")),
		}),
	})
}

// bound reads slots or workers, of which the one that is said last counts, so that a cell
// can change its base's.
func (s *sheet) bound(dst, other *int) strict.Reader {
	read := into(s, dst, strict.Whole(1, maxServers, "say how many requests one backend can serve at once"))
	return func(n ast.Node, at strict.Where) {
		read(n, at)
		_, slots := s.places["pool.slots"]
		_, workers := s.places["pool.workers"]
		if slots && workers {
			s.Report(at, strict.Complaint{Problem: "slots and workers exclude each other", Fix: "keep slots for a hard bound, or workers for backends with a queue of their own"})
		}
		*other = 0
	}
}

func (s *sheet) classes(dst *[fleet.Classes]fleet.ClassSpec) strict.Reader {
	keys := strict.Keys{}
	for c := fleet.Critical; c < fleet.Classes; c++ {
		keys[c.String()] = s.within(strict.Keys{
			"limit":   into(s, &dst[c].Limit, strict.Whole(0, maxQueue, "say how many requests of the class may wait, or 0 for the pool's limit")),
			"timeout": into(s, &dst[c].Timeout, readTime(time.Millisecond, time.Hour, true, "say how long one may wait, or 0 for as long as the pool says")),
		})
	}
	return s.within(keys)
}

// flowWeight is one item of the pool's flows.
type flowWeight struct {
	name   string
	weight float64
}

func (s *sheet) flowWeights(dst *map[string]float64) strict.Reader {
	return s.orNone(func() { *dst = nil }, func(n ast.Node, at strict.Where) {
		var all []flowWeight
		listOf(s, &all, maxGroups, sections(s, func(w *flowWeight) strict.Keys {
			return strict.Keys{
				"name":   into(s, &w.name, strict.Text(readWord)),
				"weight": into(s, &w.weight, readFactor("say how much the flow gets, relative to others, which have 1")),
			}
		}))(n, at)
		weights := map[string]float64{}
		for _, w := range all {
			_, twice := weights[w.name]
			switch {
			case w.name == "" || w.weight == 0:
				s.Report(at, strict.Complaint{Problem: "an item lacks its name or weight", Fix: "write {name: NAME, weight: NUMBER}"})
			case twice:
				s.Report(at, strict.Complaint{Problem: "has " + w.name + " twice", Fix: "remove one of them"})
			}
			weights[w.name] = w.weight
		}
		*dst = weights
	})
}

func readAssign(n ast.Node) (fleet.Assign, *strict.Complaint) {
	word, bad := strict.OneOf("assign", []string{"none", "notify", "confirm"})(n)
	for _, a := range []fleet.Assign{fleet.AssignNotify, fleet.AssignConfirm} {
		if a.String() == word {
			return a, nil
		}
	}
	return fleet.AssignNone, bad
}

func readLink(n ast.Node) (direct bool, bad *strict.Complaint) {
	word, bad := strict.OneOf("link", []string{"proxied", "direct"})(n)
	return word == "direct", bad
}

func readPrefer(n ast.Node) (zone bool, bad *strict.Complaint) {
	word, bad := strict.OneOf("prefer", []string{"none", "zone"})(n)
	return word == "zone", bad
}
