package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/internal/fleet"
)

// led is which listeners lead to a pool.
type led struct {
	tcp, http bool
	routes    []*routeDraft
}

// led returns what leads to each pool, by its name.
func (f *draft) led() map[string]led {
	protocols, pools := map[string]Protocol{}, map[string]led{}
	for _, l := range f.listeners.got {
		if l.name.good() && l.protocol.good() {
			protocols[l.name.got] = l.protocol.got
		}
	}
	for _, r := range f.routes.got {
		if !r.pool.good() {
			continue
		}
		p := pools[r.pool.got]
		p.tcp = p.tcp || protocols[r.listener.got] == TCP
		p.http = p.http || protocols[r.listener.got] == HTTP
		p.routes = append(p.routes, r)
		pools[r.pool.got] = p
	}
	return pools
}

// checkClassify holds what is said of requests against the rest of the pool, and against
// what leads to it.
func (d *decoder) checkClassify(p *poolDraft, by led) {
	d.checkKey(&p.flow, "flow")
	d.checkKey(&p.affinity, "affinity")
	if p.weights.given && p.flow.by.good() && p.flow.by.got == ByClient {
		d.report(p.weights.at, complaint{"flows are clients' addresses, of which none is known beforehand",
			"remove the weights, or tell flows by a header, a cookie, a claim or the TLS server name"})
	}
	limit := p.queue.limit.or(DefaultQueueLimit)
	for class := range p.classes {
		if v := p.classes[class].limit; v.good() && !p.queue.limit.broken && v.got > limit {
			d.report(v.at, complaint{fmt.Sprintf("must be at most the pool's own queue limit, %d, got %d", limit, v.got),
				"lower it, or raise queue.limit"})
		}
	}
	if n := len(p.labelsFrom.got); n > maxLabelsFrom {
		d.report(p.labelsFrom.at, complaint{fmt.Sprintf("has %d labels, at most %d are possible", n, maxLabelsFrom), "remove some"})
	}
	if by.tcp {
		d.checkNoHTTP(p)
	}
	d.checkRequired(p, by)
}

// checkKey wants a name where there is something to be named, and only there.
func (d *decoder) checkKey(k *keyDraft, what string) {
	if !k.section.good() {
		return
	}
	need(d, k.by, k.section.at, "by", "say what tells it: client, header or cookie")
	if !k.by.good() || k.name.broken {
		return
	}
	named := k.by.got == ByHeader || k.by.got == ByCookie || k.by.got == ByClaim
	switch {
	case named && !k.name.given:
		d.report(k.section.at.Under("name"), complaint{"is missing", fmt.Sprintf("name the %s that tells the %s", k.by.got, what)})
	case !named && k.name.given:
		d.report(k.name.at, complaint{fmt.Sprintf("has no meaning for a key by %s", k.by.got), "remove it, or change by"})
	case named && k.by.got != ByClaim && (!isToken(k.name.got) || len(k.name.got) > maxField):
		d.report(k.name.at, complaint{fmt.Sprintf("must be the name of a %s, got %s", k.by.got, quote(k.name.got)), "write one such as X-Tenant"})
	}
}

// checkNoHTTP refuses what only HTTP has. A TCP listener whose links are direct gives its
// grants in HTTP, whose headers a client may set, but which keeps no cookies.
func (d *decoder) checkNoHTTP(p *poolDraft) {
	direct := p.link.or(Proxied) == Direct
	for _, v := range []struct {
		value[KeyKind]
		what string
	}{{p.flow.by, "flow"}, {p.affinity.by, "affinity"}} {
		if v.good() && (v.got == ByCookie || !direct && (v.got == ByHeader || v.got == ByClaim)) {
			d.report(v.at, complaint{fmt.Sprintf("a listener that speaks tcp leads to the pool, where there is no %s", v.got),
				fmt.Sprintf("tell the %s by client%s, or lead HTTP alone to the pool", v.what, map[bool]string{true: " or tls_name"}[v.what == "flow"])})
		}
	}
	if direct {
		return
	}
	if p.classHeader.good() {
		d.report(p.classHeader.at, noHeaders("set class in the route"))
	}
	if p.labelsFrom.good() {
		d.report(p.labelsFrom.at, noHeaders("set labels in the route"))
	}
}

func noHeaders(fix string) complaint {
	return complaint{"a listener that speaks tcp leads to the pool, where there are no headers", fix + ", or lead HTTP alone to the pool"}
}

// checkRequired wants a backend for whatever labels are required, where all of them are
// known.
func (d *decoder) checkRequired(p *poolDraft, by led) {
	whole := !p.backends.broken && !p.agents.broken && !p.agents.or(false)
	for _, b := range p.backends.got {
		whole = whole && !b.labels.broken
		if n := len(b.labels.got); n > fleet.MaxLabels {
			d.report(b.labels.at, complaint{fmt.Sprintf("has %d labels, at most %d are possible", n, fleet.MaxLabels), "remove some"})
		}
	}
	for _, r := range by.routes {
		need := labels(r.labels)
		switch {
		case len(need) > maxRouteNeeds:
			d.report(r.labels.at, complaint{fmt.Sprintf("has %d labels, at most %d are possible", len(need), maxRouteNeeds), "remove some"})
		case whole && r.labels.good() && len(need) > 0 && !p.anyHas(need):
			d.report(r.labels.at, complaint{
				fmt.Sprintf("no backend of pool %q has %s, so nobody could serve the route", p.name.got, strings.Join(need, ", ")),
				"give a backend these labels, or set agents to true so that backends can join by themselves"})
		}
	}
	for _, e := range p.labelsFrom.got {
		if whole && !p.anyNames(e.name) {
			d.report(e.value.at, complaint{
				fmt.Sprintf("no backend of the pool has a label %s, so nobody could serve a request with the header", e.name),
				"give backends the label, or set agents to true so that backends can join by themselves"})
		}
	}
}

// anyHas tells whether one of the backends has all of the labels.
func (p *poolDraft) anyHas(need []string) bool {
	return slices.ContainsFunc(p.backends.got, func(b *backendDraft) bool {
		has := labels(b.labels)
		return !slices.ContainsFunc(need, func(l string) bool { return !slices.Contains(has, l) })
	})
}

// anyNames tells whether one of the backends has a label of this name.
func (p *poolDraft) anyNames(name string) bool {
	return slices.ContainsFunc(p.backends.got, func(b *backendDraft) bool {
		return slices.ContainsFunc(b.labels.got, func(e entry[string]) bool { return e.name == name })
	})
}

// keyNotes says what those should know who tell requests apart.
func (p *Pool) keyNotes() []string {
	var notes []string
	say := func(format string, args ...any) {
		notes = append(notes, fmt.Sprintf("pool %q "+format, append([]any{string(p.Name)}, args...)...))
	}
	if p.ClassHeader != "" {
		say("takes each request's class from the header %s, which any client can set: have what stands in front of the proxies set or remove it", p.ClassHeader)
	}
	switch p.Flow.By {
	case ByClaim:
		say("tells flows by the claim %s of tokens whose signatures the proxies do not check: it is for fairness, and not for access", p.Flow.Name)
	case ByHeader:
		say("tells flows by the header %s, which any client can set: have what stands in front of the proxies set or remove it", p.Flow.Name)
	}
	return notes
}
