//go:build unix

package harness

import (
	"time"

	"github.com/fairlead/fairlead/test/faults/ledger"
)

// Fault is something that breaks, and is mended after a while.
type Fault struct {
	Name  string
	Begin func(*Fleet)
	End   func(*Fleet)
	// Hold is how long it stays in a test; Long, if it differs, in the benchmark.
	Hold, Long time.Duration
	Needs      Need
	Bound      Bound
}

// Need is what a fault takes that not every machine or build has.
type Need int

// The needs.
const (
	Nothing Need = iota
	Relays       // between the parts
	Spaces       // network namespaces
	Standby      // three controllers
)

// String completes "it needs ...".
func (n Need) String() string {
	return [...]string{"nothing", "relays between the parts", "network namespaces", "standby controllers"}[n]
}

// Faults returns all of them, in the order in which they are told.
func Faults() []Fault {
	var all []Fault
	for _, some := range [][]Fault{controllerFaults(), proxyFaults(), agentFaults(), backendFaults(), cutFaults(), spaceFaults(), standbyFaults()} {
		all = append(all, some...)
	}
	for i := range all {
		all[i].Bound = bounds[all[i].Name]
		if all[i].Long == 0 {
			all[i].Long = all[i].Hold
		}
	}
	return all
}

func controllerFaults() []Fault {
	c := func(f *Fleet) *Controller { return f.Controllers[0] }
	return []Fault{
		{Name: "controller killed, restarted", Hold: 2 * time.Second, Long: 10 * time.Second,
			Begin: func(f *Fleet) { c(f).Kill() },
			End:   func(f *Fleet) { c(f).Start(); c(f).Await() }},
		{Name: "controller frozen", Hold: 5 * time.Second,
			Begin: func(f *Fleet) { c(f).Freeze() },
			End:   func(f *Fleet) { c(f).Thaw() }},
	}
}

func proxyFaults() []Fault {
	p := func(f *Fleet) *Proxy { return f.Proxies[0] }
	return []Fault{
		{Name: "proxy killed, restarted", Hold: 4 * time.Second,
			Begin: func(f *Fleet) { p(f).Kill() },
			End:   func(f *Fleet) { p(f).Start(); p(f).Await() }},
		{Name: "proxy frozen", Hold: 5 * time.Second,
			Begin: func(f *Fleet) { p(f).Freeze() },
			End:   func(f *Fleet) { p(f).Thaw() }},
	}
}

func agentFaults() []Fault {
	return []Fault{
		{Name: "agent killed, restarted", Hold: 3 * time.Second,
			Begin: func(f *Fleet) { f.Agent.Kill() },
			End:   func(f *Fleet) { f.Agent.Start() }},
		{Name: "agent frozen", Hold: 4 * time.Second,
			Begin: func(f *Fleet) { f.Agent.Freeze() },
			End:   func(f *Fleet) { f.Agent.Thaw() }},
	}
}

func backendFaults() []Fault {
	b := func(f *Fleet) *Backend { return f.Backends[len(f.Backends)-1] }
	all := []Fault{
		{Name: "backend killed, restarted", Hold: 2 * time.Second,
			Begin: func(f *Fleet) { b(f).Kill() },
			End:   func(f *Fleet) { b(f).Start() }},
		{Name: "backend drained, restarted", Hold: time.Second,
			Begin: func(f *Fleet) {
				f.Tool("drain", b(f).Address)
				f.AwaitBackend(b(f), "drained")
				b(f).Stop()
			},
			End: func(f *Fleet) {
				b(f).Start()
				f.Tool("undrain", b(f).Address)
			}},
		{Name: "backend frozen for less than lost_after", Hold: 2 * time.Second,
			Begin: func(f *Fleet) { b(f).Freeze() },
			End:   func(f *Fleet) { b(f).Thaw() }},
		{Name: "backend frozen for longer", Hold: 9 * time.Second,
			Begin: func(f *Fleet) { b(f).Freeze() },
			End:   func(f *Fleet) { b(f).Thaw() }},
	}
	for _, x := range []struct {
		name string
		mode ledger.Mode
		hold time.Duration
	}{
		{"backend accepts and never answers", ledger.Silent, 9 * time.Second},
		{"backend never answers, but its checks", ledger.SilentWork, 9 * time.Second},
		{"backend answers garbage", ledger.Garbage, 3 * time.Second},
		{"backend answers garbage, but not its checks", ledger.GarbageWork, 3 * time.Second},
		{"backend fails at once with 500", ledger.FailsWork, 3 * time.Second},
		{"backend fails at once with 503", ledger.RefusesWork, 3 * time.Second},
	} {
		all = append(all, Fault{Name: x.name, Hold: x.hold,
			Begin: func(f *Fleet) { b(f).Mode.Store(int64(x.mode)) },
			End:   func(f *Fleet) { b(f).Mode.Store(int64(ledger.Well)) }})
	}
	return all
}

