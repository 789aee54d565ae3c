package dispatch

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/internal/fleet"
)

// parseInput reads what proseInput writes.
func parseInput(line string) (Input, error) {
	w := &words{left: strings.Fields(line)}
	in := w.input()
	if w.err == nil && len(w.left) > 0 {
		w.fail("%q was not understood", strings.Join(w.left, " "))
	}
	if w.err != nil {
		return nil, fmt.Errorf("%s: %w", line, w.err)
	}
	return in, nil
}

func (w *words) input() Input {
	switch verb := w.next(); verb {
	case "ask":
		return w.ask()
	case "withdraw":
		return &Withdraw{Proxy: w.proxy(), Ask: w.askID()}
	case "done":
		return w.done()
	case "session":
		return w.session()
	case "disconnect":
		return &SessionLost{Proxy: w.proxy()}
	case "tick":
		return &Tick{}
	default:
		return w.ofBackend(verb)
	}
}

// ofBackend reads what is said of one.
func (w *words) ofBackend(verb string) Input {
	switch verb {
	case "report":
		in := &Report{Backend: w.backend()}
		var seen fleet.Seen
		for len(w.left) > 0 {
			w.pair(w.next(), &seen)
		}
		in.Load = seen.Report
		return in
	case "join":
		return w.join()
	case "leave":
		return &Leave{Source: w.source(), Backend: w.backend()}
	case "agent-lost":
		return &AgentLost{Backend: w.backend()}
	case "answer":
		return &Answer{Backend: w.backend(), Grant: w.grant(w.next()), Rejection: w.rejection()}
	case "arrival":
		return &Arrival{Backend: w.backend(), Grant: w.grant(w.next())}
	case "ended":
		latency := w.optionalSpan("after")
		return &Ended{Latency: latency, Backend: w.backend(), Grant: w.grant(w.next()), Outcome: w.outcome()}
	case "up", "down":
		in := &Health{Up: verb == "up", Backend: w.backend(), Why: strings.Join(w.left, " ")}
		w.left = nil
		return in
	case "drain", "undrain":
		return &Override{Drain: verb == "drain", Source: w.source(), Backend: w.backend()}
	default:
		w.fail("%q is no command", verb)
		return &Tick{}
	}
}

func (w *words) ask() *Ask {
	in := &Ask{Waited: w.optionalSpan("waited")}
	if s, ok := w.after("except"); ok {
		for _, name := range strings.Split(s, ",") {
			in.Exclude = append(in.Exclude, fleet.BackendName(name))
		}
	}
	for s, ok := w.after("saw"); ok; s, ok = w.after("saw") {
		in.Seen = append(in.Seen, w.seen(s))
	}
	in.Zone, _ = w.after("zone")
	in.About = w.about()
	in.RoundTrip = w.optionalSpan("trip")
	in.Proxy, in.ID = w.proxy(), w.askID()
	return in
}

// about reads what is said of a request; nil: nothing is.
func (w *words) about() *fleet.About {
	var a fleet.About
	a.Path, _ = w.after("about")
	if s, ok := w.after("class"); ok {
		a.Class = w.class(s)
	}
	a.Flow, _ = w.after("flow")
	a.Labels = w.list("labels")
	a.Affinity, _ = w.after("affinity")
	a.Deadline = w.optionalSpan("deadline")
	if proseAbout(&a) == "" {
		return nil
	}
	return &a
}

func (w *words) done() *Done {
	in := &Done{Latency: w.optionalSpan("after")}
	if s, ok := w.after("saw"); ok {
		in.Seen = w.seen(s)
	}
	in.Proxy, in.Grant, in.Outcome = w.proxy(), w.grant(w.next()), w.outcome()
	return in
}

func (w *words) session() *SessionUp {
	return &SessionUp{Proxy: w.proxy(), Live: w.live()}
}

func (w *words) join() *Join {
	in := &Join{Source: w.source()}
	for i, s := range w.left {
		if s == "live" {
			of := &words{left: w.left[i+1:]}
			w.left = w.left[:i]
			in.Live, w.err = of.live(), of.err
			break
		}
	}
	in.Spec.Zone, _ = w.after("zone")
	if s, ok := w.after("slots"); ok {
		in.Spec.Slots = w.number(s)
	}
	if s, ok := w.after("workers"); ok {
		in.Spec.Workers = w.number(s)
	}
	if s, ok := w.after("weight"); ok {
		in.Spec.Weight = w.float(s)
	}
	in.Spec.Labels = w.list("labels")
	if s, ok := w.after("as"); ok {
		in.Agent = fleet.ProxyID(w.number(strings.TrimPrefix(s, "p")))
	}
	in.Assigns, in.Directs = w.flag("assigns"), w.flag("directs")
	in.Spec.Name = w.backend()
	return in
}

