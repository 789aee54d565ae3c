package config

import (
	"fmt"

	"github.com/fairlead/fairlead/internal/fleet"
)

// smallest is the least that a config can be.
const smallest = `the smallest one is

    listeners:
      - {name: web, address: "127.0.0.1:8080", protocol: http}
    routes:
      - {listener: web, pool: work}
    pools:
      - {name: work, slots: 4, backends: [{address: "127.0.0.1:9000"}]}
`

// finish holds the parts of a draft against one another, and fills in the defaults. The
// config is good only if no error was reported.
func (d *decoder) finish(f *draft) *Config {
	c := &Config{Controller: f.controller.controller(), Locate: f.locate.locate()}
	if len(d.Errs) == 0 && len(f.listeners.got) == 0 && len(f.pools.got) == 0 {
		d.report(where{Line: 1, Column: 1}, complaint{"the config has no listeners and no pools", smallest})
	}
	d.checkController(&f.controller)
	c.Zones = d.checkZones(f)
	d.checkListeners(f)
	d.checkPools(f)
	d.checkRoutes(f)
	if len(d.Errs) > 0 {
		return nil
	}
	_, at80 := plainHTTP(f)
	for _, l := range f.listeners.got {
		c.Listeners = append(c.Listeners, l.listener(at80))
	}
	for _, r := range f.routes.got {
		c.Routes = append(c.Routes, Route{
			Listener: r.listener.got, Host: r.host.or("*"), Path: r.path.or("/"), Pool: fleet.PoolName(r.pool.got),
			Class: r.class.or(fleet.NoClass), Labels: labels(r.labels),
		})
	}
	for _, p := range f.pools.got {
		c.Pools = append(c.Pools, p.pool())
	}
	return c
}

func (c *controllerDraft) controller() Controller {
	listen, admin := c.bound()
	advertise := listen.got.String()
	if c.advertise.good() {
		advertise = c.advertise.got.String()
	}
	return Controller{
		Listen: listen.got.String(), Admin: admin.got.String(),
		Data:       c.data.or(DefaultData),
		Name:       c.name.or(DefaultControllerName),
		Advertise:  advertise,
		Store:      c.store.store(),
		TLS:        TLS{Cert: c.tls.cert.or(""), Key: c.tls.key.or(""), CA: c.tls.ca.or("")},
		AdminToken: c.token.or(""),
		Insecure:   c.insecure.or(false),
	}
}

// need reports a key that a section has to have.
func need[T any](d *decoder, v value[T], section where, key, fix string) {
	if !v.given {
		d.report(section.Under(key), complaint{"is missing", fix})
	}
}

// checkController keeps a controller without TLS, which asks nobody who they are, to its
// own host, unless the file says otherwise.
func (d *decoder) checkController(c *controllerDraft) {
	d.checkTLS(c)
	d.checkStore(c)
	if c.insecure.or(false) || c.insecure.broken || c.tls.section.given {
		return
	}
	for _, v := range []value[address]{c.listen, c.admin} {
		if v.good() && !v.got.loopback() {
			d.report(v.at, complaint{
				fmt.Sprintf("other hosts can reach %s, where nothing is encrypted and nobody proves who they are", v.got),
				"use a loopback address such as 127.0.0.1, or give the controller a certificate with controller.tls ('fairlead cert' makes them), or, in a network that you trust, set controller.insecure to true"})
		}
	}
}

// bound is an address that something listens on.
type bound struct {
	what string
	value[address]
}

func (d *decoder) checkListeners(f *draft) {
	if n := len(f.listeners.got); n > maxListeners {
		d.report(f.listeners.at, complaint{
			fmt.Sprintf("has %d listeners, at most %d are possible", n, maxListeners), "tell services apart by routes instead"})
		return
	}
	var taken []bound
	listen, admin := f.controller.bound()
	taken = d.bind(taken, listen)
	taken = d.bind(taken, admin)
	for _, b := range []bound{{"locate.dns", f.locate.dns}, {"locate.http", f.locate.http}} {
		if b.good() {
			taken = d.bind(taken, b)
		}
	}
	lines := map[string]where{}
	for _, l := range f.listeners.got {
		need(d, l.name, l.at, "name", "name the listener, so that routes can mean it")
		need(d, l.address, l.at, "address", `say where it listens, as in "127.0.0.1:8080"`)
		need(d, l.protocol, l.at, "protocol", "write http or tcp")
		if l.name.good() {
			d.once(lines, l.name.got, "listener", l.name.at)
		}
		if l.address.good() {
			taken = d.bind(taken, bound{fmt.Sprintf("%s in line %d", l.address.at.Key, l.address.at.Line), l.address})
		}
		d.checkListener(l)
	}
	d.checkChallenges(f)
}

// bound returns what the controller listens on. A default has no place in the file.
func (c *controllerDraft) bound() (listen, admin bound) {
	listen, admin = bound{"controller.listen", c.listen}, bound{"controller.admin", c.admin}
	if !c.listen.given {
		listen.got, _ = listenAddress(DefaultListen)
	}
	if !c.admin.given {
		admin.got, _ = listenAddress(DefaultAdmin)
	}
	return listen, admin
}

// bind adds b to what is taken, or reports that it cannot be had.
func (d *decoder) bind(taken []bound, b bound) []bound {
	if b.broken {
		return taken
	}
	for _, other := range taken {
		if !b.got.overlaps(other.got) {
			continue
		}
		here, there := b, other
		if !here.given { // a default is taken by the key that was written
			here, there = other, b
		}
		by := there.what
		if !there.given {
			by += " by default"
		}
		d.report(here.at, complaint{
			fmt.Sprintf("%s is taken: %s is %s", here.got, by, there.got), "choose another port"})
		return taken
	}
	return append(taken, b)
}

// once reports a name that is used before. lines keeps where each was first.
func (d *decoder) once(lines map[string]where, name, kind string, at where) bool {
	if first, twice := lines[name]; twice {
		d.report(at, complaint{
			fmt.Sprintf("%s %q is given twice, first in line %d", kind, name, first.Line), "rename or remove one of them"})
		return false
	}
	lines[name] = at
	return true
}
