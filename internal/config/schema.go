package config

import (
	"maps"
	"net/netip"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/strict"
)

// Limits. docs/config.md tells them to users.
const (
	maxSlots     = 1_000_000
	maxQueue     = 1_000_000
	maxRetries   = 10
	maxInARow    = 100
	maxListeners = 1000
)

// draft is a file as it was read: each value good in itself, none held against another.
type draft struct {
	controller controllerDraft
	locate     locateDraft
	zones      value[[]*zoneDraft]
	listeners  value[[]*listenerDraft]
	routes     value[[]*routeDraft]
	pools      value[[]*poolDraft]
}

type controllerDraft struct {
	listen, admin value[address]
	data, token   value[string]
	name          value[string]
	advertise     value[address]
	store         storeDraft
	tls           tlsDraft
	insecure      value[bool]
}

type tlsDraft struct {
	section       value[struct{}]
	cert, key, ca value[string]
}

type locateDraft struct {
	dns, http value[address]
	domain    value[string]
	ttl       value[time.Duration]
	https     value[bool]
}

type zoneDraft struct {
	at      where
	name    value[string]
	subnets value[[]value[netip.Prefix]]
}

type listenerDraft struct {
	at       where
	name     value[string]
	address  value[address]
	protocol value[Protocol]
	idle     value[time.Duration]
	accept   acceptDraft
	tls      frontDraft
	timeouts timeoutsDraft
	trusted  value[[]value[netip.Prefix]]
}

type routeDraft struct {
	at             where
	listener, pool value[string]
	host, path     value[string]
	class          value[fleet.Class]
	labels         value[[]entry[string]]
}

type poolDraft struct {
	at       where
	name     value[fleet.PoolName]
	slots    value[capacity]
	workers  value[capacity]
	queue    queueDraft
	health   healthDraft
	backends value[[]*backendDraft]
	agents   value[bool]

	link       value[Link]
	assign     value[fleet.Assign]
	assignTime value[time.Duration]
	tickets    value[bool]
	ticketLife value[time.Duration]
	prefer     value[Prefer]
	classifyDraft
	steadyDraft
	decide  value[Decide]
	permits value[bool]
	send    value[SendProxy]
	http2   value[bool]

	backendTLS backendTLSDraft

	retries        value[int]
	connectTimeout value[time.Duration]
	grantLimit     value[time.Duration]
}

type queueDraft struct {
	limit   value[int]
	timeout value[time.Duration]
}

type healthDraft struct {
	kind       value[HealthType]
	path, host value[string]
	interval   value[time.Duration]
	timeout    value[time.Duration]
	fall, rise value[int]
	lostAfter  value[time.Duration]
}

type backendDraft struct {
	at      where
	address value[address]
	zone    value[string]
	slots   value[int]
	workers value[int]
	labels  value[[]entry[string]]
	weight  value[float64]
	public  value[publicAddress]
}

// draft reads the whole file. body is nil when the file is empty.
func (d *decoder) draft(body ast.Node) *draft {
	var f draft
	if body == nil {
		return &f
	}
	at := strict.Place(body, where{Line: 1, Column: 1})
	if body = d.Plain(body, at); body == nil {
		return &f
	}
	d.section(body, at, keys{
		"controller": d.controller(&f.controller),
		"locate":     d.locate(&f.locate),
		"zones":      list(d, &f.zones, d.zone),
		"listeners":  list(d, &f.listeners, d.listener),
		"routes":     list(d, &f.routes, d.route),
		"pools":      list(d, &f.pools, d.pool),
	})
	return &f
}

// inner returns a reader of a section within another.
func (d *decoder) inner(known keys) reader {
	return func(n ast.Node, at where) {
		if n != nil {
			d.section(n, at, known)
		}
	}
}

