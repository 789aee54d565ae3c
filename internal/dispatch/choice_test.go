package dispatch

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// naiveScore is the rule as scheduling it by hand would be, from what is known of b.
func naiveScore(p *Pool, b *backend) float64 {
	slots := float64(b.slots(&p.spec))
	speed := b.speed
	if b.samples == 0 {
		speed = p.speed - 0.2
	}
	cpu := b.report.CPU
	if b.report.Application > 0 {
		cpu = b.report.Application
	}
	return speed + 0.1*float64(b.live.len)/slots +
		math.Log(1+b.foreign*b.foreignWeight/slots) +
		0.1*min(cpu, 1)*b.reportWeight + 0.25*min(float64(b.errs), 8) - math.Log(b.weight)
}

// naiveBest looks at every backend that may be chosen. Scores that differ by less than
// rounding are equal.
func naiveBest(p *Pool, may func(*backend) bool) (best *backend, score float64) {
	for _, b := range p.order {
		used := b.live.len + int(b.resting)
		allowed := max(1, b.slots(&p.spec)-int(math.Round(b.foreign*b.foreignWeight)))
		if !b.eligible(&p.spec) || used >= allowed || !may(b) {
			continue
		}
		of := naiveScore(p, b)
		if b.samples == 0 {
			of = b.score // as of the last beat
		}
		if best == nil || of < score-1e-9 || math.Abs(of-score) <= 1e-9 && b.chosen < best.chosen {
			best, score = b, of
		}
	}
	return best, score
}

// naiveChoice is the best backend; but one of the zone, where zones are preferred and it
// is at most twice as slow.
func naiveChoice(p *Pool, in *Ask) *backend {
	about := aboutOf(in.About)
	allowed := func(b *backend) bool {
		for _, l := range about.Labels {
			if !slices.Contains(b.labels, l) {
				return false
			}
		}
		return !slices.Contains(in.Exclude, b.name)
	}
	best, score := naiveBest(p, allowed)
	if !p.spec.PreferZone || in.Zone == "" {
		return best
	}
	local, localScore := naiveBest(p, func(b *backend) bool { return allowed(b) && b.zone == in.Zone })
	if p.spec.SpillAfter > max(in.Waited, 0) && slices.ContainsFunc(p.order, func(b *backend) bool {
		return b.hopeful(&p.spec) && b.zone == in.Zone && allowed(&backend{labels: b.labels})
	}) {
		return local
	}
	if local == nil || localScore > score+math.Log(2) {
		return best
	}
	return local
}

