package sim

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Write writes a scenario file from which Read reads the same scenario. It serves to hand
// a run on that failed: with its seed, and with nothing that a default could change later.
func Write(w io.Writer, sc *Scenario) error {
	out := bufio.NewWriter(w)
	top := func(key, value string) {
		if value != "" {
			fmt.Fprintf(out, "%s: %s\n", key, value)
		}
	}
	top("name", strconv.Quote(sc.Name))
	if sc.Note != "" {
		top("note", strconv.Quote(sc.Note))
	}
	top("seeds", inBrackets(sc.Seeds, func(s uint64) string { return strconv.FormatUint(s, 10) }))
	top("requests", strconv.Itoa(sc.Requests))
	top("warmup", strconv.Itoa(sc.Warmup))
	top("policies", inBrackets(sc.Policies, func(p Policy) string { return string(p) }))
	top("pool", writePool(&sc.Pool.PoolSpec))
	top("proxies", lineByLine(sc.Proxies, writeProxies))
	top("backends", lineByLine(sc.Backends, writeBackends))
	top("arrivals", writeArrivals(&sc.Arrivals))
	top("service", new(pairs).text("law", string(sc.Service.Law)).time("mean", sc.Service.Mean, true).String())
	n := &sc.Network
	top("network", new(pairs).time("hop", n.Hop, true).time("round_trip", n.RoundTrip, true).
		number("jitter", n.Jitter).number("loss", n.Loss).number("double", n.Double).number("reorder", n.Reorder).String())
	if len(sc.Faults) > 0 {
		top("faults", lineByLine(sc.Faults, writeFault))
	}
	if len(sc.Mix) > 0 {
		top("mix", lineByLine(sc.Mix, writeMix))
	}
	if sc.ClientTimeout > 0 {
		top("client_timeout", shortTime(sc.ClientTimeout))
	}
	if sc.DropsCancelled {
		top("drops_cancelled", "true")
	}
	return out.Flush()
}

func writeProxies(g *ProxyGroup) string {
	return new(pairs).count("count", g.Count, true).number("weight", g.Weight).text("zone", g.Zone).String()
}

func writeBackends(g *BackendGroup) string {
	p := new(pairs).count("count", g.Count, true).count("workers", g.Servers, true).count("declared", g.Declared, false).
		number("speed", g.Speed).flag("sharing", g.Sharing).text("zone", g.Zone).words("labels", g.Labels).
		number("weight", g.Weight).number("foreign", g.Foreign).time("report", g.Report, false)
	if a := g.Antagonist; a != (Antagonist{}) {
		slow := "stop"
		if a.Slowdown > 0 {
			slow = decimals(a.Slowdown)
		}
		p.raw("antagonist", new(pairs).number("share", a.Share).raw("slowdown", slow).
			time("least", a.Least, false).time("most", a.Most, false).String())
	}
	return p.number("error_rate", g.ErrorRate).time("error_time", g.ErrorTime, false).String()
}

func writeFault(f *Fault) string {
	return new(pairs).text("kind", string(f.Kind)).time("at", f.At, true).time("for", f.For, false).count("on", f.On, false).String()
}

func writeMix(m *RequestMix) string {
	p := new(pairs).raw("share", decimals(m.Share))
	if m.Class != fleet.NoClass {
		p.text("class", m.Class.String())
	}
	return p.count("flows", m.Flows, false).number("skew", m.Skew).text("flow", m.Flow).words("labels", m.Labels).
		count("affinity", m.Affinity, false).time("deadline", m.Deadline, false).number("work", m.Work).String()
}

func writeArrivals(a *Arrivals) string {
	p := new(pairs).number("load", a.Load).number("rate", a.Rate)
	if b := a.Burst; b != (Burst{}) {
		p.raw("burst", new(pairs).number("high", b.High).number("low", b.Low).time("high_for", b.HighFor, false).
			time("low_for", b.LowFor, false).flag("each_proxy", b.EachProxyOnItsOwn).String())
	}
	if a.Trace != nil {
		p.raw("trace", inBrackets(a.Trace, shortTime))
	}
	if a.Sizes != nil {
		p.raw("sizes", inBrackets(a.Sizes, shortTime))
	}
	return p.String()
}

