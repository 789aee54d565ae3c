package backend

import (
	"errors"
	"sync"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
)

const (
	// maxUnsaid is how many words on grants may wait to be sent: several seconds' worth.
	maxUnsaid = 1 << 16
	// maxTold is how many words of a kind go into one message. An agent's message has at
	// most 64 KiB, and a word at most 41 bytes.
	maxTold = 500
	// maxLive is how many running grants a hello can list in 64 KiB.
	maxLive = 1500
)

var errBehind = errors.New("the controller does not take what it is told of grants")

// ErrRevoked is the cause (context.Cause) with which the context of a request ends that
// Guard let in and whose grant the controller then took back.
var ErrRevoked = errors.New("the controller took the grant back")

// grants is what a Reporter knows of grants: those that run here, and what is still to be
// said of them. Safe for concurrent use.
type grants struct {
	direct   bool      // they are ours to tell of
	outboxes []*outbox // one for each controller

	mu      sync.Mutex // guards what is below, and the fields of each running and outbox
	epoch   uint64     // the highest that any controller said
	running map[fleet.GrantID]*running
}

// outbox is what is still to be said of grants to one controller.
type outbox struct {
	of   *grants
	wake chan struct{} // holds one: there is something to say

	// session counts them. While one is on, or about to be, what is said waits for its
	// sender; else nothing waits: the next hello tells what still runs.
	session uint64
	on      bool
	behind  bool // more was to be said than may wait
	unsaid  words
}

// words are what is said of grants.
type words struct {
	answers  []*fairleadv1.Answer
	arrivals []*fairleadv1.GrantID
	dones    []*fairleadv1.Done
}

func (w *words) len() int { return len(w.answers) + len(w.arrivals) + len(w.dones) }

// running is one grant that a Guard has let in.
type running struct {
	of      *grants
	id      fleet.GrantID
	since   time.Time
	end     func() // has it end, for it was revoked; called without the lock
	revoked bool
}

// newGrants makes grants that are told to some controllers.
func newGrants(direct bool, controllers int) *grants {
	g := &grants{direct: direct, running: map[fleet.GrantID]*running{}}
	for range controllers {
		g.outboxes = append(g.outboxes, &outbox{of: g, wake: make(chan struct{}, 1)})
	}
	return g
}

// begin starts a session, and returns the direct grants that its hello has to list, and
// how many did not fit in.
func (o *outbox) begin(now time.Time) (live []*fairleadv1.LiveGrant, left int) {
	g := o.of
	g.mu.Lock()
	defer g.mu.Unlock()
	o.session++
	o.on, o.behind, o.unsaid = true, false, words{}
	if !g.direct {
		return nil, 0
	}
	for id, run := range g.running {
		if len(live) == maxLive {
			break
		}
		live = append(live, &fairleadv1.LiveGrant{
			Id: grantMessage(id), HeldMs: uint64(max(now.Sub(run.since), 0).Milliseconds()),
		})
	}
	return live, len(g.running) - len(live)
}

// end ends the session.
func (o *outbox) end() {
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	o.on, o.unsaid = false, words{}
}

// number returns the session's.
func (o *outbox) number() uint64 {
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	return o.session
}

// void tells whether a grant is of an earlier term than the latest that is known.
func (g *grants) void(id fleet.GrantID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return id.Epoch < g.epoch
}

// say has something said, if a session is on. g.mu is held.
func (o *outbox) say(add func(*words)) {
	if !o.on {
		return
	}
	if o.unsaid.len() >= maxUnsaid {
		o.behind = true
	} else {
		add(&o.unsaid)
	}
	select {
	case o.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// sayToAll has something said in every session that is on. g.mu is held.
func (g *grants) sayToAll(add func(*words)) {
	for _, o := range g.outboxes {
		o.say(add)
	}
}

// answer says what became of an assignment that came in a session.
func (o *outbox) answer(session uint64, id fleet.GrantID, no fairleadv1.Rejection) {
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	if session != o.session {
		return // who asked is gone
	}
	o.say(func(w *words) {
		w.answers = append(w.answers, &fairleadv1.Answer{Grant: grantMessage(id), Rejection: no})
	})
}

// enter notes that the grant runs, and says Arrival of a direct one. From then on end may
// be called, by another goroutine.
func (run *running) enter() {
	g := run.of
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running[run.id] = run
	if g.direct {
		g.sayToAll(func(w *words) { w.arrivals = append(w.arrivals, grantMessage(run.id)) })
	}
}

// leave notes that it is over, and says Done of a direct one. It is called once.
func (run *running) leave(how fairleadv1.Outcome, latency time.Duration) {
	g := run.of
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.running, run.id)
	if !g.direct {
		return
	}
	if run.revoked {
		how, latency = fairleadv1.Outcome_OUTCOME_REVOKED, 0
	}
	g.sayToAll(func(w *words) {
		w.dones = append(w.dones, &fairleadv1.Done{
			Grant: grantMessage(run.id), Outcome: how, LatencyUs: uint64(max(latency, 0).Microseconds()),
		})
	})
}

// revoke ends a grant that runs.
func (g *grants) revoke(id fleet.GrantID) {
	g.mu.Lock()
	run := g.running[id]
	if run != nil {
		run.revoked = true
	}
	g.mu.Unlock()
	if run != nil {
		run.end()
	}
}

// take returns the next message on grants; nil: there is nothing to say.
func (o *outbox) take() (*fairleadv1.AgentMessage, error) {
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	if o.behind {
		return nil, errBehind
	}
	w := &o.unsaid
	if w.len() == 0 {
		return nil, nil
	}
	m := &fairleadv1.AgentMessage{Answers: cut(&w.answers), Arrivals: cut(&w.arrivals)}
	if len(w.arrivals) == 0 { // a grant's Done never goes before its Arrival
		m.Dones = cut(&w.dones)
	}
	return m, nil
}

// cut takes the first few of a list.
func cut[T any](list *[]T) []T {
	n := min(len(*list), maxTold)
	first := (*list)[:n:n]
	if *list = (*list)[n:]; len(*list) == 0 {
		*list = nil
	}
	return first
}

func grantMessage(id fleet.GrantID) *fairleadv1.GrantID {
	return &fairleadv1.GrantID{Epoch: id.Epoch, Number: id.Number}
}

func grantID(m *fairleadv1.GrantID) fleet.GrantID {
	return fleet.GrantID{Epoch: m.GetEpoch(), Number: m.GetNumber()}
}
