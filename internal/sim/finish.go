package sim

import (
	"fmt"
	"slices"
)

// finish fills in what depends on more than one key, and checks what the keys say
// together. What is returned is good if nothing was reported.
func (s *sheet) finish() *Scenario {
	if s.listed {
		s.applyBackends()
	}
	if len(s.Errs) > 0 && s.under == nil || len(s.Errs) > maxErrors {
		return nil
	}
	sc := &s.sc
	s.checkBackends()
	s.checkProxies()
	s.checkPool()
	s.checkArrivals()
	s.checkLength()
	s.checkFaults()
	s.checkMix()
	return sc
}

// Count returns how many proxies and backends there are.
func (sc *Scenario) Count() (proxies, backends int) {
	for _, g := range sc.Proxies {
		proxies += g.Count
	}
	for _, g := range sc.Backends {
		backends += g.Count
	}
	return proxies, backends
}

func (s *sheet) checkBackends() {
	sc := &s.sc
	_, backends := sc.Count()
	if backends == 0 {
		s.complain("backends", "is missing, so nobody can serve", "list groups of backends, as in [{count: 10, workers: 4}]")
	}
	if backends > MaxBackends {
		s.complain("backends", fmt.Sprintf("are %d, at most %d are possible", backends, MaxBackends), "lower the counts")
	}
	for i, b := range sc.Backends {
		key := fmt.Sprintf("backends[%d]", i)
		if b.Servers == 0 {
			s.complain(key+".workers", "is missing", "say how many requests one backend truly works on at a time, here or in each_backend")
		}
		a := b.Antagonist
		switch at := key + ".antagonist"; {
		case a.Share == 0:
		case a.Most == 0 || a.Least == 0:
			s.complain(at, "does not say how long it lasts", "give least and most")
		case a.Least > a.Most:
			s.complain(at+".least", fmt.Sprintf("is %v, more than most, %v", a.Least, a.Most), "swap them")
		}
	}
}

// restCapacity returns how many requests of mean work the backends can serve a second, after
// what antagonists and others take.
func (sc *Scenario) restCapacity() float64 {
	var workers float64
	for _, b := range sc.Backends {
		speed := b.Speed
		if speed == 0 {
			speed = 1
		}
		left := 1 - b.Antagonist.Share
		if b.Antagonist.Slowdown > 0 {
			left += b.Antagonist.Share / b.Antagonist.Slowdown
		}
		workers += float64(b.Count) * float64(b.Servers) * speed * left * (1 - b.Foreign)
	}
	return workers / sc.Service.Mean.Seconds()
}

func (s *sheet) checkProxies() {
	if proxies, _ := s.sc.Count(); proxies > MaxProxies {
		s.complain("proxies", fmt.Sprintf("are %d, at most %d are possible", proxies, MaxProxies), "lower the counts")
	}
}

func (s *sheet) checkPool() {
	p := &s.sc.Pool.PoolSpec
	switch {
	case p.Slots == 0 && p.Workers == 0:
		s.complain("pool", "says neither slots nor workers", "give slots for a hard bound, or workers for backends with a queue of their own")
	case p.Learn && p.Workers == 0:
		s.complain("pool.learn", "has no meaning with slots, which bound", "give workers, from which learning begins, or remove the key")
	}
	if p.Eject.Errors > 0 && (p.Eject.For == 0 || p.Eject.Most == 0) {
		s.complain("pool.eject", "does not say for how long, or how many at most", "give for and most, as in {errors: 5, for: 10s, most: 50%}")
	}
}