func (w *words) rejection() fleet.Rejection {
	s := w.next()
	for i, name := range rejections {
		if name == s {
			return fleet.Rejection(i)
		}
	}
	w.fail("%q is no answer", s)
	return 0
}

// live reads all that is left as grants that are still used.
func (w *words) live() (live []fleet.LiveGrant) {
	for len(w.left) > 0 {
		s := w.next()
		id, place, _ := strings.Cut(s, "@")
		backend, held, ok := strings.Cut(place, ":")
		if !ok {
			w.fail("%q is not grant@backend:held", s)
			return live
		}
		live = append(live, fleet.LiveGrant{
			ID: w.grant(id), Backend: fleet.BackendName(backend), Held: w.span(held),
		})
	}
	return live
}

func (w *words) seen(s string) fleet.Seen {
	parts := strings.Split(s, ":")
	seen := fleet.Seen{Backend: fleet.BackendName(parts[0])}
	for _, part := range parts[1:] {
		w.pair(part, &seen)
	}
	return seen
}

// pair reads one of what a report or a proxy says, as name=value.
func (w *words) pair(s string, seen *fleet.Seen) {
	name, value, _ := strings.Cut(s, "=")
	float := func() float64 {
		seen.Reported = true
		f, err := strconv.ParseFloat(value, 64)
		if err != nil {
			w.fail("%q is no number", value)
		}
		return f
	}
	switch name {
	case "latency":
		seen.Latency = w.span(value)
	case "errors":
		seen.Errors = w.number(value)
	case "cpu":
		seen.Report.CPU = float()
	case "application":
		seen.Report.Application = float()
	case "inflight":
		seen.Report.InFlight, seen.Report.HasInFlight = float(), true
	default:
		w.fail("%q is no word of a report", name)
	}
}

// parseSpec reads what proseSpec writes; what is left out has a default.
func parseSpec(line string) (fleet.PoolSpec, uint64, error) {
	spec, epoch, _ := parseSpecOf("slots=1 queue=10 timeout=1s limit=0s grace=3s lost=0s answer=1s ticket=1s", fleet.PoolSpec{Name: "test"}, 1)
	return parseSpecOf(strings.TrimPrefix(line, "pool"), spec, epoch)
}

func parseSpecOf(line string, spec fleet.PoolSpec, epoch uint64) (fleet.PoolSpec, uint64, error) {
	w := &words{left: strings.Fields(line)}
	for len(w.left) > 0 {
		name, value, _ := strings.Cut(w.next(), "=")
		switch name {
		case "epoch":
			epoch = uint64(w.number(value))
		case "slots":
			spec.Slots = w.number(value)
		case "queue":
			spec.QueueLimit = w.number(value)
		case "timeout":
			spec.QueueTimeout = w.span(value)
		case "limit":
			spec.GrantLimit = w.span(value)
		case "grace":
			spec.Grace = w.span(value)
		case "lost":
			spec.LostAfter = w.span(value)
		case "assign":
			spec.Assign = map[string]fleet.Assign{"notify": fleet.AssignNotify, "confirm": fleet.AssignConfirm, "none": fleet.AssignNone}[value]
		case "answer":
			spec.AssignTimeout = w.span(value)
		case "direct":
			spec.Direct = true
		case "ticket":
			spec.TicketLife = w.span(value)
		case "prefer":
			spec.PreferZone = value == "zone"
		default:
			w.mind(name, value, &spec)
		}
	}
	return spec, epoch, w.err
}

// mind reads what proseMind writes.
func (w *words) mind(name, value string, spec *fleet.PoolSpec) {
	parts := append(strings.Split(value, ":"), "0", "0s")
	switch name {
	case "spill":
		spec.SpillAfter = w.span(value)
	case "workers":
		spec.Workers = w.number(value)
	case "learn":
		spec.Learn = true
	case "slow":
		spec.SlowStart = w.span(value)
	case "eject":
		spec.Eject = fleet.EjectSpec{Errors: w.number(parts[0]), For: w.span(parts[1]), Most: w.float(parts[2])}
	case "budget":
		spec.Budget = fleet.BudgetSpec{Ratio: w.float(parts[0]), Least: w.float(parts[1])}
	case "class":
		spec.Classes[w.class(parts[0])] = fleet.ClassSpec{Limit: w.number(parts[1]), Timeout: w.span(parts[2])}
	case "weight":
		if spec.FlowWeights == nil {
			spec.FlowWeights = map[string]float64{}
		}
		spec.FlowWeights[parts[0]] = w.float(parts[1])
	default:
		w.fail("%q is no word of a pool", name)
	}
}
