package sim

import (
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/strict"
)

// Defaults of a scenario file, beside those of package config.
const (
	DefaultMean      = 10 * time.Millisecond
	DefaultHop       = 50 * time.Microsecond
	DefaultRoundTrip = 500 * time.Microsecond
	defaultGrace     = 3 * time.Second // as the controller's
)

// Policies returns all policies, Fairlead's own first and the bound last.
func Policies() []Policy {
	return []Policy{
		Fairlead, ByProxy, GlobalLeast, Prequal, PeakEWMA, LeastConn, TwoChoices, IdleQueue,
		WeightedRR, RoundRobin, Random, Central,
	}
}

// keys is what a scenario may hold.
func (s *sheet) keys() strict.Keys {
	sc := &s.sc
	return strict.Keys{
		"name":     into(s, &sc.Name, strict.Text(readTitle)),
		"note":     into(s, &sc.Note, strict.Text(readProse)),
		"seeds":    listOf(s, &sc.Seeds, maxSeeds, eachItem(s, readSeed)),
		"requests": into(s, &sc.Requests, strict.Whole(1, MaxRequests, "say how many requests of each seed are measured")),
		"warmup":   into(s, &sc.Warmup, strict.Whole(0, MaxRequests, "say how many requests come before those that are measured")),
		"policies": s.policies(),
		"pool":     s.pool(),
		"proxies":  s.proxies(),
		"backends": s.backends(), "each_backend": s.eachBackend(),
		"arrivals": s.arrivals(),
		"service": s.within(strict.Keys{
			"law":  into(s, &sc.Service.Law, strict.OneOf("law", []Law{Exponential, Pareto, Bimodal, Lognormal, Fixed})),
			"mean": into(s, &sc.Service.Mean, readTime(time.Microsecond, time.Hour, false, "say how long a request keeps a backend busy on average")),
		}),
		"network": s.within(strict.Keys{
			"hop":        into(s, &sc.Network.Hop, readTime(0, time.Minute, true, "say how long a message takes one way, client to proxy to backend")),
			"round_trip": into(s, &sc.Network.RoundTrip, readTime(0, time.Minute, true, "say how long a message takes from proxy to controller and back")),
			"jitter":     into(s, &sc.Network.Jitter, readShare(0, 100, "say by how much a message's time may grow, such as 50%")),
			"loss":       into(s, &sc.Network.Loss, readShare(0, 1, "say which share of the controller's messages is lost")),
			"double":     into(s, &sc.Network.Double, readShare(0, 1, "say which share of messages comes twice")),
			"reorder":    into(s, &sc.Network.Reorder, readShare(0, 1, "say which share of messages may be overtaken")),
		}),
		"faults":          s.orNone(func() { sc.Faults = nil }, listOf(s, &sc.Faults, maxGroups, sections(s, s.fault))),
		"mix":             s.orNone(func() { sc.Mix = nil }, listOf(s, &sc.Mix, maxGroups, sections(s, s.mix))),
		"client_timeout":  into(s, &sc.ClientTimeout, readTime(time.Millisecond, time.Hour, true, "say when a client gives up, or 0 for never")),
		"drops_cancelled": into(s, &sc.DropsCancelled, strict.YesOrNo),
	}
}

// orNone lets a cell take back with the word none what its base has.
func (s *sheet) orNone(clear func(), read strict.Reader) strict.Reader {
	return func(n ast.Node, at strict.Where) {
		if word, ok := textIn(n); ok && word == "none" {
			s.note(at)
			clear()
			return
		}
		read(n, at)
	}
}

func textIn(n ast.Node) (string, bool) {
	if n == nil {
		return "", false
	}
	return strict.TextOf(n)
}

func (s *sheet) policies() strict.Reader {
	read := listOf(s, &s.sc.Policies, len(Policies()), eachItem(s, strict.Text(s.policy)))
	return func(n ast.Node, at strict.Where) {
		if word, ok := textIn(n); ok && word == "all" {
			s.note(at)
			s.sc.Policies = Policies()
			return
		}
		read(n, at)
		seen := map[Policy]bool{}
		for _, p := range s.sc.Policies {
			if p != "" && seen[p] {
				s.Report(at, strict.Complaint{Problem: "names " + string(p) + " twice", Fix: "remove one of them"})
			}
			seen[p] = true
		}
	}
}

