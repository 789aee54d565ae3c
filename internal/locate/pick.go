package locate

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/internal/fleet"
)

// top holds the best seats of those that it was offered, best first.
type top struct {
	n  int
	at [most]int32
}

// before tells whether seat a goes before seat b: less load, or else a longer time since
// its last client.
func (c *chooser) before(a, b int32) bool {
	switch {
	case c.loads[a] != c.loads[b]:
		return c.loads[a] < c.loads[b]
	case c.turns[a] != c.turns[b]:
		return c.turns[a] < c.turns[b]
	}
	return a < b
}

// offer puts a seat where it belongs.
func (c *chooser) offer(t *top, s int32) {
	i := t.n
	if t.n < most {
		t.n++
	} else {
		i--
	}
	for ; i > 0 && c.before(s, t.at[i-1]); i-- {
		t.at[i] = t.at[i-1]
	}
	t.at[i] = s
}

// choose chooses for a query, and counts its client.
func (c *chooser) choose(q query) result {
	k := c.crowdOf(q.listener)
	var r result
	best := c.side(c.scan(k, &q, &r))
	if best.n == 0 {
		if q.explain {
			r.why = c.whyNone(&q)
		}
		return r
	}
	limit := c.loads[best.at[0]] * near
	r.picks = make([]pick, 0, best.n)
	for _, s := range best.at[:best.n] {
		if c.loads[s] <= limit {
			seat := &c.seats[s]
			r.picks = append(r.picks, pick{seat.name, seat.label, seat.zone, k.places[s], c.loads[s]})
		}
	}
	if q.count {
		c.send(best.at[0])
	}
	return r
}

// scan finds the best in the client's zone, and the best elsewhere.
func (c *chooser) scan(k *crowd, q *query, r *result) (here, elsewhere top) {
	zone := int32(-1)
	if n, ok := c.zoneOf[q.zone]; ok && q.zone != "" {
		zone = n
	}
	for _, s := range k.at {
		t := &elsewhere
		if c.zones[s] == zone {
			t = &here
		}
		if t.n == most && !c.before(s, t.at[most-1]) || math.IsInf(c.loads[s], 1) {
			continue
		}
		if p := &k.places[s]; !p.good(q.need) {
			r.unfit = true
			if !p.ip.IsValid() {
				r.named = c.seats[s].name
			}
			continue
		}
		if len(q.exclude) > 0 && slices.Contains(q.exclude, c.seats[s].name) {
			continue
		}
		c.offer(t, s)
	}
	return here, elsewhere
}

// side returns the client's zone, unless it is too loaded.
func (c *chooser) side(here, elsewhere top) top {
	if here.n > 0 && (elsewhere.n == 0 || c.loads[here.at[0]] <= spill*c.loads[elsewhere.at[0]]) {
		return here
	}
	return elsewhere
}

// send counts a client.
func (c *chooser) send(s int32) {
	c.turn++
	c.turns[s] = c.turn
	c.seats[s].fresh++
	c.weigh(int(s))
}

// standing is Locator.Standing.
func (c *chooser) standing(proxy string) (float64, string) {
	i, ok := c.byName[proxy]
	if !ok {
		return 0, "it is not known to the choice of proxies"
	}
	if why := c.whyNot(int(i), nil); why != "" {
		return 0, why
	}
	return c.loads[i], ""
}

// whyNot tells why a proxy is not named for a query, or for any if that is nil; empty: it
// may be.
func (c *chooser) whyNot(i int, q *query) string {
	st, coming := &c.states[i], c.seats[i].coming()
	switch {
	case !st.Connected:
		return "it is not connected to the controller"
	case st.Draining:
		return "it is draining"
	case len(st.Listeners) == 0:
		return "it serves no listener"
	}
	if q != nil {
		text, serves := st.Listeners[q.listener]
		switch p := parsePlace(text); {
		case !serves:
			return "it does not serve this listener"
		case !p.ok:
			return fmt.Sprintf("clients cannot use its address %q", short(text))
		case slices.Contains(q.exclude, st.Name):
			return "the request excludes it"
		}
	}
	if full(st, coming) {
		return fmt.Sprintf("it is full: %d connections and %d clients on their way, of %d",
			st.Connections, int(math.Ceil(coming)), st.MaxConnections)
	}
	return ""
}

// whyNone tells why no proxy can be named.
func (c *chooser) whyNone(q *query) string {
	if len(c.states) == 0 {
		return "no proxy has connected to the controller; start one with fairlead proxy"
	}
	var told []string
	for i := range c.states[:min(len(c.states), maxTold)] {
		told = append(told, short(c.seats[i].name)+": "+c.whyNot(i, q))
	}
	if more := len(c.states) - maxTold; more > 0 {
		told = append(told, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(told, "; ")
}

// whereIs returns the addresses at which a proxy serves listeners, each once, in order; and
// whether there is a proxy of that label.
func (c *chooser) whereIs(label string) ([]netip.Addr, bool) {
	i, ok := c.byLabel[label]
	if !ok {
		return nil, false
	}
	return addressesOf(&c.states[i]), true
}

func addressesOf(st *fleet.ProxyState) []netip.Addr {
	var all []netip.Addr
	for _, text := range st.Listeners {
		if p := parsePlace(text); p.ok && p.ip.IsValid() && !slices.Contains(all, p.ip) {
			all = append(all, p.ip)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return all
}
