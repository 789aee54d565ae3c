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

// Candidate is one backend in an explanation.
type Candidate struct {
	Backend  fleet.BackendName
	Free     bool   // would be granted, if it were the best
	WhyNot   string // a sentence, when it is not free
	InFlight int
	Slots    int
	Zone     string
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

// Explain says what an ask from a zone would get now that excludes the given backends,
// and the latest decisions, at most n. It changes nothing.
func (p *Pool) Explain(exclude []fleet.BackendName, zone string, n int) Explanation {
	e := Explanation{Latest: p.ring.latest(n)}
	for _, b := range p.order {
		c := Candidate{
			Backend: b.name, InFlight: b.live.len, Slots: b.slots(&p.spec), Zone: b.zone, Score: p.scoreOf(b),
		}
		if p.spec.PreferZone && zone != "" && b.zone != zone {
			c.Score.Zone = zoneWorth
		}
		c.WhyNot = p.whyNot(b, exclude)
		c.Free = c.WhyNot == ""
		e.Candidates = append(e.Candidates, c)
	}
	slices.SortStableFunc(e.Candidates, func(a, b Candidate) int {
		if a.Free != b.Free {
			if a.Free {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Score.Sum(), b.Score.Sum())
	})
	b, cost := p.pick(exclude, zone)
	switch {
	case p.hopeful == 0:
		e.Verdict = "refused: " + fleet.NoBackend.Text()
	case p.allExcluded(exclude):
		e.Verdict = "refused: " + fleet.AllExcluded.Text()
	case b != nil:
		e.Chosen = b.name
		e.Verdict = fmt.Sprintf("granted: %s has the least score of %d with a free slot", b.name, p.free.len())
		if cost > 0 {
			e.Verdict = fmt.Sprintf("granted: %s is the best in zone %s; that costs %.3f, by which the best of all %d with a free slot scores better",
				b.name, zone, cost, p.free.len())
		}
	case p.queue.len >= p.spec.QueueLimit:
		e.Verdict = fmt.Sprintf("refused: %s (%d wait)", fleet.QueueFull.Text(), p.queue.len)
	default:
		e.Position = p.queue.len + 1
		e.Verdict = fmt.Sprintf("queued: every slot is taken, and %d wait before it", p.queue.len)
	}
	return e
}

// whyNot says in a sentence why b would not be granted now; empty: it would.
func (p *Pool) whyNot(b *backend, exclude []fleet.BackendName) string {
	slots, limit := b.slots(&p.spec), b.limit(&p.spec)
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
	case contains(exclude, b.name):
		return "the request excludes it"
	case b.live.len >= slots:
		return "every slot is taken"
	case b.live.len+b.resting < limit:
		return ""
	case b.resting > 0:
		return fmt.Sprintf("%d of its slots rest after errors", b.resting)
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
