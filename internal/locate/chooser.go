package locate

import (
	"math"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/fairlead/fairlead/internal/fleet"
)

// The choice's constants; see the package's comment.
const (
	most    = 4    // proxies in one answer
	near    = 1.25 // times the best's load: still named
	spill   = 2    // times the load of the best elsewhere: still in the client's zone
	busiest = 0.95 // more CPU than this counts as this
	fade    = 0.5  // of a client that was sent before the latest status
)

// family is which addresses a client can use.
type family uint8

const (
	anyHost family = iota // a host name too
	v4
	v6
)

// query is what a proxy is chosen for.
type query struct {
	listener string
	client   netip.Addr
	zone     string   // of the client
	exclude  []string // names
	need     family
	count    bool // the answer counts as a client on its way
	explain  bool // say why, if there is none
}

// result is what was chosen.
type result struct {
	picks []pick // best first; at most 4
	why   string // there are none; only if that was asked
	unfit bool   // a proxy was left out because its address is of another family
	named string // a proxy that was left out because its address is a host name
}

// pick is one chosen proxy.
type pick struct {
	name, label, zone string
	at                place
	load              float64 // before this client
}

// chooser chooses. It is a value with a lock around: what it decides depends only on the
// states that it was given and on what it chose before.
type chooser struct {
	clock atomic.Uint64 // orders the calls of a Source

	mu      sync.Mutex // guards what is below
	taken   uint64     // the clock when the states had been fetched
	states  []fleet.ProxyState
	version uint64 // of the states
	turn    uint64 // of the latest client
	seats   []seat // as the states, and so are the next three
	loads   []float64
	turns   []uint64 // of the latest client sent there
	zones   []int32  // index into the names seen

	zoneOf  map[string]int32
	byName  map[string]int32
	byLabel map[string]int32
	crowds  map[string]*crowd // by listener
}

// seat is what is remembered of a proxy from one state to the next.
type seat struct {
	name, label, zone string
	statuses          uint64
	fresh             float64 // clients sent since the latest status
	fading            float64 // clients sent in the interval before
}

// crowd is who can serve one listener.
type crowd struct {
	version uint64
	at      []int32 // seats
	places  []place // by seat; kept from version to version, for their text is parsed
}

func newChooser() *chooser {
	return &chooser{
		zoneOf: map[string]int32{}, byName: map[string]int32{}, byLabel: map[string]int32{},
		crowds: map[string]*crowd{},
	}
}

// refresh takes the Source's states in, and locks c.mu for the caller. The Source is asked
// without the lock, for it has its own; of two that asked at once, only who came first
// counts, so that what is known never goes back.
func (c *chooser) refresh(s Source) {
	asked := c.clock.Add(1)
	states := s.Proxies()
	answered := c.clock.Add(1)
	c.mu.Lock()
	if asked > c.taken {
		c.taken = answered
		c.take(states)
	}
}

// take takes states in. As every method below, it wants c.mu held.
func (c *chooser) take(states []fleet.ProxyState) {
	if c.version > 0 && len(states) == len(c.states) && (len(states) == 0 || &states[0] == &c.states[0]) {
		return
	}
	c.version++
	if !c.seated(states) {
		c.reseat(states)
	}
	c.states = states
	for i := range states {
		c.seats[i].told(states[i].Statuses)
		c.weigh(i)
	}
}

// seated tells whether the states are of the proxies of the last ones, in their order.
func (c *chooser) seated(states []fleet.ProxyState) bool {
	if len(states) != len(c.seats) {
		return false
	}
	for i := range states {
		if s := &c.seats[i]; states[i].Name != s.name || states[i].Zone != s.zone {
			return false
		}
	}
	return true
}

// reseat makes seats for other proxies than before. Those that stay keep what is known.
func (c *chooser) reseat(states []fleet.ProxyState) {
	seats, turns := make([]seat, len(states)), make([]uint64, len(states))
	names, labels := make(map[string]int32, len(states)), make(map[string]int32, len(states))
	c.zones, c.loads = make([]int32, len(states)), make([]float64, len(states))
	clear(c.zoneOf)
	for i := range states {
		st := &states[i]
		if old, ok := c.byName[st.Name]; ok {
			seats[i], turns[i] = c.seats[old], c.turns[old]
		} else {
			seats[i] = seat{name: st.Name, label: labelOf(st.Name), statuses: st.Statuses}
		}
		seats[i].zone = st.Zone
		names[st.Name], labels[seats[i].label] = int32(i), int32(i)
		number, ok := c.zoneOf[st.Zone]
		if !ok {
			number = int32(len(c.zoneOf))
			c.zoneOf[st.Zone] = number
		}
		c.zones[i] = number
	}
	c.seats, c.turns, c.byName, c.byLabel = seats, turns, names, labels
}

// told notes how many statuses a proxy has sent. After one, the clients since the last
// begin to fade; after more, all had a whole interval to connect. A proxy that begins to
// count anew has a new session.
func (s *seat) told(statuses uint64) {
	switch {
	case statuses == s.statuses:
		return
	case statuses == s.statuses+1, statuses < s.statuses:
		s.fading, s.fresh = s.fresh, 0
	default:
		s.fading, s.fresh = 0, 0
	}
	s.statuses = statuses
}

// coming returns how many clients are on their way.
func (s *seat) coming() float64 { return s.fresh + fade*s.fading }

// loadOf returns a proxy's load.
func loadOf(st *fleet.ProxyState, coming float64) float64 {
	cpu := st.CPU
	if !(cpu > 0) { // NaN too
		cpu = 0
	}
	return (float64(max(st.Connections, 0)+max(st.Waiting, 0)) + coming + 1) / (1 - min(cpu, busiest))
}

func full(st *fleet.ProxyState, coming float64) bool {
	return st.MaxConnections > 0 && float64(st.Connections)+coming >= float64(st.MaxConnections)
}

// weigh notes a proxy's load; one that may not be named has an infinite one.
func (c *chooser) weigh(i int) {
	st, coming := &c.states[i], c.seats[i].coming()
	c.loads[i] = loadOf(st, coming)
	if !st.Connected || st.Draining || full(st, coming) {
		c.loads[i] = math.Inf(1)
	}
}

// crowdOf returns who can serve a listener. It is made once for each version of the
// states.
func (c *chooser) crowdOf(listener string) *crowd {
	k := c.crowds[listener]
	if k == nil {
		k = &crowd{}
		c.crowds[listener] = k
	}
	if k.version == c.version {
		return k
	}
	k.version, k.at = c.version, k.at[:0]
	if len(k.places) != len(c.states) {
		k.places = make([]place, len(c.states))
	}
	for i := range c.states {
		st := &c.states[i]
		text, serves := st.Listeners[listener]
		if !serves || !st.Connected || st.Draining {
			continue
		}
		if k.places[i].text != text {
			k.places[i] = parsePlace(text)
		}
		if k.places[i].ok {
			k.at = append(k.at, int32(i))
		}
	}
	return k
}