// policy reads a policy's name.
func (s *sheet) policy(name string) (Policy, *strict.Complaint) {
	var names []string
	for _, p := range Policies() {
		if string(p) == name {
			return p, nil
		}
		names = append(names, string(p))
	}
	bad := s.UnknownName("policy", name, names)
	if !strings.HasPrefix(bad.Fix, "did you mean") {
		bad.Fix = "there are " + strings.Join(names, ", ")
	}
	return "", &bad
}

func (s *sheet) proxies() strict.Reader {
	read := listOf(s, &s.sc.Proxies, maxGroups, func(dst *ProxyGroup, _ int) strict.Reader {
		dst.Count = 1
		return s.within(strict.Keys{
			"count":  into(s, &dst.Count, strict.Whole(1, MaxProxies, "say how many proxies are alike")),
			"weight": into(s, &dst.Weight, readFactor("say what share of the load each gets, relative to others; to have none, remove the group")),
			"zone":   into(s, &dst.Zone, strict.Text(readWord)),
		})
	})
	return func(n ast.Node, at strict.Where) {
		if _, number := n.(*ast.IntegerNode); !number {
			read(n, at)
			return
		}
		count := 0 // proxies: 16
		into(s, &count, strict.Whole(1, MaxProxies, "say how many proxies there are"))(n, at)
		s.sc.Proxies = []ProxyGroup{{Count: count}}
	}
}

func (s *sheet) eachBackend() strict.Reader {
	return func(n ast.Node, at strict.Where) {
		s.note(at)
		if n != nil {
			s.each, s.listed = append(s.each, layer{n, at}), true
		}
	}
}

// backends keeps the groups unread, as each_backend may come later.
func (s *sheet) backends() strict.Reader {
	return func(n ast.Node, at strict.Where) {
		var got []layer
		listOf(s, &got, maxGroups, func(dst *layer, _ int) strict.Reader { return dst.keep() })(n, at)
		s.groups, s.listed = got, true
	}
}

// unsaid is a slowdown that no file says, as 0 stands for the word stop.
const unsaid = -1

// applyBackends reads the groups, each on top of what holds for all.
func (s *sheet) applyBackends() {
	s.sc.Backends = nil
	if len(s.groups) == 0 { // a mistake in each_backend is told all the same
		for _, e := range s.each {
			s.Section(e.n, e.at, s.backendKeys(new(BackendGroup)))
		}
	}
	for _, g := range s.groups {
		b := BackendGroup{Count: 1}
		b.Antagonist.Slowdown = unsaid
		for _, e := range s.each {
			s.Section(e.n, e.at, s.backendKeys(&b))
		}
		keys := s.backendKeys(&b)
		keys["count"] = into(s, &b.Count, strict.Whole(1, MaxBackends, "say how many backends are alike"))
		if g.n != nil && len(s.Errs) <= maxErrors {
			s.Section(g.n, g.at, keys)
		}
		if a := &b.Antagonist; a.Slowdown == unsaid {
			a.Slowdown = 0
			if a.Share > 0 {
				s.Report(g.at, strict.Complaint{Problem: "has antagonists, and does not say how strong they are", Fix: "give slowdown: how many times slower a backend gets, or stop"})
			}
		}
		s.sc.Backends = append(s.sc.Backends, b)
	}
	s.listed = false
}

