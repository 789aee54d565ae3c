package backend

import (
	"context"
	"fmt"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/ticket"
)

// contact is what a Reporter has to do with one of the controllers. It has a goroutine of its
// own, so that a controller that is away delays no other.
type contact struct {
	r       *Reporter
	address string
	outbox  *outbox
	poke    chan struct{} // holds one: something may have to be sent before the interval

	// The Reporter's lock guards what is below.
	state    State     // what this controller last said
	told     bool      // the session that is on was told of the drain
	epoch    uint64    // of its latest term; 0: it never led the pool
	began    time.Time // when it took over from another; zero: it did not, or before we met
	lost     time.Time // since when a controller that was met is away; zero: it is not
	keys     []ticket.Key
	rejected error // it turned the backend away; nil: not, or not any more
}

func newContacts(r *Reporter, addresses []string) []*contact {
	var all []*contact
	for i, address := range addresses {
		all = append(all, &contact{r: r, address: address, outbox: r.grants.outboxes[i], poke: make(chan struct{}, 1)})
	}
	return all
}

// keepJoined keeps a session with the controller until ctx ends. It returns an error when
// every controller has turned the backend away, and this one was the last.
func (c *contact) keepJoined(ctx context.Context) error {
	var tries retries
	for {
		begun := time.Now()
		joined, err := c.session(ctx)
		c.change(func() {
			if c.state.Connected {
				c.lost = time.Now()
			}
			c.state.Connected, c.state.Drained, c.told = false, false, false
		})
		if ctx.Err() != nil {
			return nil
		}
		fatal := tries.judge(err, joined, time.Since(begun), time.Now())
		if fatal != nil {
			fatal = fmt.Errorf("backend: report %s: %w", c.r.cfg.Address, fatal)
		}
		first, everyone := c.reject(fatal)
		if everyone {
			return fatal
		}
		pause := tries.pause()
		switch {
		case fatal == nil:
			c.logTry(joined, tries.failed, err, pause)
		case first:
			c.r.cfg.Logger.Error("one controller turned this backend away; the others are reported to",
				"controller", c.address, "backend", c.r.cfg.Address, "error", fatal)
		}
		if fatal != nil {
			pause = pauseRejected
		}
		if !wait(ctx, pause) {
			return nil
		}
	}
}

// reject notes whether the controller turned the backend away. first: it had not before;
// everyone: now all have.
func (c *contact) reject(err error) (first, everyone bool) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	first = c.rejected == nil
	c.rejected = err
	for _, other := range c.r.contacts {
		if other.rejected == nil {
			return first, false
		}
	}
	return first, true
}

// logTry says the first failure aloud, and its repetitions quietly.
func (c *contact) logTry(joined bool, failed int, err error, pause time.Duration) {
	text := "cannot reach the controller, and will go on trying"
	if joined {
		text = "lost the controller, and will come back"
	}
	log := c.r.cfg.Logger.Debug
	if joined || failed == 1 {
		log = c.r.cfg.Logger.Warn
	}
	log(text, "controller", c.address, "backend", c.r.cfg.Address, "error", err, "again_in", pause)
}

// change alters what is known of the controller, and tells who waits for the whole's state.
func (c *contact) change(alter func()) {
	r := c.r
	r.changing.Lock()
	defer r.changing.Unlock()
	r.mu.Lock()
	before := r.state
	alter()
	if c.state.Connected {
		c.lost = time.Time{}
	}
	now := r.sum()
	r.state = now
	r.announce() // a Drain looks at each contact
	r.mu.Unlock()
	if now != before && r.cfg.OnState != nil {
		r.cfg.OnState(now)
	}
}

// term takes in the epoch of a term in which the controller leads the pool; 0 says nothing.
func (c *contact) term(epoch uint64) {
	if epoch == 0 {
		return
	}
	c.change(func() {
		if l := c.r.leader(); c.state.Connected && l != nil && l != c && epoch > l.epoch {
			c.began = time.Now()
		}
		c.epoch = max(c.epoch, epoch)
	})
	c.r.grants.greet(epoch, c.r.tickets)
}

// greet notes a term, and has tickets of earlier ones refused.
func (g *grants) greet(epoch uint64, tickets *ticket.Verifier) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if epoch > g.epoch {
		g.epoch = epoch
		tickets.SetEpoch(epoch)
	}
}

// learnKeys takes in the keys that the controller signs tickets with, if they are told. Those
// of one that is gone stay: its tickets are good until they expire.
func (c *contact) learnKeys(m *fairleadv1.Keys) {
	if m == nil {
		return
	}
	keys := make([]ticket.Key, 0, len(m.GetKeys()))
	for _, k := range m.GetKeys() {
		keys = append(keys, ticket.Key{ID: k.GetId(), Public: k.GetPublic()})
	}
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	c.keys = keys
	var all []ticket.Key
	for _, other := range c.r.contacts {
		all = append(all, other.keys...)
	}
	c.r.tickets.SetKeys(all)
}