// TestChoice compares the Pool's choice, and what Explain says before it, with the naive
// one, in the states that random scenarios bring about.
func TestChoice(t *testing.T) {
	chosen, local, spilled := 0, 0, 0
	for seed := range uint64(3000) {
		s := newScenario(newDice(seed+1e6, 300))
		var want *backend
		var said Explanation
		var was map[fleet.BackendName]ranked
		s.before = func(in Input) {
			want = nil
			ask, ok := in.(*Ask)
			spec := &s.pool.spec
			simple := spec.Workers == 0 && spec.SlowStart == 0 // else it is not only the score
			if ok && simple && len(ask.Seen) == 0 && aboutOf(ask.About).Affinity == "" && !s.pool.Queued(ask.Proxy, ask.ID) &&
				(ask.Waited == 0 || spec.SpillAfter == 0) { // Explain does not know of it
				want, was = naiveChoice(s.pool, ask), ranks(s.pool)
				said = s.pool.Explain(Hypothetical{ask.Exclude, ask.Zone, ask.About}, 1)
			}
		}
		s.record = func(now fleet.Time, in Input, effects []Effect) {
			if want == nil || !answers(in, effects) {
				return // a stray one, or one for whom there is none, as the model checks
			}
			chosen++
			if strings.Contains(said.Verdict, " is the best in zone ") {
				local++
			} else if zone := in.(*Ask).Zone; s.pool.spec.PreferZone && zone != "" && want.zone != zone {
				spilled++
			}
			if got := effects[0].Backend; got != want.name && !equal(was[got], was[want.name]) && !onTheEdge(was[got], was[want.name]) || got != said.Chosen {
				t.Fatalf("seed %d, %s: chose %s, should be %s, and was said to be %s", seed, prose(now, in), got, want.name, said.Chosen)
			}
			if best := said.Candidates[0]; !best.Free || len(effects[0].Backend) == 0 {
				t.Fatalf("seed %d, %s: %+v is best", seed, prose(now, in), best)
			}
		}
		if err := s.run(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	if chosen < 6000 || local < 60 || spilled < 60 {
		t.Errorf("only %d choices were compared, %d for the zone's sake, %d to elsewhere", chosen, local, spilled)
	}
}

// answers tells whether the first effect is a backend for the ask that came.
func answers(in Input, effects []Effect) bool {
	ask := in.(*Ask)
	return len(effects) > 0 && (effects[0].Kind == Granted || effects[0].Kind == Assigned) &&
		effects[0].Proxy == ask.Proxy && effects[0].Ask == ask.ID
}

// ranked is what two backends are compared by.
type ranked struct {
	score  float64
	chosen uint64
}

// onTheEdge tells whether one is twice as slow as the other but for rounding, so that
// either may be preferred for its zone.
func onTheEdge(a, b ranked) bool { return math.Abs(math.Abs(a.score-b.score)-zoneWorth) < 1e-9 }

func ranks(p *Pool) map[fleet.BackendName]ranked {
	of := map[fleet.BackendName]ranked{}
	for _, b := range p.order {
		of[b.name] = ranked{b.score, b.chosen}
	}
	return of
}

// equal tells whether the rule does not say which of two comes first: none was ever
// chosen and they score the same, or only rounding sets them apart.
func equal(a, b ranked) bool {
	return math.Abs(a.score-b.score) < 1e-9 && (a.score != b.score || a.chosen == b.chosen)
}

// TestFirstComeFirstServed has many wait for one slot: grants come in order of arrival.
func TestFirstComeFirstServed(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		p, _ := benchPool(1, 1)
		p.spec.QueueLimit, p.spec.QueueTimeout = 1000, time.Hour
		p.Step(2, &SessionUp{Proxy: 2})
		now := fleet.Time(time.Minute)
		busy := p.Step(now, &Ask{Proxy: 1, ID: 1})[0].Grant
		holder := fleet.ProxyID(1)
		type waiting struct {
			id      fleet.AskID
			arrived fleet.Time
		}
		var queue []waiting
		for id := fleet.AskID(2); id < 200; id++ {
			now += fleet.Time(r.IntN(5))
			waited := time.Duration(r.IntN(3) * r.IntN(20))
			if got := p.Step(now, &Ask{Proxy: fleet.ProxyID(1 + id%2), ID: id, Waited: waited}); len(got) > 0 {
				t.Fatalf("seed %d: %s with the only slot taken", seed, proseEffect(got[0]))
			}
			queue = append(queue, waiting{id, now.Add(-waited)})
		}
		slices.SortStableFunc(queue, func(a, b waiting) int { return int(a.arrived - b.arrived) })
		for _, next := range queue {
			got := p.Step(now, &Done{Proxy: holder, Grant: busy, Outcome: fleet.OK})
			if len(got) != 1 || got[0].Kind != Granted || got[0].Ask != next.id {
				t.Fatalf("seed %d: %v, should be a grant of #%d", seed, got, next.id)
			}
			busy, holder = got[0].Grant, got[0].Proxy
		}
	}
}

// TestLearn compares the learnt speed of a backend with what it is: the mean of the
// logarithm, so that one request of a hundred times the length does not outweigh.
func TestLearn(t *testing.T) {
	p, _ := benchPool(2, 1)
	b := p.order[0]
	r := rand.New(rand.NewPCG(1, 3))
	for range 4000 {
		p.learn(b, time.Duration(10e6*math.Exp(r.NormFloat64()/4)), 1)
	}
	if s := p.stateOf(b, 1); s.Latency < 9*time.Millisecond || s.Latency > 11*time.Millisecond {
		t.Errorf("learnt %v of a median of 10 ms", s.Latency)
	}
	was := b.speed
	p.learn(b, time.Second, 1)
	if rise := b.speed - was; rise < 0 || rise > 0.3 {
		t.Errorf("one long answer made it slower by %v", rise)
	}
	if p.learn(b, 0, 1); math.IsInf(b.speed, 0) || math.IsNaN(b.speed) {
		t.Error("an answer in no time made the speed no number")
	}
}

// TestExplain checks the sentences, one for each state in which a backend can be.
func TestExplain(t *testing.T) {
	s := &script{t: t}
	for _, line := range strings.Split(`pool slots=1 timeout=1m
0s join up
0s join rests
0s join others slots 4
0s join drains
0s join unchecked
0s join down
0s up up
0s up rests
0s up others
0s up drains
0s drain drains
0s down down refused
0s session p1 0.1@left:1s 0.3@others:1s
0s ask p1 #1 except up,others
0s done p1 1.1 failed
0s report others inflight=9`, "\n") {
		s.command(line)
	}
	want := map[fleet.BackendName]string{
		"up": "", "rests": "1 of its slots rest after errors", "others": "others use 8.0 of its slots",
		"drains": "it is draining", "unchecked": "its health has not been checked yet",
		"down": "it is down: refused", "left": "it has left the pool, and its last requests run out",
	}
	e := s.pool.Explain(Hypothetical{}, 5)
	for _, c := range e.Candidates {
		if c.WhyNot != want[c.Backend] || c.Free != (c.Backend == "up") {
			t.Errorf("%s: %q, free %v", c.Backend, c.WhyNot, c.Free)
		}
	}
	if e.Chosen != "up" || e.Candidates[0].Backend != "up" || len(e.Latest) != 1 || e.Latest[0].Backend != "rests" {
		t.Errorf("%+v", e)
	}
	if got := s.pool.whyNot(s.pool.byName["up"], []fleet.BackendName{"up"}); got != "the request excludes it" {
		t.Error(got)
	}
}