func writePool(s *fleet.PoolSpec) string {
	p := new(pairs).count("slots", s.Slots, false).count("workers", s.Workers, false).flag("learn", s.Learn).flag("permits", s.Permits)
	p.raw("queue", new(pairs).count("limit", s.QueueLimit, true).time("timeout", s.QueueTimeout, false).String())
	if s.Assign != fleet.AssignNone {
		p.text("assign", s.Assign.String())
	}
	if s.Direct {
		p.text("link", "direct")
	}
	if s.PreferZone {
		p.text("prefer", "zone")
	}
	p.time("assign_timeout", s.AssignTimeout, false).time("ticket_life", s.TicketLife, false).
		time("spill_after", s.SpillAfter, false).time("slow_start", s.SlowStart, false).
		time("grant_limit", s.GrantLimit, true).time("lost_after", s.LostAfter, true).time("grace", s.Grace, false)
	classes := new(pairs)
	for c := fleet.Critical; c < fleet.Classes; c++ {
		if k := s.Classes[c]; k != (fleet.ClassSpec{}) {
			classes.raw(c.String(), new(pairs).count("limit", k.Limit, false).time("timeout", k.Timeout, false).String())
		}
	}
	if len(classes.all) > 0 {
		p.raw("classes", classes.String())
	}
	if len(s.FlowWeights) > 0 {
		p.raw("flows", inBrackets(slices.Sorted(maps.Keys(s.FlowWeights)), func(name string) string {
			return new(pairs).text("name", name).number("weight", s.FlowWeights[name]).String()
		}))
	}
	if e := s.Eject; e != (fleet.EjectSpec{}) {
		p.raw("eject", new(pairs).count("errors", e.Errors, true).time("for", e.For, false).number("most", e.Most).String())
	}
	if b := s.Budget; b != (fleet.BudgetSpec{}) {
		p.raw("retry_budget", new(pairs).number("ratio", b.Ratio).number("least", b.Least).String())
	}
	return p.String()
}

// pairs is a section on one line. What a key would say by default anyway is left out,
// unless it is always written.
type pairs struct{ all []string }

func (p *pairs) raw(key, value string) *pairs {
	p.all = append(p.all, key+": "+value)
	return p
}

func (p *pairs) count(key string, n int, always bool) *pairs {
	if n != 0 || always {
		p.raw(key, strconv.Itoa(n))
	}
	return p
}

func (p *pairs) number(key string, v float64) *pairs {
	if v != 0 {
		p.raw(key, decimals(v))
	}
	return p
}

func (p *pairs) time(key string, d time.Duration, always bool) *pairs {
	if d != 0 || always {
		p.raw(key, shortTime(d))
	}
	return p
}

func (p *pairs) text(key, s string) *pairs {
	if s != "" {
		p.raw(key, strconv.Quote(s))
	}
	return p
}

func (p *pairs) words(key string, all []string) *pairs {
	if len(all) > 0 {
		p.raw(key, inBrackets(all, strconv.Quote))
	}
	return p
}

func (p *pairs) flag(key string, yes bool) *pairs {
	if yes {
		p.raw(key, "true")
	}
	return p
}

// String returns the section.
func (p *pairs) String() string { return "{" + strings.Join(p.all, ", ") + "}" }

func decimals(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// shortTime is a duration in ASCII.
func shortTime(d time.Duration) string { return strings.Replace(d.String(), "µ", "u", 1) }

// inBrackets is a list in brackets, a few items a line.
func inBrackets[T any](all []T, item func(T) string) string {
	var b strings.Builder
	b.WriteString("[")
	for i, v := range all {
		switch {
		case i > 0 && i%16 == 0:
			b.WriteString(",\n  ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(item(v))
	}
	return b.String() + "]"
}

// lineByLine is a list with an item a line.
func lineByLine[T any](all []T, item func(*T) string) string {
	var b strings.Builder
	for i := range all {
		b.WriteString("\n  - " + item(&all[i]))
	}
	return b.String()
}