func (d *decoder) controller(c *controllerDraft) reader {
	return d.inner(keys{
		"listen":      scalar(d, &c.listen, text(listenAddress)),
		"admin":       scalar(d, &c.admin, text(listenAddress)),
		"data":        scalar(d, &c.data, text(directory)),
		"name":        scalar(d, &c.name, text(controllerName)),
		"advertise":   scalar(d, &c.advertise, text(peerAddress)),
		"store":       d.store(&c.store),
		"insecure":    scalar(d, &c.insecure, yesOrNo),
		"tls":         d.tls(&c.tls),
		"admin_token": scalar(d, &c.token, text(fileName)),
	})
}

func (d *decoder) tls(t *tlsDraft) reader {
	return func(n ast.Node, at where) {
		t.section.at, t.section.given = at, true
		t.section.broken = n == nil || !d.section(n, at, keys{
			"cert": scalar(d, &t.cert, text(fileName)),
			"key":  scalar(d, &t.key, text(fileName)),
			"ca":   scalar(d, &t.ca, text(fileName)),
		})
	}
}

func (d *decoder) locate(l *locateDraft) reader {
	return d.inner(keys{
		"dns":           scalar(d, &l.dns, text(listenAddress)),
		"http":          scalar(d, &l.http, text(listenAddress)),
		"domain":        scalar(d, &l.domain, text(domain)),
		"ttl":           scalar(d, &l.ttl, wholeSeconds(time.Hour, "say how long clients remember which proxy to use")),
		"https_records": scalar(d, &l.https, yesOrNo),
	})
}

func (d *decoder) zone(n ast.Node, at where) (*zoneDraft, bool) {
	z := &zoneDraft{at: at}
	return z, d.section(n, at, keys{
		"name":    scalar(d, &z.name, text(name[string])),
		"subnets": list(d, &z.subnets, d.subnet),
	})
}

// subnet reads one subnet; one that is bad has been reported.
func (d *decoder) subnet(n ast.Node, at where) (value[netip.Prefix], bool) {
	var v value[netip.Prefix]
	scalar(d, &v, text(subnet))(n, at)
	return v, !v.broken
}

func (d *decoder) listener(n ast.Node, at where) (*listenerDraft, bool) {
	l := &listenerDraft{at: at}
	return l, d.section(n, at, keys{
		"name":     scalar(d, &l.name, text(name[string])),
		"address":  scalar(d, &l.address, text(listenAddress)),
		"protocol": scalar(d, &l.protocol, oneOf("protocol", []Protocol{HTTP, TCP})),
		"idle_timeout": scalar(d, &l.idle, duration(span{
			least: time.Second, most: 365 * 24 * time.Hour, zero: true,
			purpose: "say how long a connection may live on which nothing is said, or 0 for any time"})),
		"accept_proxy": d.acceptProxy(&l.accept),
		"tls":          d.front(&l.tls),
		"timeouts":     d.timeouts(&l.timeouts),
		"trusted":      list(d, &l.trusted, d.subnet),
	})
}

func (d *decoder) route(n ast.Node, at where) (*routeDraft, bool) {
	r := &routeDraft{at: at}
	return r, d.section(n, at, keys{
		"listener": scalar(d, &r.listener, text(name[string])),
		"pool":     scalar(d, &r.pool, text(name[string])),
		"host":     scalar(d, &r.host, text(hostPattern)),
		"path":     scalar(d, &r.path, text(routePath)),
		"class":    scalar(d, &r.class, class),
		"labels":   mapping(d, &r.labels, labelName, text(labelValue)),
	})
}

