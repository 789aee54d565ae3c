package dispatch

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// remembered is how many decisions a Pool can still tell.
const remembered = 1024

// Decision is one that was made: a grant, or a refusal where Reason is set.
type Decision struct {
	At      fleet.Time
	Proxy   fleet.ProxyID
	Reason  fleet.Reason
	Ask     fleet.AskID
	Grant   fleet.GrantID
	Backend fleet.BackendName
	Score   float64
	Waited  time.Duration
	Free    int // backends with a free slot, the chosen one included

	Class    fleet.Class
	Flow     string
	Moved    bool    // its affinity names another backend
	Kept     bool    // on a slot that its proxy had kept, without an ask
	Zone     string  // of the ask
	ZoneCost float64 // by how much the best backend elsewhere was better
}

type ring struct {
	kept [remembered]Decision
	made uint64
}

func (r *ring) add(d Decision) {
	r.kept[r.made%remembered] = d
	r.made++
}

// latest returns at most n decisions, newest first.
func (r *ring) latest(n int) []Decision {
	n = int(min(uint64(max(n, 0)), r.made, remembered))
	out := make([]Decision, n)
	for i := range out {
		out[i] = r.kept[(r.made-1-uint64(i))%remembered]
	}
	return out
}

// Hypothetical is a request that did not come.
type Hypothetical struct {
	Exclude []fleet.BackendName
	Zone    string
	About   *fleet.About // nil: nothing is known of it
}

// Candidate is one backend in an explanation.
type Candidate struct {
	Backend  fleet.BackendName
	Free     bool   // would be granted, if it were the best
	WhyNot   string // a sentence, when it is not free
	InFlight int
	Slots    int // or workers
	Zone     string
	Affine   bool // the request's affinity names it
	Score    Score
}

// Explanation says what would be decided now, and why.
type Explanation struct {
	Verdict    string
	Chosen     fleet.BackendName // empty: none
	Position   int               // in the queue, 1 is next; 0: would not wait
	Candidates []Candidate       // best first, those that are free before those that are not
	Latest     []Decision        // newest first
}

// Explain says what a request would get now, and the latest decisions, at most n. It
// changes nothing that a later decision depends on.
func (p *Pool) Explain(h Hypothetical, n int) Explanation {
	e := Explanation{Latest: p.ring.latest(n)}
	w, why := p.wish(h.Exclude, h.Zone, h.About, p.now)
	e.Candidates = p.candidates(&w)
	if why == fleet.NoReason {
		why = p.hopeless(&w)
	}
	if why == fleet.NoReason && p.tooLate(&w) {
		why = fleet.TooLate
	}
	if why != fleet.NoReason {
		e.Verdict = "refused: " + why.Text()
		return e
	}
	if c := p.pick(&w); c.on != nil {
		e.Chosen, e.Verdict = c.on.name, p.verdict(&w, c)
		return e
	}
	class := classOf(h.About)
	until, why := p.patience(class, p.now, p.deadlineOf(w.about))
	switch {
	case until <= p.now:
		e.Verdict = fmt.Sprintf("refused: every slot is taken, and %s", why.Text())
	case !p.hasPlace(class, w.about.Flow):
		e.Verdict = fmt.Sprintf("refused: %s (%d wait)", fleet.QueueFull.Text(), p.queue.len)
	default:
		e.Position = p.positionOf(class, w.about.Flow)
		e.Verdict = fmt.Sprintf("queued: every slot is taken, and %d wait before it", e.Position-1)
	}
	return e
}

// verdict words why a request gets its backend.
func (p *Pool) verdict(w *wish, c choice) string {
	switch free := w.all.free.len(); {
	case w.about.Affinity != "" && !c.moved:
		return fmt.Sprintf("granted: %s is where its affinity leads", c.on.name)
	case w.about.Affinity != "":
		return fmt.Sprintf("granted: its affinity leads to %s, which has no free slot, so %s is next", p.home(w.all, w.about.Affinity, w.exclude).name, c.on.name)
	case c.on.standing == overflowing:
		return fmt.Sprintf("granted: in the queue of %s it is done soonest; %d others have a free worker", c.on.name, free)
	case c.cost > 0:
		return fmt.Sprintf("granted: %s is the best in zone %s; that costs %.3f, by which the best of all %d with a free slot scores better",
			c.on.name, w.zone, c.cost, free)
	default:
		return fmt.Sprintf("granted: %s has the least score of %d with a free slot", c.on.name, free)
	}
}

