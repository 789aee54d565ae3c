package config

import "fmt"

// routing is what routes are held against.
type routing struct {
	*decoder
	listeners             map[string]*listenerDraft
	listenerNames, pools  []string
	poolSet               map[string]bool
	first                 map[match]*routeDraft // by what it catches
	count                 map[string]int        // of routes, by listener
	listenersBad, poolBad bool                  // some could not be read, so a name may be theirs
}

// match is what a route catches.
type match struct{ listener, host, path string }

func (d *decoder) checkRoutes(f *draft) {
	r := &routing{
		decoder: d, listeners: map[string]*listenerDraft{}, poolSet: map[string]bool{},
		first: map[match]*routeDraft{}, count: map[string]int{},
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
	r.count[name]++
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

// checkTCP: nothing in a TCP connection could tell two routes apart.
func (r *routing) checkTCP(route *routeDraft) {
	for _, v := range []value[string]{route.host, route.path} {
		if v.given {
			r.report(v.at, complaint{
				fmt.Sprintf("listener %q speaks tcp, which has none", route.listener.got),
				"remove the key, or set the listener's protocol to http"})
		}
	}
	m := match{listener: route.listener.got}
	if first := r.first[m]; first != nil {
		r.report(route.at, complaint{
			fmt.Sprintf("listener %q speaks tcp and has a route already, %s in line %d",
				m.listener, first.at.Key, first.at.Line),
			"remove one of them, or add a listener"})
		return
	}
	r.first[m] = route
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
