// Package replay steps minds through decision logs (package record): to see whether a
// program decides as another one did, and to make a scenario of what came then.
package replay

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/record"
)

// Summary is what a log came to.
type Summary struct {
	Pools []*Pool // in the order of the log
	Ended string  // why the log ends before its time; empty: it does not
}

// Pool is what one pool's part of a log came to. A replay ends where it decides otherwise
// than was logged, as what follows answers decisions that it did not make; and where the
// log lacks steps.
type Pool struct {
	Name     fleet.PoolName
	Steps    int           // that were stepped through
	Span     time.Duration // from the first step to the last
	Granted  int
	Refused  map[fleet.Reason]int
	WaitMean time.Duration // in the queue, of the grants, as are the next ones
	WaitP99  time.Duration
	WaitMost time.Duration

	Differs string // where and how the first decision is another; empty: all are the same
	Lost    uint64 // steps that the log lacks
	LostAt  int    // line of the first loss

	spec        fleet.PoolSpec
	mind        *dispatch.Pool
	first, last fleet.Time
	waits       []time.Duration
	seen        traffic
}

// Run steps through a log.
func Run(in io.Reader) (*Summary, error) {
	r, err := record.NewReader(in)
	if err != nil {
		return nil, err
	}
	s := &Summary{}
	pools := map[int]*Pool{}
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch p := pools[e.Pool]; {
		case e.Ended != "":
			s.Ended = e.Ended
		case e.Spec != nil:
			p := newPool(*e.Spec, e.Epoch)
			pools[e.Pool] = p
			s.Pools = append(s.Pools, p)
		case e.Lost > 0:
			p.lose(&e)
		default:
			if err := p.step(&e); err != nil {
				return nil, err
			}
		}
	}
	for _, p := range s.Pools {
		p.sum()
	}
	return s, nil
}

func newPool(spec fleet.PoolSpec, epoch uint64) *Pool {
	return &Pool{
		Name: spec.Name, Refused: map[fleet.Reason]int{}, spec: spec,
		mind: dispatch.New(spec, epoch), seen: newTraffic(),
	}
}

func (p *Pool) lose(e *record.Event) {
	if p.Lost == 0 {
		p.LostAt = e.Line
	}
	p.Lost += e.Lost
}

func (p *Pool) step(e *record.Event) (err error) {
	p.seen.take(e)
	if p.Lost > 0 || p.Differs != "" {
		return nil
	}
	// A log may come from anywhere, and the mind trusts its caller.
	defer func() {
		if caught := recover(); caught != nil {
			err = fmt.Errorf("line %d of the log: no controller would say this (%v); it is damaged", e.Line, caught)
		}
	}()
	if p.Steps == 0 {
		p.first = e.Now
	}
	p.last = e.Now
	p.Steps++
	effects := p.mind.Step(e.Now, e.Input)
	if record.Digest(effects) != e.Digest {
		p.Differs = differs(e, effects)
		return nil
	}
	for i := range effects {
		switch f := &effects[i]; f.Kind {
		case dispatch.Granted:
			p.Granted++
			p.waits = append(p.waits, f.Waited)
		case dispatch.Refused:
			p.Refused[f.Reason]++
		}
	}
	return nil
}

// differs says how a decision differs.
func differs(e *record.Event, effects []dispatch.Effect) string {
	then, now := e.Grants, record.Grants(effects)
	at := fmt.Sprintf("line %d", e.Line)
	for i := range max(len(then), len(now)) {
		switch {
		case i >= len(then):
			return fmt.Sprintf("%s: ask %d of proxy %d gets %s now, and got nothing then", at, now[i].Ask, now[i].Proxy, now[i].Backend)
		case i >= len(now):
			return fmt.Sprintf("%s: ask %d of proxy %d gets nothing now, and got %s then", at, then[i].Ask, then[i].Proxy, then[i].Backend)
		case then[i] != now[i]:
			return fmt.Sprintf("%s: ask %d of proxy %d gets %s now, and ask %d of proxy %d got %s then", at,
				now[i].Ask, now[i].Proxy, now[i].Backend, then[i].Ask, then[i].Proxy, then[i].Backend)
		}
	}
	return at + ": the grants are the same, and other effects are not"
}

// sum works out what is told of waits.
func (p *Pool) sum() {
	p.Span = p.last.Sub(p.first)
	if len(p.waits) == 0 {
		return
	}
	slices.Sort(p.waits)
	var total time.Duration
	for _, w := range p.waits {
		total += w
	}
	n := len(p.waits)
	p.WaitMean, p.WaitMost = total/time.Duration(n), p.waits[n-1]
	p.WaitP99 = p.waits[(n*99+99)/100-1]
}
