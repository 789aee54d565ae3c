package config

import (
	"fmt"

	"github.com/fairlead/fairlead/internal/fleet"
)

func (d *decoder) checkPools(f *draft) {
	lines := map[string]where{}
	led := f.led()
	for _, p := range f.pools.got {
		need(d, p.name, p.at, "name", "name the pool, so that routes can mean it")
		if p.name.good() {
			d.once(lines, string(p.name.got), "pool", p.name.at)
		}
		d.checkBackends(p)
		d.checkSlots(p)
		d.checkHealth(&p.health)
		d.checkAssign(p)
		d.checkDirect(p, led[string(p.name.got)].tcp)
		d.checkClassify(p, led[string(p.name.got)])
		d.checkSteady(p)
		d.checkDecide(p)
		d.checkPermits(p)
		d.checkSendProxy(p)
		d.checkHTTP2(p, led[string(p.name.got)])
		d.checkBackendTLS(p)
	}
}

func (d *decoder) checkBackends(p *poolDraft) {
	const fix = "list backends, or set agents to true so that backends can join by themselves"
	switch {
	case p.agents.or(false), p.agents.broken, p.backends.broken:
	case !p.backends.given:
		d.report(p.at.Under("backends"), complaint{"is missing, so nobody can serve the pool", fix})
	case len(p.backends.got) == 0:
		d.report(p.backends.at, complaint{"is empty, so nobody can serve the pool", fix})
	}
	lines := map[string]where{}
	for _, b := range p.backends.got {
		need(d, b.address, b.at, "address", `say where proxies reach it, as in "10.0.0.7:9000"`)
		if b.address.good() {
			d.once(lines, b.address.got.String(), "backend", b.address.at)
		}
	}
}

func (d *decoder) checkHealth(h *healthDraft) {
	if h.kind.broken || h.kind.or(HealthTCP) == HealthHTTP {
		return
	}
	for _, v := range []value[string]{h.path, h.host} {
		if v.good() {
			d.report(v.at, complaint{
				fmt.Sprintf("has no meaning for a health check of type %s", h.kind.or(HealthTCP)),
				"set type to http, or remove the key"})
		}
	}
}

// pool returns the pool of a good draft.
func (p *poolDraft) pool() Pool {
	pool := Pool{
		Name:           p.name.got,
		Decide:         p.decide.or(DecideController),
		Agents:         p.agents.or(false),
		Queue:          Queue{p.queue.limit.or(DefaultQueueLimit), p.queue.timeout.or(DefaultQueueTimeout)},
		Health:         p.health.health(),
		Retries:        p.retries.or(DefaultRetries),
		ConnectTimeout: p.connectTimeout.or(DefaultConnectTimeout),
		GrantLimit:     p.grantLimit.or(DefaultGrantLimit),
		Link:           p.link.or(Proxied),
		Assign:         p.assign.or(fleet.AssignNone),
		AssignTimeout:  p.assignTime.or(DefaultAssignTimeout),
		Tickets:        p.tickets.or(p.link.or(Proxied) == Direct),
		TicketLife:     p.ticketLife.or(DefaultTicketLife),
		Prefer:         p.prefer.or(PreferNone),
		SendProxy:      p.send.or(SendProxyNone),
		HTTP2:          p.http2.or(false),
		TLS:            p.backendTLS.tls(),
	}
	if pool.TLS != nil && pool.Health.Type == HealthHTTP {
		pool.Health.TLS, pool.Health.ServerName = true, pool.TLS.ServerName
	}
	pool.Slots, pool.Workers, pool.Learn = p.capacity()
	p.classifyDraft.fill(&pool)
	p.steadyDraft.fill(&pool)
	pool.Permits = p.permits.or(pool.SharesSlots() && pool.Prefer != PreferZone)
	for _, b := range p.backends.got {
		pool.Backends = append(pool.Backends, Backend{
			Address: b.address.got.String(), Zone: b.zone.got, Slots: b.slots.got, Workers: b.workers.got,
			Labels: labels(b.labels), Weight: b.weight.got, Public: b.public.got.String(),
		})
	}
	return pool
}

func (h *healthDraft) health() Health {
	by := DefaultHealth()
	return Health{
		Type:      h.kind.or(by.Type),
		Path:      h.path.or(by.Path),
		Host:      h.host.got,
		Interval:  h.interval.or(by.Interval),
		Timeout:   h.timeout.or(by.Timeout),
		Fall:      h.fall.or(by.Fall),
		Rise:      h.rise.or(by.Rise),
		LostAfter: h.lostAfter.or(by.LostAfter),
	}
}
