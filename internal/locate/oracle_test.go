package locate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
)

// oracle chooses as the package's comment says, from a list of all that it ever chose. It
// sorts everything each time.
type oracle struct {
	states []fleet.ProxyState
	sent   []sent
}

// sent is one client.
type sent struct {
	proxy    string
	statuses uint64 // that the proxy had sent when the client was
}

func (o *oracle) take(states []fleet.ProxyState) {
	o.states = states
	o.sent = slices.DeleteFunc(o.sent, func(s sent) bool { // a proxy that is gone is forgotten
		return !slices.ContainsFunc(states, func(st fleet.ProxyState) bool { return st.Name == s.proxy })
	})
}

func (o *oracle) coming(st fleet.ProxyState) (n float64) {
	for _, s := range o.sent {
		if s.proxy == st.Name {
			switch st.Statuses - s.statuses {
			case 0:
				n++
			case 1:
				n += 0.5
			}
		}
	}
	return n
}

func (o *oracle) load(st fleet.ProxyState) float64 {
	return (float64(st.Connections) + float64(st.Waiting) + o.coming(st) + 1) / (1 - min(st.CPU, 0.95))
}

// last returns when the latest client was sent to a proxy.
func (o *oracle) last(name string) int {
	for i := len(o.sent) - 1; i >= 0; i-- {
		if o.sent[i].proxy == name {
			return i
		}
	}
	return -1
}

func (o *oracle) choose(q query) (picked []string) {
	var here, elsewhere []fleet.ProxyState
	for _, st := range o.states {
		_, serves := st.Listeners[q.listener]
		isFull := st.MaxConnections > 0 && float64(st.Connections)+o.coming(st) >= float64(st.MaxConnections)
		switch {
		case !serves, isFull, !st.Connected, st.Draining, slices.Contains(q.exclude, st.Name):
		case q.zone != "" && st.Zone == q.zone:
			here = append(here, st)
		default:
			elsewhere = append(elsewhere, st)
		}
	}
	for _, side := range [][]fleet.ProxyState{here, elsewhere} {
		sort.SliceStable(side, func(i, j int) bool {
			if a, b := o.load(side[i]), o.load(side[j]); a != b {
				return a < b
			}
			return o.last(side[i].Name) < o.last(side[j].Name)
		})
	}
	side := elsewhere
	if len(here) > 0 && (len(elsewhere) == 0 || o.load(here[0]) <= 2*o.load(elsewhere[0])) {
		side = here
	}
	if len(side) == 0 {
		return nil
	}
	best := o.load(side[0])
	for _, st := range side[:min(4, len(side))] {
		if o.load(st) <= 1.25*best {
			picked = append(picked, st.Name)
		}
	}
	o.sent = append(o.sent, sent{side[0].Name, side[0].Statuses})
	return picked
}

// TestChooserAgainstOracle has both live through the same random days.
func TestChooserAgainstOracle(t *testing.T) {
	for seed := range uint64(60) {
		dice := rand.New(rand.NewPCG(seed, 1))
		o, c := &oracle{}, newChooser()
		var states []fleet.ProxyState
		for step := range 400 {
			if step == 0 || dice.IntN(4) == 0 {
				states = nextDay(dice, states)
				o.take(states)
				c.take(states)
			}
			q := query{
				listener: "web", zone: []string{"", "a", "b", "moon"}[dice.IntN(4)], count: true,
				exclude: []string{"p0", "p3", "p5"}[:dice.IntN(4)],
			}
			want := fmt.Sprint(o.choose(q))
			if got := names(c.choose(q).picks); got != want {
				t.Fatalf("seed %d, step %d: chose %s, want %s\nfor %+v\nof %+v", seed, step, got, want, q, states)
			}
		}
	}
}

// nextDay lets things happen to proxies.
func nextDay(dice *rand.Rand, old []fleet.ProxyState) []fleet.ProxyState {
	var states []fleet.ProxyState
	for i := range 8 {
		name := fmt.Sprint("p", i)
		st := fleet.ProxyState{Name: name, Zone: []string{"", "a", "b"}[i%3], Statuses: 1}
		if k := slices.IndexFunc(old, func(s fleet.ProxyState) bool { return s.Name == name }); k >= 0 {
			st = old[k]
		}
		if dice.IntN(20) == 0 && len(old) > 0 {
			continue // it is gone
		}
		st.Connected, st.Draining = dice.IntN(10) > 0, dice.IntN(10) == 0
		if news := uint64(dice.IntN(4)) % 3; news > 0 {
			st.Statuses += news
			st.Connections, st.Waiting = dice.IntN(6), dice.IntN(3)
			st.CPU = float64(dice.IntN(5)) / 4
			st.MaxConnections = []int{0, 0, 7}[dice.IntN(3)]
		}
		st.Listeners = map[string]string{"web": fmt.Sprintf("192.0.2.%d:80", i)}
		if dice.IntN(15) == 0 {
			st.Listeners = map[string]string{"db": "192.0.2.1:5432"}
		}
		states = append(states, st)
	}
	return states
}