func (s *sheet) checkArrivals() {
	a := &s.sc.Arrivals
	if a.Load == 0 && a.Rate == 0 && a.Trace == nil {
		s.complain("arrivals", "says neither load nor rate nor trace", "say when requests come, as in {load: 90%}")
	}
	if a.Load > 0 && s.sc.restCapacity() == 0 && len(s.sc.Backends) > 0 {
		s.complain("arrivals.load", "is a share of nothing: antagonists leave no capacity", "slow fewer backends, or give rate")
	}
	if !slices.IsSorted(a.Trace) {
		i := 1
		for a.Trace[i] >= a.Trace[i-1] {
			i++
		}
		s.complain("arrivals.trace", fmt.Sprintf("must rise, but %v follows %v", a.Trace[i], a.Trace[i-1]), "sort it")
	}
	if len(a.Sizes) > 0 && len(a.Sizes) != len(a.Trace) {
		s.complain("arrivals.sizes", fmt.Sprintf("has %d items, the trace has %d", len(a.Sizes), len(a.Trace)), "give each request of the trace one")
	}
	switch b := a.Burst; {
	case b == Burst{}:
	case a.Trace != nil:
		s.complain("arrivals.burst", "has no meaning with a trace", "remove the key")
	case b.High == 0:
		s.complain("arrivals.burst.high", "is missing", "say by what the rate is multiplied in a burst")
	case b.HighFor == 0 || b.LowFor == 0:
		s.complain("arrivals.burst", "does not say how long it lasts", "give high_for and low_for")
	}
}

// checkLength fills in and checks how many requests there are.
func (s *sheet) checkLength() {
	sc := &s.sc
	if n := len(sc.Arrivals.Trace); sc.Arrivals.Trace != nil {
		if !s.has("requests") {
			sc.Requests = max(n-sc.Warmup, 0)
		}
		if sc.Requests == 0 || sc.Requests+sc.Warmup > n {
			s.complain("requests", fmt.Sprintf("%d and %d of warm-up are more than the trace has, which is %d", sc.Requests, sc.Warmup, n), "lower requests or warmup, or leave both out")
		}
		return
	}
	if !s.has("warmup") {
		sc.Warmup = sc.Requests / 4
	}
	if sc.Requests+sc.Warmup > MaxRequests {
		s.complain("requests", fmt.Sprintf("are %d with the warm-up, at most %d are possible", sc.Requests+sc.Warmup, MaxRequests), "lower one of them")
	}
}

func (s *sheet) checkFaults() {
	proxies, backends := s.sc.Count()
	for i, f := range s.sc.Faults {
		key := fmt.Sprintf("faults[%d]", i)
		there, of := backends, "backends"
		switch f.Kind {
		case "":
			s.complain(key+".kind", "is missing", "say what goes wrong, such as "+string(KillController))
			continue
		case KillController:
			if f.On != 0 {
				s.complain(key+".on", "has no meaning: there is one controller", "remove the key")
			}
			continue
		case KillProxy, CutProxy:
			there, of = proxies, "proxies"
		}
		if f.On >= there {
			s.complain(key+".on", fmt.Sprintf("is %d, but there are %d %s, counted from 0", f.On, there, of), "name one that is there")
		}
	}
}

func (s *sheet) checkMix() {
	var sum float64
	for i, m := range s.sc.Mix {
		key := fmt.Sprintf("mix[%d]", i)
		sum += m.Share
		if m.Skew > 0 && m.Flows < 2 {
			s.complain(key+".skew", "has no meaning for one flow", "say how many there are with flows, or remove the key")
		}
		if !s.sc.anyHas(m.Labels) {
			s.complain(key+".labels", fmt.Sprintf("no backend has %v, so these requests could never be served", m.Labels), "give a group of backends these labels")
		}
	}
	if len(s.sc.Mix) > 0 && sum == 0 {
		s.complain("mix", "the shares are 0 in sum", "give at least one kind of request a share")
	}
}

// anyHas tells whether a group of backends has all of the labels.
func (sc *Scenario) anyHas(labels []string) bool {
	return slices.ContainsFunc(sc.Backends, func(b BackendGroup) bool {
		for _, l := range labels {
			if !slices.Contains(b.Labels, l) {
				return false
			}
		}
		return true
	})
}
