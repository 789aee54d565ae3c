package config

import (
	"fmt"
	"net/netip"
)

// routing is what routes are held against.
type routing struct {
	*decoder
	listeners             map[string]*listenerDraft
	listenerNames, pools  []string
	poolSet               map[string]bool
	first                 map[match]*routeDraft // by what it catches
	count                 map[string]int        // of routes, by listener
	direct                map[string]bool       // pools whose links are direct
	listenersBad, poolBad bool                  // some could not be read, so a name may be theirs
}

// match is what a route catches.
type match struct{ listener, host, path string }

func (d *decoder) checkRoutes(f *draft) {
	r := &routing{
		decoder: d, listeners: map[string]*listenerDraft{}, poolSet: map[string]bool{},
		first: map[match]*routeDraft{}, count: map[string]int{}, direct: map[string]bool{},
		listenersBad: f.listeners.broken, poolBad: f.pools.broken,
	}
	for _, l := range f.listeners.got {
		r.listenersBad = r.listenersBad || !l.name.good()
		if l.name.good() && r.listeners[l.name.got] == nil {
			r.listeners[l.name.got] = l
			r.listenerNames = append(r.listenerNames, l.name.got)
		}
	}
	for _, p := range f.pools.got {
		r.poolBad = r.poolBad || !p.name.good()
		if p.name.good() {
			r.poolSet[string(p.name.got)] = true
			r.pools = append(r.pools, string(p.name.got))
			r.direct[string(p.name.got)] = p.link.or(Proxied) == Direct
		}
	}
	for _, route := range f.routes.got {
		if route.listener.good() {
			r.count[route.listener.got]++
		}
	}
	whole := !f.routes.broken
	for _, route := range f.routes.got {
		r.check(route)
		whole = whole && !route.listener.broken
	}
	for _, name := range r.listenerNames {
		if l := r.listeners[name]; whole && r.count[name] == 0 {
			d.report(l.at, complaint{
				fmt.Sprintf("no route leads from listener %q to a pool", name),
				fmt.Sprintf("add one under routes, as in {listener: %s, pool: NAME}", name)})
		}
	}
}

func (r *routing) check(route *routeDraft) {
	need(r.decoder, route.listener, route.at, "listener", "name the listener whose requests it leads")
	need(r.decoder, route.pool, route.at, "pool", "name the pool that it leads to")
	if name := route.pool.got; route.pool.good() && !r.poolSet[name] && !r.poolBad {
		r.report(route.pool.at, r.UnknownName("pool", name, r.pools))
	}
	if !route.listener.good() {
		return
	}
	name := route.listener.got
	l := r.listeners[name]
	switch {
	case l == nil && !r.listenersBad:
		r.report(route.listener.at, r.UnknownName("listener", name, r.listenerNames))
	case l != nil && l.protocol.good() && l.protocol.got == TCP:
		r.checkTCP(route)
	case l != nil && l.protocol.good():
		r.checkHTTP(route)
	}
}

// checkTCP: of a TCP connection the TLS server name alone tells two routes apart.
func (r *routing) checkTCP(route *routeDraft) {
	if v := route.path; v.given {
		r.report(v.at, complaint{
			fmt.Sprintf("listener %q speaks tcp, which has none", route.listener.got),
			"remove the key, or set the listener's protocol to http"})
	}
	if route.host.broken {
		return
	}
	m := match{listener: route.listener.got, host: route.host.or("*")}
	if _, err := netip.ParseAddr(m.host); err == nil {
		r.report(route.host.at, complaint{
			fmt.Sprintf("listener %q speaks tcp, where the host is the TLS server name, which is never an IP address", m.listener),
			"write a host name, or remove the key"})
		return
	}
	if first := r.first[m]; first != nil {
		r.report(route.at, complaint{
			fmt.Sprintf("listener %q and host %q have a route already, %s in line %d",
				m.listener, m.host, first.at.Key, first.at.Line),
			"remove one of them, or give it another host, which is the TLS server name"})
		return
	}
	r.first[m] = route
	if r.direct[route.pool.got] {
		r.checkGrants(route)
	}
}

// checkGrants: HTTP is spoken where a TCP listener leads to a pool with direct links, so
// nobody says a TLS server name there.
func (r *routing) checkGrants(route *routeDraft) {
	if r.count[route.listener.got] > 1 || route.host.or("*") != "*" {
		r.report(route.at, complaint{
			fmt.Sprintf("the links of pool %q are direct, and grants for them are all that listener %q can give then", route.pool.got, route.listener.got),
			"make it the listener's only route, without a host, or set the pool's link to proxied"})
	}
}

func (r *routing) checkHTTP(route *routeDraft) {
	if route.host.broken || route.path.broken {
		return
	}
	m := match{route.listener.got, route.host.or("*"), route.path.or("/")}
	if first := r.first[m]; first != nil {
		r.report(route.at, complaint{
			fmt.Sprintf("listener %q, host %q and path %q have a route already, %s in line %d",
				m.listener, m.host, m.path, first.at.Key, first.at.Line),
			"remove one of them, or change its host or path"})
		return
	}
	r.first[m] = route
}
