package config

import (
	"fmt"
	"net/netip"
)

// maxAccept bounds the subnets of one listener, each of which is looked at for each connection.
const maxAccept = 256

const acceptFix = "list the addresses of the load balancers in front, as in {from: [10.0.0.0/24]}"

// acceptDraft says who begins connections with a PROXY protocol header.
type acceptDraft struct {
	section value[struct{}]
	from    value[[]value[netip.Prefix]]
}

func (d *decoder) acceptProxy(a *acceptDraft) reader {
	return d.noted(&a.section, keys{"from": list(d, &a.from, d.subnet)})
}

// checkListener holds what is said of one listener against itself.
func (d *decoder) checkListener(l *listenerDraft) {
	if l.idle.good() && l.protocol.good() && l.protocol.got != TCP {
		d.report(l.idle.at, complaint{"has no meaning for a listener that speaks http", "remove the key"})
	}
	d.checkFront(l)
	if l.timeouts.section.good() && l.protocol.good() && l.protocol.got == TCP {
		d.report(l.timeouts.section.at, complaint{"has no meaning for a listener that speaks tcp", "remove the key; idle_timeout is for tcp"})
	}
	d.checkTrusted(l)
	if !l.accept.section.good() {
		return
	}
	from := l.accept.from
	need(d, from, l.accept.section.at, "from", acceptFix)
	switch n := len(from.got); {
	case from.good() && n == 0:
		d.report(from.at, complaint{"is empty, so nobody's header would be read", acceptFix + ", or remove accept_proxy"})
	case n > maxAccept:
		d.report(from.at, complaint{fmt.Sprintf("has %d subnets, at most %d are possible", n, maxAccept), "join some of them"})
		return
	}
	d.onceEach(from.got)
}

// onceEach reports subnets that are given twice.
func (d *decoder) onceEach(all []value[netip.Prefix]) {
	lines := map[string]where{}
	for _, s := range all {
		d.once(lines, s.got.String(), "subnet", s.at)
	}
}

// checkTrusted holds what is said of trusted networks against their listener.
func (d *decoder) checkTrusted(l *listenerDraft) {
	const fix = "list the subnets of the proxies in front that speak HTTP, as in [10.0.0.0/24]"
	t := l.trusted
	switch n := len(t.got); {
	case !t.good():
	case l.protocol.good() && l.protocol.got == TCP:
		d.report(t.at, complaint{"has no meaning for a listener that speaks tcp", "remove the key; accept_proxy tells clients' addresses over tcp"})
	case n == 0:
		d.report(t.at, complaint{"is empty, so nobody would be believed", fix + ", or remove the key"})
	case n > maxAccept:
		d.report(t.at, complaint{fmt.Sprintf("has %d subnets, at most %d are possible", n, maxAccept), "join some of them"})
	default:
		d.onceEach(t.got)
	}
}

// listener returns the listener of a good draft. at80 is as for acme.
func (l *listenerDraft) listener(at80 bool) Listener {
	out := Listener{Name: l.name.got, Address: l.address.got.String(), Protocol: l.protocol.got}
	if out.Protocol == TCP {
		out.IdleTimeout = l.idle.or(DefaultIdleTimeout)
	}
	for _, s := range l.accept.from.got {
		out.AcceptProxyFrom = append(out.AcceptProxyFrom, s.got)
	}
	for _, s := range l.trusted.got {
		out.Trusted = append(out.Trusted, s.got)
	}
	out.TLS = l.tls.front(at80)
	out.Timeouts = l.timeouts.timeouts()
	return out
}

// checkSendProxy holds what is said of headers for backends against the rest of the pool.
func (d *decoder) checkSendProxy(p *poolDraft) {
	if !p.send.good() {
		return
	}
	switch {
	case p.link.or(Proxied) == Direct:
		d.report(p.send.at, complaint{"has no meaning for a pool whose links are direct", "set link to proxied, or remove the key"})
	case p.send.got == SendProxyV1 && p.tickets.or(false):
		d.report(p.send.at, complaint{"the pool has tickets, which a header of version 1 cannot hold", "write v2, or remove tickets"})
	case p.http2.or(false):
		d.report(p.send.at, complaint{"the pool has http2, where the requests of many clients share a connection, and a header would name one of them",
			"remove http2, or remove the key and have the backends take the client's address from X-Forwarded-For"})
	}
}

// headerNotes says what those should know who have PROXY protocol headers.
func (c *Config) headerNotes() []string {
	var notes []string
	for _, l := range c.Listeners {
		for _, from := range l.AcceptProxyFrom {
			if from.Bits() == 0 {
				notes = append(notes, fmt.Sprintf("listener %q takes clients' addresses from whoever connects (accept_proxy: from %s): anyone can then say that they are anyone", l.Name, from))
			}
		}
	}
	for _, l := range c.Listeners {
		for _, from := range l.Trusted {
			if from.Bits() == 0 {
				notes = append(notes, fmt.Sprintf("listener %q believes whoever connects (trusted: %s) who a client is: anyone can then say that they are anyone", l.Name, from))
			}
		}
	}
	for _, p := range c.Pools {
		if p.SendProxy != SendProxyNone {
			notes = append(notes, fmt.Sprintf("pool %q sends a PROXY protocol header (send_proxy: %s): each backend must expect one, and take it from the proxies alone; health checks bring none", p.Name, p.SendProxy))
		}
	}
	return notes
}