func (d *decoder) pool(n ast.Node, at where) (*poolDraft, bool) {
	p := &poolDraft{at: at}
	known := keys{
		"name":     scalar(d, &p.name, text(name[fleet.PoolName])),
		"slots":    scalar(d, &p.slots, learnt(slotsFix)),
		"workers":  scalar(d, &p.workers, learnt(workersFix)),
		"agents":   scalar(d, &p.agents, yesOrNo),
		"backends": list(d, &p.backends, d.backend),
		"queue":    d.queue(&p.queue),
		"health":   d.health(&p.health),
		"retries": scalar(d, &p.retries, whole(0, maxRetries,
			"say how often a request is asked for again after a backend that cannot be reached")),
		"connect_timeout": scalar(d, &p.connectTimeout, duration(span{
			least: time.Millisecond, most: time.Minute,
			purpose: "say how long a proxy tries to connect to one backend"})),
		"grant_limit": scalar(d, &p.grantLimit, duration(span{
			least: time.Millisecond, most: 365 * 24 * time.Hour, zero: true,
			purpose: "say how long one request or connection may last, or 0 for any time"})),
		"link":   scalar(d, &p.link, oneOf("link", []Link{Proxied, Direct})),
		"assign": scalar(d, &p.assign, assign),
		"assign_timeout": scalar(d, &p.assignTime, duration(span{
			least: time.Millisecond, most: time.Minute,
			purpose: "say how long a backend may think about an assignment"})),
		"tickets":     scalar(d, &p.tickets, yesOrNo),
		"ticket_life": scalar(d, &p.ticketLife, wholeSeconds(time.Hour, "say how long a ticket is good")),
		"prefer":      scalar(d, &p.prefer, oneOf("prefer", []Prefer{PreferNone, PreferZone})),
		"permits":     scalar(d, &p.permits, yesOrNo),
		"http2":       scalar(d, &p.http2, yesOrNo),
		"backend_tls": d.backendTLS(&p.backendTLS),
		"send_proxy":  scalar(d, &p.send, oneOf("send_proxy", []SendProxy{SendProxyV1, SendProxyV2})),
		"decide":      scalar(d, &p.decide, oneOf("decide", []Decide{DecideController, DecideProxy, DecideAuto})),
	}
	maps.Copy(known, d.classify(&p.classifyDraft))
	maps.Copy(known, d.steady(&p.steadyDraft))
	return p, d.section(n, at, known)
}

func (d *decoder) queue(q *queueDraft) reader {
	return d.inner(keys{
		"limit": scalar(d, &q.limit, whole(0, maxQueue, "say how many requests may wait for a slot")),
		"timeout": scalar(d, &q.timeout, duration(span{
			least: time.Millisecond, most: time.Hour,
			purpose: "say how long a request may wait for a slot; to let none wait, set limit to 0"})),
	})
}

func (d *decoder) health(h *healthDraft) reader {
	return d.inner(keys{
		"type": scalar(d, &h.kind, oneOf("type", []HealthType{HealthTCP, HealthHTTP, HealthNone})),
		"path": scalar(d, &h.path, text(checkedPath)),
		"host": scalar(d, &h.host, text(hostHeader)),
		"interval": scalar(d, &h.interval, duration(span{
			least: 10 * time.Millisecond, most: time.Hour, purpose: "say how often a backend is checked"})),
		"timeout": scalar(d, &h.timeout, duration(span{
			least: time.Millisecond, most: time.Minute, purpose: "say how long one check may take"})),
		"fall": scalar(d, &h.fall, whole(1, maxInARow, "say how many failures in a row make a backend down")),
		"rise": scalar(d, &h.rise, whole(1, maxInARow, "say how many successes in a row make a backend up")),
		"lost_after": scalar(d, &h.lostAfter, duration(span{
			least: time.Millisecond, most: 24 * time.Hour, zero: true,
			purpose: "say how long a backend is down before its requests are given up, or 0 for never"})),
	})
}

func (d *decoder) backend(n ast.Node, at where) (*backendDraft, bool) {
	b := &backendDraft{at: at}
	return b, d.section(n, at, keys{
		"address": scalar(d, &b.address, text(backendAddress)),
		"zone":    scalar(d, &b.zone, text(name[string])),
		"slots":   scalar(d, &b.slots, whole(1, maxSlots, slotsFix)),
		"workers": scalar(d, &b.workers, whole(1, maxSlots, workersFix)),
		"labels":  mapping(d, &b.labels, labelName, text(labelValue)),
		"weight":  scalar(d, &b.weight, number(leastWeight, mostWeight, weightFix)),
		"public":  scalar(d, &b.public, text(public)),
	})
}
