package config

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/strict"
)

// Limits. docs/config.md tells them to users.
const (
	maxZones   = 1000
	maxSubnets = 10_000
	maxDomain  = 180 // characters; with what goes before it, names stay below 255
)

// fileName reads the name of a file. Whether there is one is seen when it is used: a
// config is checked on other machines than the one that it is for.
func fileName(s string) (string, *complaint) {
	if strings.TrimSpace(s) == "" {
		return "", &complaint{"must name a file, got an empty text", "write a path"}
	}
	return s, nil
}

// domain reads the domain that DNS answers for.
func domain(s string) (string, *complaint) {
	name, ok := hostName(s)
	if !ok || len(name) > maxDomain || strings.Contains(name, "_") {
		return "", &complaint{fmt.Sprintf("must be a domain, got %s", quote(s)),
			fmt.Sprintf("write one of at most %d characters, such as lb.example.org", maxDomain)}
	}
	return name, nil
}

// wholeSeconds returns a converter of durations of whole seconds, from one on.
func wholeSeconds(most time.Duration, purpose string) func(ast.Node) (time.Duration, *complaint) {
	read := duration(span{least: time.Second, most: most, purpose: purpose})
	return func(n ast.Node) (time.Duration, *complaint) {
		got, bad := read(n)
		if bad == nil && got%time.Second != 0 {
			return 0, &complaint{fmt.Sprintf("must be of whole seconds, got %s", strict.Brief(got)), purpose}
		}
		return got, bad
	}
}

// subnet reads a subnet, or one address.
func subnet(s string) (netip.Prefix, *complaint) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, &complaint{fmt.Sprintf("must be a subnet, got %s", quote(s)),
			`write an address and a length, as in 10.0.0.0/16 or "2001:db8::/32", or one address`}
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, &complaint{fmt.Sprintf("must be a subnet of IPv4 or of IPv6, got %s", quote(s)), "write it as IPv4"}
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p != p.Masked() {
		return netip.Prefix{}, &complaint{fmt.Sprintf("%s has bits set beyond its length", quote(s)),
			fmt.Sprintf("write %s, or one address without a length", p.Masked())}
	}
	return p, nil
}

func (l *locateDraft) locate() Locate {
	c := Locate{Domain: l.domain.or(DefaultDomain), TTL: l.ttl.or(DefaultTTL), HTTPSRecords: l.https.or(false)}
	if l.dns.good() {
		c.DNS = l.dns.got.String()
	}
	if l.http.good() {
		c.HTTP = l.http.got.String()
	}
	return c
}

// checkTLS wants all of the files, or none.
func (d *decoder) checkTLS(c *controllerDraft) {
	t := &c.tls
	if !t.section.good() {
		return
	}
	for _, f := range []struct {
		key string
		value[string]
	}{{"cert", t.cert}, {"key", t.key}, {"ca", t.ca}} {
		need(d, f.value, t.section.at, f.key, "name the files of all three, cert, key and ca; 'fairlead cert' makes them")
	}
	if c.insecure.good() && c.insecure.got {
		d.report(c.insecure.at, complaint{"controller.tls keeps strangers out, and this would let them in", "remove one of the two"})
	}
}

const subnetsFix = "list the subnets of the clients that are there"

// checkZones returns the zones, whose names and subnets are told apart.
func (d *decoder) checkZones(f *draft) []Zone {
	if n := len(f.zones.got); n > maxZones {
		d.report(f.zones.at, complaint{fmt.Sprintf("has %d zones, at most %d are possible", n, maxZones), "join some of them"})
		return nil
	}
	names, subnets := map[string]where{}, map[string]where{}
	var all []Zone
	for _, z := range f.zones.got {
		need(d, z.name, z.at, "name", "name the zone, as backends and proxies do")
		need(d, z.subnets, z.at, "subnets", subnetsFix)
		if z.subnets.good() && len(z.subnets.got) == 0 {
			d.report(z.subnets.at, complaint{"is empty, so no client is in the zone", subnetsFix + ", or remove the zone"})
		}
		if z.name.good() {
			d.once(names, z.name.got, "zone", z.name.at)
		}
		zone := Zone{Name: z.name.got}
		for _, s := range z.subnets.got {
			if len(subnets) >= maxSubnets {
				d.report(s.at, complaint{fmt.Sprintf("there are more than %d subnets", maxSubnets), "join some of them"})
				return nil
			}
			d.once(subnets, s.got.String(), "subnet", s.at)
			zone.Subnets = append(zone.Subnets, s.got)
		}
		all = append(all, zone)
	}
	return all
}

// Notes returns what is right in itself, and may still not be what is wanted.
func (c *Config) Notes() []string {
	var notes []string
	tcp := map[string]bool{} // listeners
	for _, l := range c.Listeners {
		tcp[l.Name] = l.Protocol == TCP
	}
	for i := range c.Pools {
		p := &c.Pools[i]
		notes = append(notes, p.notes(len(c.Zones) > 0)...)
		for _, r := range c.Routes {
			if r.Pool == p.Name && tcp[r.Listener] && p.Link == Proxied && p.Tickets {
				notes = append(notes, fmt.Sprintf("pool %q has tickets (tickets: true), which backends of the tcp listener %q find in a PROXY protocol header: they must expect one", p.Name, r.Listener))
			}
		}
	}
	return append(notes, c.headerNotes()...)
}

// notes returns those of one pool. zones tells whether the config says where clients are.
func (p *Pool) notes(zones bool) []string {
	var notes []string
	say := func(format string, args ...any) {
		notes = append(notes, fmt.Sprintf("pool %q "+format, append([]any{string(p.Name)}, args...)...))
	}
	if p.Assign != fleet.AssignNone && len(p.Backends) > 0 { // those that join have an agent
		say("assigns its requests (assign: %s): each backend needs an agent or sdk/backend, or it gets none", p.Assign)
	}
	if p.Link == Direct {
		say("sends clients to its backends (link: direct): they must reach each one's public address, " +
			"and each backend must check tickets, with sdk/backend's Guard or behind fairlead agent --gate; without either it gets none")
	}
	notes = append(notes, p.keyNotes()...)
	notes = append(notes, p.tlsNotes()...)
	if p.Decide == DecideAuto && p.Workers == 0 {
		say("has slots, so that decide: auto is the controller always: proxies that decide for themselves could together exceed them")
	}
	if p.MayProxiesDecide() && p.Prefer == PreferZone {
		say("prefers backends in the client's zone (prefer: zone), which proxies do not heed while they decide (decide: %s)", p.Decide)
	}
	var nowhere []string
	for _, b := range p.Backends {
		if b.Zone == "" {
			nowhere = append(nowhere, b.Address)
		}
	}
	switch {
	case p.Prefer != PreferZone:
	case !zones && len(nowhere) == len(p.Backends):
		say("prefers backends in the client's zone (prefer: zone), and the file names no zone: clients are then where their proxy is (fairlead proxy --zone), and backends where their agents say (fairlead agent --zone)")
	case len(nowhere) > 0:
		say("prefers backends in the client's zone (prefer: zone), and %s in none, unless an agent says its zone", are(nowhere))
	}
	return notes
}

// are lists some backends, and the verb with them.
func are(names []string) string {
	const most = 5
	switch n := len(names); {
	case n == 1:
		return names[0] + " is"
	case n > most:
		return fmt.Sprintf("%s and %d more are", strings.Join(names[:most], ", "), n-most)
	}
	return strings.Join(names, ", ") + " are"
}