// cutFaults are cuts by relays.
func cutFaults() []Fault {
	var all []Fault
	add := func(name string, hold time.Duration, begin func(*Fleet)) {
		all = append(all, Fault{Name: name, Hold: hold, Needs: Relays, Begin: begin, End: (*Fleet).Heal})
	}
	for _, w := range []struct {
		name string
		way  Way
	}{{"", Both}, {", only what it says", There}, {", only what it hears", Back}} {
		add("proxy cut off from the controller"+w.name, 5*time.Second,
			func(f *Fleet) { f.Cut("p1", "controller", w.way) })
	}
	add("controller cut off from everyone", 5*time.Second, func(f *Fleet) { f.Cut(Everyone, "controller", Both) })
	add("agent cut off from the controller", 4*time.Second, func(f *Fleet) { f.Cut("agent", "controller", Both) })
	last := func(f *Fleet) *Backend { return f.Backends[len(f.Backends)-1] }
	add("backend cut off", 9*time.Second, func(f *Fleet) { f.Cut(Everyone, last(f).Name, Both) })
	add("backend cut off, only what it hears", 9*time.Second, func(f *Fleet) { f.Cut(Everyone, last(f).Name, There) })
	add("backend cut off, only what it says", 9*time.Second, func(f *Fleet) { f.Cut(Everyone, last(f).Name, Back) })
	add("backend cut off from proxies, not from checks", 9*time.Second, func(f *Fleet) { f.CutWork(last(f), Both) })
	return all
}

// spaceFaults are cuts that relays cannot make: of one pair, and of the packets that
// connect and acknowledge too.
func spaceFaults() []Fault {
	var all []Fault
	for _, w := range []struct {
		name string
		way  Way
	}{{"both ways", Both}, {"only there", There}, {"only back", Back}} {
		all = append(all,
			Fault{Name: "packets lost between a proxy and the controller, " + w.name, Hold: 5 * time.Second, Needs: Spaces,
				Begin: func(f *Fleet) { f.Cut("p1", "controller", w.way) }, End: (*Fleet).Heal},
			Fault{Name: "packets lost between a proxy and a backend, " + w.name, Hold: 9 * time.Second, Needs: Spaces,
				Begin: func(f *Fleet) { f.Cut("p1", f.Backends[len(f.Backends)-1].Name, w.way) }, End: (*Fleet).Heal})
	}
	return all
}

// CutWhileKilled is the fault in which a new leader cannot hear of slots that are in use.
const CutWhileKilled = "leading controller killed while a proxy is cut off from all, two stand by"

// standbyFaults are of one of three controllers.
func standbyFaults() []Fault {
	var broken *Controller
	leader := func(f *Fleet) *Controller { broken = f.Leader(); return broken }
	other := func(f *Fleet) *Controller {
		for _, c := range f.Controllers {
			if c != f.Leader() {
				broken = c
			}
		}
		return broken
	}
	again := func(f *Fleet) { broken.Start(); broken.Await() }
	return []Fault{
		{Name: "leading controller killed, two stand by", Hold: 4 * time.Second, Needs: Standby,
			Begin: func(f *Fleet) { leader(f).Kill() }, End: again},
		{Name: "leading controller stopped, two stand by", Hold: 3 * time.Second, Needs: Standby,
			Begin: func(f *Fleet) { leader(f).Stop() }, End: again},
		{Name: "leading controller frozen, two stand by", Hold: 5 * time.Second, Needs: Standby,
			Begin: func(f *Fleet) { leader(f).Freeze() }, End: func(*Fleet) { broken.Thaw() }},
		{Name: "standby controller killed", Hold: 3 * time.Second, Needs: Standby,
			Begin: func(f *Fleet) { other(f).Kill() }, End: again},
		{Name: CutWhileKilled, Hold: 2 * time.Second, Needs: Standby,
			Begin: func(f *Fleet) {
				l := leader(f)
				for _, c := range f.Controllers {
					f.Cut("p2", c.Name, Both)
				}
				l.Kill()
			},
			End: func(f *Fleet) { f.Heal(); again(f) }},
		{Name: "all controllers killed, restarted", Hold: 3 * time.Second, Long: 10 * time.Second, Needs: Standby,
			Begin: func(f *Fleet) {
				for _, c := range f.Controllers {
					c.Kill()
				}
			},
			End: func(f *Fleet) {
				for _, c := range f.Controllers {
					c.Start()
				}
				for _, c := range f.Controllers {
					c.Await()
				}
			}},
	}
}
