package control

import (
	"context"
	"fmt"
	"sync"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

// ticketDue is a grant whose ticket is still to be signed. That takes longer than the
// decision, so each session's sender does it, and not the pool's runner.
type ticketDue struct {
	grant *fairleadv1.Grant
	r     *runner
}

// sign signs the tickets of a message's grants.
func (c *Controller) sign(due []ticketDue) error {
	for _, d := range due {
		life := d.r.conf().TicketLife
		signed, err := c.keyring.Sign(time.Now(), d.r.conf().Name, fleet.BackendName(d.grant.GetBackend()),
			grantID(d.grant.GetId()), life)
		if err != nil {
			return fmt.Errorf("signing a ticket: %w", err)
		}
		d.grant.Ticket, d.grant.TicketMs = signed, uint64(life.Milliseconds())
	}
	return nil
}

// JWKS returns the public keys that tickets are checked with, as a JSON Web Key Set (RFC
// 7517).
func (c *Controller) JWKS() []byte { return c.keyring.JWKS() }

func (c *Controller) keys() *fairleadv1.Keys {
	m := &fairleadv1.Keys{}
	for _, k := range c.keyring.Public() {
		m.Keys = append(m.Keys, &fairleadv1.Key{Id: k.ID, Public: k.Public})
	}
	return m
}

// rotate changes the keys of tickets in their time, and tells the agents, until ctx ends.
func (c *Controller) rotate(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			if c.keyring.Rotate(now) {
				c.agents.announce(c.keys())
			}
		case <-ctx.Done():
			return
		}
	}
}

// publics knows where clients reach backends: as the agent says, else the config, else at
// the backend's own address.
type publics struct {
	mu    sync.Mutex // guards said
	said  map[fleet.BackendName]string
	given map[fleet.BackendName]string // in the config; never changed
}

func newPublics(conf config.Pool) *publics {
	p := &publics{said: map[fleet.BackendName]string{}}
	p.give(conf)
	return p
}

// give takes in what the config says.
func (p *publics) give(conf config.Pool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.given = map[fleet.BackendName]string{}
	for _, b := range conf.Backends {
		if b.Public != "" {
			p.given[fleet.BackendName(b.Address)] = b.Public
		}
	}
}

func (p *publics) say(b fleet.BackendName, public string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if public == "" {
		delete(p.said, b)
		return
	}
	p.said[b] = public
}

func (p *publics) forget(b fleet.BackendName) { p.say(b, "") }

func (p *publics) of(b fleet.BackendName) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, ok := p.said[b]; ok {
		return at
	}
	if at, ok := p.given[b]; ok {
		return at
	}
	return string(b)
}
