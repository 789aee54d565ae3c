package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Change is what differs between two configs.
type Change struct {
	Restart   []string // keys that only a restart can change
	Pools     Names
	Replaced  []string // of Pools.Changed, those that cannot change in place
	Backends  Names    // "pool/address"; only of pools that both configs have
	Listeners Names
	Routes    bool

	excess []removal
	before int // pools of the old config
}

// Names tells what came, went and differs, in the order of the files.
type Names struct {
	Added, Removed, Changed []string
}

// removal is a pool that loses more than half of its backends.
type removal struct {
	pool          fleet.PoolName
	removed, were int
}

// Compare returns what differs in next from old.
func Compare(old, next *Config) Change {
	c := Change{Restart: needRestart(old, next), before: len(old.Pools)}
	c.Listeners = compare(old.Listeners, next.Listeners, func(l Listener) string { return l.Name })
	c.Pools = compare(old.Pools, next.Pools, func(p Pool) string { return string(p.Name) })
	c.Routes = !same(old.Routes, next.Routes)
	for _, was := range old.Pools {
		i := slices.IndexFunc(next.Pools, func(p Pool) bool { return p.Name == was.Name })
		if i >= 0 {
			c.addPool(&was, &next.Pools[i])
		}
	}
	return c
}

// addPool takes in a pool that both configs have.
func (c *Change) addPool(was, is *Pool) {
	if !inPlace(was, is) {
		c.Replaced = append(c.Replaced, string(was.Name))
	}
	of := compare(was.Backends, is.Backends, func(b Backend) string { return string(was.Name) + "/" + b.Address })
	c.Backends.Added = append(c.Backends.Added, of.Added...)
	c.Backends.Removed = append(c.Backends.Removed, of.Removed...)
	c.Backends.Changed = append(c.Backends.Changed, of.Changed...)
	if n := len(of.Removed); 2*n > len(was.Backends) {
		c.excess = append(c.excess, removal{was.Name, n, len(was.Backends)})
	}
}

// inPlace tells whether a pool can become another and keep its grants and its queue.
func inPlace(was, is *Pool) bool {
	return (was.Workers > 0) == (is.Workers > 0) && was.Learn == is.Learn &&
		was.Link == is.Link && was.Tickets == is.Tickets && was.Assign == is.Assign && was.Prefer == is.Prefer && was.Decide == is.Decide
}

// Empty tells whether nothing differs.
func (c *Change) Empty() bool { return len(c.Restart) == 0 && c.String() == "nothing changed" }

// Refusal returns why a running controller must not take the change, or nothing. It is
// told which pools have backends up; force allows any removal.
func (c *Change) Refusal(up func(fleet.PoolName) bool, force bool) string {
	if len(c.Restart) > 0 {
		return fmt.Sprintf("%s cannot change while the controller runs; restart it, or take the change back",
			strings.Join(c.Restart, ", "))
	}
	const how = "; if that is meant, run fairlead reload --force"
	if force {
		return ""
	}
	if n := len(c.Pools.Removed); 2*n > c.before {
		return fmt.Sprintf("the file removes %d of %d pools%s", n, c.before, how)
	}
	for _, name := range c.Pools.Removed {
		if up(fleet.PoolName(name)) {
			return fmt.Sprintf("the file removes pool %q, which has backends up%s", name, how)
		}
	}
	for _, x := range c.excess {
		return fmt.Sprintf("the file removes %d of %d backends of pool %q%s", x.removed, x.were, x.pool, how)
	}
	return ""
}

// String says in a few words what a taken change does.
func (c *Change) String() string {
	var said []string
	for _, k := range []struct {
		what  string
		names Names
	}{{"pools", c.Pools}, {"backends", c.Backends}, {"listeners", c.Listeners}} {
		said = append(said, k.names.say(k.what)...)
	}
	if len(c.Replaced) > 0 {
		said = append(said, "pools replaced: "+strings.Join(c.Replaced, ", "))
	}
	if c.Routes {
		said = append(said, "routes changed")
	}
	if said == nil {
		return "nothing changed"
	}
	return strings.Join(said, "; ")
}

func (n Names) say(what string) (said []string) {
	for _, k := range []struct {
		verb  string
		names []string
	}{{"added", n.Added}, {"removed", n.Removed}, {"changed", n.Changed}} {
		if len(k.names) > 0 {
			said = append(said, what+" "+k.verb+": "+strings.Join(k.names, ", "))
		}
	}
	return said
}

func needRestart(old, next *Config) (keys []string) {
	a, b := old.Controller, next.Controller
	for _, k := range []struct {
		key  string
		same bool
	}{
		{"controller.listen", a.Listen == b.Listen},
		{"controller.admin", a.Admin == b.Admin},
		{"controller.data", a.Data == b.Data},
		{"controller.name", a.Name == b.Name},
		{"controller.advertise", a.Advertise == b.Advertise},
		{"controller.store", reflect.DeepEqual(a.Store, b.Store)},
		{"controller.tls", a.TLS == b.TLS},
		{"controller.admin_token", a.AdminToken == b.AdminToken},
		{"controller.insecure", a.Insecure == b.Insecure},
		{"locate", old.Locate == next.Locate},
		{"zones", same(old.Zones, next.Zones)},
	} {
		if !k.same {
			keys = append(keys, k.key)
		}
	}
	return keys
}

// compare tells two lists apart by the names of what is in them.
func compare[T any](old, next []T, name func(T) string) (n Names) {
	was := map[string]T{}
	for _, x := range old {
		was[name(x)] = x
	}
	for _, x := range next {
		before, ok := was[name(x)]
		delete(was, name(x))
		switch {
		case !ok:
			n.Added = append(n.Added, name(x))
		case !reflect.DeepEqual(before, x):
			n.Changed = append(n.Changed, name(x))
		}
	}
	for _, x := range old {
		if _, left := was[name(x)]; left {
			n.Removed = append(n.Removed, name(x))
		}
	}
	return n
}

// same tells whether two lists are equal; an absent one is as an empty one.
func same[T any](a, b []T) bool { return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b) }