func (p *Pool) candidates(w *wish) []Candidate {
	var all []Candidate
	var home *backend
	if w.about.Affinity != "" {
		home = p.home(w.all, w.about.Affinity, w.exclude)
	}
	for _, b := range p.order {
		c := Candidate{
			Backend: b.name, InFlight: b.live.len, Slots: p.size(b), Zone: b.zone, Affine: b == home, Score: p.scoreOf(b),
		}
		if p.spec.PreferZone && w.zone != "" && b.zone != w.zone {
			c.Score.Zone = zoneWorth
		}
		c.WhyNot = p.whyNot(b, w.exclude)
		if c.WhyNot == "" && !hasAll(b.labels, w.about.Labels) {
			c.WhyNot = "it does not have the labels that the request requires"
		}
		if c.WhyNot == "" && w.stays && b.zone != w.zone {
			c.WhyNot = fmt.Sprintf("it is not in zone %s, for which the request waits %s first", w.zone, p.spec.SpillAfter)
		}
		c.Free = c.WhyNot == ""
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b Candidate) int {
		if a.Free != b.Free {
			if a.Free {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Score.Sum(), b.Score.Sum())
	})
	return all
}

// positionOf returns where in the queue a request would be: behind those of higher classes
// and those of its own whose turn comes before its flow's.
func (p *Pool) positionOf(class fleet.Class, name string) int {
	at := 1
	for c := fleet.Critical; c < class; c++ {
		at += p.ranks[c].waiting
	}
	r := &p.ranks[class]
	start, weight, waiting := r.now, 1.0, 0
	if f := r.flows[name]; f != nil {
		start, weight, waiting = max(f.start, r.now), f.weight, f.waiting
	}
	mine := start + float64(waiting)/weight
	at += waiting
	for _, f := range r.longest.items {
		if f.name != name && f.start <= mine {
			at += min(f.waiting, int((mine-f.start)*f.weight)+1)
		}
	}
	return at
}

// whyNot says in a sentence why b would not be granted now; empty: it would.
func (p *Pool) whyNot(b *backend, exclude []fleet.BackendName) string {
	switch {
	case !b.isKnown():
		return "it has left the pool, and its last requests run out"
	case b.draining():
		return "it is draining"
	case !b.fit(&p.spec):
		return b.unfit(&p.spec)
	case b.condition == unchecked:
		return "its health has not been checked yet"
	case b.condition == down:
		return "it is down: " + b.why
	case b.ejected:
		return fmt.Sprintf("it is out for a while after %d errors in a row", p.spec.Eject.Errors)
	case contains(exclude, b.name):
		return "the request excludes it"
	case b.standing != shut:
		return ""
	}
	return p.whyShut(b)
}

// whyShut says why an eligible backend has no free slot.
func (p *Pool) whyShut(b *backend) string {
	slots := p.bound(b)
	switch {
	case b.live.len >= slots && soft(&p.spec):
		return "its workers are busy, and its own queue is as long as it may be"
	case b.live.len >= slots:
		return "every slot is taken"
	case b.resting > 0:
		return fmt.Sprintf("%d of its slots rest after errors", b.resting)
	case b.upAt != 0:
		return "it has just come up, and gets its slots one after the other"
	}
	return fmt.Sprintf("others use %.1f of its slots", b.foreign*b.foreignWeight)
}

// unfit says what a backend's agent does not do that the pool needs.
func (b *backend) unfit(spec *fleet.PoolSpec) string {
	need := fmt.Sprintf("the pool assigns its requests (assign: %s)", spec.Assign)
	if spec.Direct {
		need = "the pool sends clients to it directly (link: direct)"
	}
	if !b.agentUp {
		return "no agent or SDK of it is connected, and " + need
	}
	return "its agent or SDK does not take part in that, and " + need
}
