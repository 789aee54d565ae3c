package session

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// peer is this proxy's side towards one controller. A nil peer is no controller: what it is
// told goes nowhere.
type peer struct {
	s     *Session
	index int // in the session's peers
	to    Controller
	wake  chan struct{} // something is to be sent

	connected atomic.Bool
	statusDue atomic.Bool
	distance  distance

	// The session's mutex guards what is below.
	numbers  map[fleet.PoolName]uint32 // of its table; nil: no session
	leads    map[fleet.PoolName]lead   // that it says it leads
	implicit uint64                    // it leads every pool of its table, in this epoch; 0: as it says
	out      outbox
	limit    int // asks outstanding

	number  uint64      // of the latest message with asks
	unheard []unheard   // oldest first
	alarm   *time.Timer // for the oldest
}

// lead is a controller's word that it leads a pool.
type lead struct {
	epoch    uint64
	learning bool
}

func newPeer(s *Session, index int, to Controller) *peer {
	p := &peer{s: s, index: index, to: to, wake: make(chan struct{}, 1)}
	p.alarm = time.AfterFunc(time.Hour, p.overdue)
	p.alarm.Stop()
	return p
}

// run keeps a session up until ctx ends, and then returns nil. It returns an error when the
// controller said no for good before any controller has said yes.
func (p *peer) run(ctx context.Context) error {
	s := p.s
	pause := firstPause
	for ctx.Err() == nil {
		began := time.Now()
		err := p.converse(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if fatal := permanent(err); fatal != nil && !s.ever.Load() {
			return fatal // later it may be a controller of another release, on its way
		}
		if limit := s.cfg.StartTimeout; limit > 0 && !s.ever.Load() && time.Since(s.start) > limit {
			return fmt.Errorf("no session with a controller in the first %s: %s", limit, advice(err))
		}
		if time.Since(began) > lastPause {
			pause = firstPause
		}
		s.cfg.Logger.Warn("no session with the controller; trying again", "at", p.to.Name,
			"in", pause.Round(time.Millisecond), "error", plain(err))
		if !sleep(ctx, pause) {
			return nil
		}
		pause = nextPause(pause)
	}
	return nil
}

// rouse has the sender look.
func (p *peer) rouse() {
	if p == nil {
		return
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// done tells that a grant is over. The session's mutex is held, as with the next two.
func (p *peer) done(pool fleet.PoolName, id fleet.GrantID, r link.Result, seen fleet.Seen, kept bool, uses uint32) {
	if p != nil {
		p.out.done(p.numbers[pool], id, r, seen, kept, uses)
	}
}

// use tells that a request begins on a kept slot.
func (p *peer) use(g *link.Grant, uses uint32, about *fleet.About) {
	if p != nil {
		if !g.Pool.About {
			about = nil
		}
		p.out.use(p.numbers[g.Pool.Name], g.ID, uses, about)
	}
}

// withdraw takes an ask back.
func (p *peer) withdraw(w *waiter) {
	if p != nil {
		p.out.withdraw(p.numbers[w.pool.Name], w.id)
	}
}

// answerBy is how soon the controller answers a message with asks, if only by saying that it
// was heard. If it does not, the requests are served as if there were no controller.
const answerBy = 20 * time.Millisecond

// unheard is a message with asks of which the controller has not said that it heard it.
type unheard struct {
	number uint64
	sent   fleet.Time
}

// sent notes that a message is about to be sent. The session's mutex is held.
func (p *peer) sent(m *fairleadv1.ProxyMessage) {
	if len(m.GetAsks()) == 0 {
		return
	}
	p.number++
	m.Number = p.number
	p.unheard = append(p.unheard, unheard{p.number, p.s.now()})
	if len(p.unheard) == 1 {
		p.alarm.Reset(answerBy)
	}
}

// heard takes in up to which message the controller has heard. The session's mutex is held.
func (p *peer) heard(number uint64) {
	n := 0
	for n < len(p.unheard) && p.unheard[n].number <= number {
		p.s.ledger.Heard(p.index, p.unheard[n].sent)
		n++
	}
	if n == 0 {
		return
	}
	if p.unheard = p.unheard[n:]; len(p.unheard) == 0 {
		p.unheard = nil
		p.alarm.Stop()
	}
	p.listen()
}

// listen finds out whether the controller leaves something unanswered, and does what
// follows. The session's mutex is held.
func (p *peer) listen() {
	quiet := false
	if len(p.unheard) > 0 {
		waits := p.s.now().Sub(p.unheard[0].sent)
		if quiet = waits >= answerBy; !quiet {
			p.alarm.Reset(answerBy - waits)
		}
	}
	if p.s.ledger.Quiet(p.index, quiet) && quiet {
		p.s.serveWaiting("")
	}
}

// overdue is what the alarm does.
func (p *peer) overdue() {
	p.s.mu.Lock()
	p.listen()
	p.s.mu.Unlock()
	p.rouse()
}

// tellPools puts what this proxy decided into the next message. The session's mutex is held.
func (p *peer) tellPools() {
	s := p.s
	for _, name := range s.choices.may {
		if s.leader(name) != p {
			continue
		}
		_, deciding := s.choices.here[name]
		w, more := s.ledger.Word(name, deciding)
		m := p.out.pool(p.numbers[name], &w)
		m.Deciding, m.RoundTripUs = deciding, micros(p.distance.roundTrip())
		if !more { // else the rest is told the next second, and until then this is not all
			m.Version = s.choices.told[name]
		}
	}
}
