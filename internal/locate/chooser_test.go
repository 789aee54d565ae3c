package locate

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
)

func chooserOf(states ...fleet.ProxyState) *chooser {
	c := newChooser()
	c.take(states)
	return c
}

func web(zone string) query { return query{listener: "web", zone: zone, count: true, explain: true} }

// first chooses and returns the best one's name; empty: none.
func (c *chooser) first(q query) string {
	if r := c.choose(q); len(r.picks) > 0 {
		return r.picks[0].name
	}
	return ""
}

// TestSpread: the loads of those that got clients end up even, and those that got none had
// more from the start.
func TestSpread(t *testing.T) {
	states := []fleet.ProxyState{
		proxy("idle", "", "192.0.2.1", 0), proxy("some", "", "192.0.2.2", 60),
		proxy("hot", "", "192.0.2.3", 20), proxy("busy", "", "192.0.2.4", 500),
	}
	states[2].CPU = 0.5
	c := chooserOf(states...)
	got := map[string]int{}
	for range 200 {
		got[c.first(web(""))]++
	}
	least, largest := math.Inf(1), 0.0
	for i, st := range states[:3] {
		if got[st.Name] == 0 {
			t.Errorf("%s got nobody: %v", st.Name, got)
		}
		least, largest = min(least, c.loads[i]), max(largest, c.loads[i])
	}
	if largest-least > 2 { // one client on the hot one, which counts twice
		t.Errorf("loads are from %.1f to %.1f after %v, want them even", least, largest, got)
	}
	if got["busy"] != 0 || got["idle"]+got["some"]+got["hot"] != 200 {
		t.Errorf("clients went to %v, want all of them, and none to the busy one", got)
	}
}

func TestDrainingGetsNobody(t *testing.T) {
	states := four()
	c := chooserOf(states...)
	if got := c.first(web("")); got != "a1" {
		t.Fatalf("chose %s, want a1", got)
	}
	next := four()
	next[0].Draining = true
	c.take(next)
	for range 200 {
		if got := c.first(web("")); got == "a1" || got == "" {
			t.Fatalf("chose %q while a1 drains", got)
		}
	}
}

// TestWhyNot: each reason is told, by the choice and by Standing.
func TestWhyNot(t *testing.T) {
	gone, full, other, nothing, strange := proxy("gone", "", "192.0.2.1", 0), proxy("full", "", "192.0.2.2", 3),
		proxy("other", "", "192.0.2.3", 0), proxy("nothing", "", "192.0.2.4", 0), proxy("strange", "", "0.0.0.0", 0)
	drains, not := proxy("drains", "", "192.0.2.5", 0), proxy("not", "", "192.0.2.6", 0)
	gone.Connected, drains.Draining, full.MaxConnections = false, true, 3
	other.Listeners = map[string]string{"db": "192.0.2.3:5432"}
	nothing.Listeners = nil
	c := chooserOf(gone, full, other, nothing, strange, drains, not)
	q := web("")
	q.exclude = []string{"not"}
	why := c.choose(q).why
	for _, want := range []string{
		"gone: it is not connected to the controller", "full: it is full: 3 connections and 0 clients on their way, of 3",
		"other: it does not serve this listener", "nothing: it serves no listener", `strange: clients cannot use its address "0.0.0.0:80"`,
		"drains: it is draining", "not: the request excludes it",
	} {
		if !strings.Contains(why, want) {
			t.Errorf("why is %q, want %q in it", why, want)
		}
	}
	for name, want := range map[string]string{
		"gone": "it is not connected to the controller", "drains": "it is draining", "nothing": "it serves no listener",
		"full": "it is full: 3 connections and 0 clients on their way, of 3", "nobody": "it is not known to the choice of proxies",
	} {
		if load, got := c.standing(name); load != 0 || got != want {
			t.Errorf("%s stands at %v, %q; want 0, %q", name, load, got, want)
		}
	}
	if load, got := c.standing("other"); load != 1 || got != "" {
		t.Errorf("other stands at %v, %q; want 1", load, got)
	}
	if why := chooserOf().choose(q).why; !strings.Contains(why, "no proxy has connected") {
		t.Errorf("without proxies: %q", why)
	}
}

// TestFullByThoseOnTheirWay: a proxy fills by what was chosen, before it says so.
func TestFullByThoseOnTheirWay(t *testing.T) {
	st := proxy("a", "", "192.0.2.1", 8)
	st.MaxConnections = 10
	c := chooserOf(st)
	for i, want := range []string{"a", "a", "", ""} {
		if got := c.first(web("")); got != want {
			t.Errorf("choice %d: %q, want %q", i, got, want)
		}
	}
	st.Statuses, st.Connections = 2, 9 // one came; the other may yet
	c.take([]fleet.ProxyState{st})
	if got := c.first(web("")); got != "" {
		t.Errorf("chose %q with 9 connections and 1 expected, of 10", got)
	}
	st.Statuses = 3
	c.take([]fleet.ProxyState{st})
	if got := c.first(web("")); got != "a" {
		t.Errorf("chose %q when the other has not come for a whole interval", got)
	}
}