func (s *sheet) backendKeys(b *BackendGroup) strict.Keys {
	return strict.Keys{
		"workers":  into(s, &b.Servers, strict.Whole(1, maxServers, "say how many requests one backend truly works on at a time")),
		"declared": into(s, &b.Declared, strict.Whole(1, maxServers, "say how many workers or slots the pool is told of; leave it out for the truth")),
		"speed":    into(s, &b.Speed, readFactor("say how fast it is, such as 50% for half as fast as others")),
		"sharing":  into(s, &b.Sharing, strict.YesOrNo),
		"zone":     into(s, &b.Zone, strict.Text(readWord)),
		"labels":   s.labels(&b.Labels),
		"weight":   into(s, &b.Weight, readFactor("say for how fast it is to be taken; leave it out for 1")),
		"foreign":  into(s, &b.Foreign, readShare(0, .99, "say what share of it others use, up to 99%")),
		"report":   into(s, &b.Report, readTime(time.Millisecond, time.Hour, true, "say how often it reports its load, or 0 for never")),
		"antagonist": s.within(strict.Keys{
			"share":    into(s, &b.Antagonist.Share, readShare(0, 1, "say what share of the group is slowed at any time")),
			"slowdown": into(s, &b.Antagonist.Slowdown, readSlowdown),
			"least":    into(s, &b.Antagonist.Least, readTime(time.Microsecond, time.Hour, false, "say how long it lasts at least")),
			"most":     into(s, &b.Antagonist.Most, readTime(time.Microsecond, time.Hour, false, "say how long it lasts at most")),
		}),
		"error_rate": into(s, &b.ErrorRate, readShare(0, 1, "say what share of requests it answers with an error")),
		"error_time": into(s, &b.ErrorTime, readTime(0, time.Hour, true, "say how long an error takes it")),
	}
}

func (s *sheet) labels(dst *[]string) strict.Reader {
	return s.orNone(func() { *dst = nil }, func(n ast.Node, at strict.Where) {
		listOf(s, dst, maxLabels, eachItem(s, strict.Text(readLabel)))(n, at)
		if twice := sortLabels(*dst); twice != "" {
			s.Report(at, strict.Complaint{Problem: "has " + twice + " twice", Fix: "remove one of them"})
		}
	})
}

func (s *sheet) fault(f *Fault) strict.Keys {
	return strict.Keys{
		"kind": into(s, &f.Kind, strict.OneOf("kind", FaultKinds())),
		"at":   into(s, &f.At, readTime(0, 1000*time.Hour, true, "say when, from the beginning")),
		"for":  into(s, &f.For, readTime(0, 1000*time.Hour, true, "say for how long, or 0 for good")),
		"on":   into(s, &f.On, strict.Whole(0, MaxBackends, "say which proxy or backend, from 0 over all groups")),
	}
}

// FaultKinds returns all kinds of faults.
func FaultKinds() []FaultKind {
	return []FaultKind{KillProxy, KillController, KillBackend, FreezeBackend, CutProxy, LoseAgent, DrainBackend}
}

func (s *sheet) mix(m *RequestMix) strict.Keys {
	m.Share = 1
	return strict.Keys{
		"share":    into(s, &m.Share, readShare(0, 1e6, "say what share of the requests these are, relative to others")),
		"class":    into(s, &m.Class, readClass),
		"flows":    into(s, &m.Flows, strict.Whole(1, maxKinds, "say over how many flows these requests spread")),
		"skew":     into(s, &m.Skew, readShare(0, 10, "say how unequal the flows are: a Zipf exponent, 0 for equal")),
		"flow":     into(s, &m.Flow, strict.Text(readWord)),
		"labels":   s.labels(&m.Labels),
		"affinity": into(s, &m.Affinity, strict.Whole(1, maxKinds, "say over how many affinity keys these requests spread")),
		"deadline": into(s, &m.Deadline, readTime(time.Millisecond, time.Hour, true, "say when the client gives up, or 0 for never")),
		"work":     into(s, &m.Work, readFactor("say how much work these are, in times of the service's")),
	}
}

// readClass reads a priority.
func readClass(n ast.Node) (fleet.Class, *strict.Complaint) {
	word, bad := strict.OneOf("class", []string{"critical", "normal", "sheddable"})(n)
	for c := fleet.Critical; c < fleet.Classes; c++ {
		if c.String() == word {
			return c, nil
		}
	}
	return fleet.NoClass, bad
}