// TestStatusesForgetClients follows how many are on their way.
func TestStatusesForgetClients(t *testing.T) {
	st := proxy("a", "", "192.0.2.1", 0)
	c := chooserOf(st)
	send := func(n int) {
		for range n {
			c.first(web(""))
		}
	}
	for i, step := range []struct {
		statuses uint64
		send     int
		want     float64
	}{
		{1, 4, 4}, {1, 2, 6}, // no news
		{2, 0, 3}, {2, 2, 5}, // those before count half
		{3, 0, 1}, {3, 8, 9}, // and are forgotten with the next
		{5, 0, 0}, {5, 4, 4}, // two at once: all had an interval
		{1, 0, 2}, {2, 0, 0}, // a new session counts anew
	} {
		st.Statuses = step.statuses
		c.take([]fleet.ProxyState{st})
		send(step.send)
		if got := c.seats[0].coming(); got != step.want {
			t.Fatalf("step %d: %v are on their way, want %v", i, got, step.want)
		}
	}
}

// TestNothingLeaks: over many statuses, those on their way stay those of two intervals.
func TestNothingLeaks(t *testing.T) {
	states := four()
	c := chooserOf(states...)
	for round := range 1000 {
		next := four()
		for i := range next {
			next[i].Statuses = uint64(round + 2)
		}
		c.take(next)
		for range 8 {
			c.first(web(""))
		}
		sum := 0.0
		for i := range c.seats {
			sum += c.seats[i].coming()
		}
		if want := 8.0 + 4*float64(min(round, 1)); sum != want {
			t.Fatalf("round %d: %v are on their way, want %v", round, sum, want)
		}
	}
	c.take(nil)
	c.take(states)
	if got := c.seats[0].coming(); got != 0 || len(c.byName) != 4 || len(c.byLabel) != 4 {
		t.Errorf("a proxy that had gone came back with %v on their way", got)
	}
}

func TestZones(t *testing.T) {
	for name, c := range map[string]struct {
		here, elsewhere int // connections
		zone, want      string
	}{
		"same load":         {10, 10, "a", "here"},
		"at most twice":     {19, 9, "a", "here"},
		"more than twice":   {20, 9, "a", "there"},
		"no such zone":      {10, 9, "moon", "there"},
		"no zone":           {10, 9, "", "there"},
		"the other's":       {10, 15, "b", "there"},
		"nobody else at it": {1000, -1, "a", "here"},
	} {
		states := []fleet.ProxyState{proxy("here", "a", "192.0.2.1", c.here)}
		if c.elsewhere >= 0 {
			states = append(states, proxy("there", "b", "192.0.2.2", c.elsewhere))
		}
		if got := chooserOf(states...).first(web(c.zone)); got != c.want {
			t.Errorf("%s: chose %s, want %s", name, got, c.want)
		}
	}
	// Zoneless proxies are no zone of their own.
	if got := chooserOf(proxy("x", "", "192.0.2.1", 1), proxy("y", "b", "192.0.2.2", 0)).first(web("")); got != "y" {
		t.Errorf("a client without zone was sent to %s, want y", got)
	}
}

func TestTiesTakeTurns(t *testing.T) {
	var states []fleet.ProxyState
	for i := range 5 {
		states = append(states, proxy(fmt.Sprint("p", i), "", fmt.Sprint("192.0.2.", i+1), 7))
	}
	c := chooserOf(states...)
	got := map[string]int{}
	for round := range 20 {
		next := append([]fleet.ProxyState(nil), states...) // loads are equal again
		for i := range next {
			next[i].Statuses = uint64(3 + 2*round)
		}
		c.take(next)
		got[c.first(web(""))]++
	}
	for name, n := range got {
		if n != 4 {
			t.Errorf("%s got %d of 20 equal choices, want 4 each: %v", name, n, got)
		}
	}
}

// TestSeveralWhenClose: those within a quarter, four at most, best first.
func TestSeveralWhenClose(t *testing.T) {
	q := web("")
	q.count = false
	c := chooserOf(proxy("p99", "", "192.0.2.1", 99), proxy("p124", "", "192.0.2.2", 124), proxy("p125", "", "192.0.2.3", 125))
	if got := names(c.choose(q).picks); got != "[p99 p124]" {
		t.Errorf("chose %s, want what is at most a quarter above 100", got)
	}
	c = chooserOf(proxy("e", "", "192.0.2.1", 104), proxy("d", "", "192.0.2.2", 103), proxy("c", "", "192.0.2.3", 102),
		proxy("b", "", "192.0.2.4", 101), proxy("a", "", "192.0.2.5", 100))
	if got := names(c.choose(q).picks); got != "[a b c d]" {
		t.Errorf("chose %s, want four, best first", got)
	}
}

func TestOddNumbersAreNoAdvantage(t *testing.T) {
	bad := proxy("bad", "", "192.0.2.1", -50)
	bad.Waiting, bad.CPU = -7, math.NaN()
	if l := loadOf(&bad, 0); l != 1 {
		t.Errorf("load is %v, want 1", l)
	}
	bad.CPU = 7
	if l := loadOf(&bad, 0); math.Abs(l-20) > 1e-9 {
		t.Errorf("load is %v with a CPU beyond full, want 20", l)
	}
}

// TestRefreshNeverGoesBack: many ask at once while states change; what a chooser knows
// only rises. The race detector watches.
func TestRefreshNeverGoesBack(t *testing.T) {
	s := &fakeSource{}
	s.set(proxy("a", "", "192.0.2.1", 0))
	c := newChooser()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			last := uint64(0)
			for range 2000 {
				c.refresh(s)
				if now := c.seats[0].statuses; now < last {
					t.Errorf("went from status %d back to %d", last, now)
				} else {
					last = now
				}
				c.choose(web(""))
				c.mu.Unlock()
			}
		})
	}
	all.Go(func() {
		for n := range uint64(2000) {
			st := proxy("a", "", "192.0.2.1", 0)
			st.Statuses = n + 1
			s.set(st)
		}
	})
	all.Wait()
}

// overtaken is a Source that answers with what was true before somebody else asked.
type overtaken struct {
	fakeSource
	meanwhile func()
}

func (s *overtaken) Proxies() []fleet.ProxyState {
	old := s.fakeSource.Proxies()
	s.meanwhile()
	return old
}

func TestOldNewsIsDropped(t *testing.T) {
	c := newChooser()
	var fresh fakeSource
	st := proxy("a", "", "192.0.2.1", 0)
	st.Statuses = 7
	fresh.set(st)
	late := &overtaken{meanwhile: func() {
		c.refresh(&fresh)
		c.mu.Unlock()
	}}
	late.set(proxy("a", "", "192.0.2.1", 0))
	c.refresh(late)
	defer c.mu.Unlock()
	if got := c.seats[0].statuses; got != 7 {
		t.Errorf("status %d counts, want 7", got)
	}
}

func TestZoneOf(t *testing.T) {
	table := newZoneTable(testZones())
	for text, want := range map[string]string{
		"10.1.2.3": "a", "10.1.7.9": "b", "10.2.0.0": "b", "10.3.0.0": "", "::ffff:10.1.7.9": "b", "127.0.0.1": "a",
		"2001:db8:b::1": "b", "2001:db8:b:ffff::1%eth0": "b", "2001:db8:c::1": "", "::1": "",
	} {
		if got := table.of(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is in %q, want %q", text, got, want)
		}
	}
	if got := table.of(netip.Addr{}); got != "" {
		t.Errorf("no address is in %q", got)
	}
}

func TestParsePlace(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1 80", "[2001:db8::1]:80": "2001:db8::1 80", "[::ffff:192.0.2.1]:80": "192.0.2.1 80",
		"edge.example.org:80": "edge.example.org 80", "localhost:1": "localhost 1",
		"0.0.0.0:80": "", "[::]:80": "", "[fe80::1%eth0]:80": "", "192.0.2.1": "", "192.0.2.1:0": "", "192.0.2.1:65536": "",
		"192.0.2.1:http": "", "u@evil:80": "", "a/b:80": "", "-a:80": "", "a..b:80": "", ":80": "", "": "", "224.0.0.1:80": "",
		"a b:80": "", "a\r\nb:80": "",
	} {
		p, got := parsePlace(text), ""
		if p.ok && p.ip.IsValid() {
			got = fmt.Sprint(p.ip, " ", p.port)
		} else if p.ok {
			got = fmt.Sprint(p.host, " ", p.port)
		}
		if got != want || p.text != text {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestLabels(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"edge-1", "Edge-1", "edge.1", "edge_1", "h-1", "-x", "x-", "", "café", strings.Repeat("x", 63), strings.Repeat("x", 64)} {
		label := labelOf(name)
		if other, taken := seen[label]; taken || !isHostName(label) || strings.Contains(label, ".") || strings.ToLower(label) != label {
			t.Errorf("%q has label %q (taken by %q)", name, label, other)
		}
		seen[label] = name
		if plain := label == name; plain != (name == "edge-1" || len(name) == 63) {
			t.Errorf("%q has label %q", name, label)
		}
	}
}
