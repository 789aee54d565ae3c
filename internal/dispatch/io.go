package dispatch

import (
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Input is what a Pool is told. Inputs are passed by pointer and not kept, so that a
// caller may use one value again.
type Input interface{ input() }

// Ask wants a grant.
type Ask struct {
	Proxy    fleet.ProxyID
	ID       fleet.AskID
	Waited   time.Duration       // already, for earlier grants of the same request
	Exclude  []fleet.BackendName // that the request could not reach
	Zone     string              // where the client is; empty: not known
	About    *fleet.About        // class, flow, deadline, labels, affinity; nil: not said
	InFlight int                 // load metric: the proxy's links in this pool
	// RoundTrip is a load metric: how long a message takes to the proxy and back.
	RoundTrip time.Duration // 0: not said
	Seen      []fleet.Seen  // load metrics: what the proxy saw of backends
}

// Withdraw takes an ask back.
type Withdraw struct {
	Proxy fleet.ProxyID
	Ask   fleet.AskID
}

// Done ends a grant.
type Done struct {
	Proxy   fleet.ProxyID
	Grant   fleet.GrantID
	Outcome fleet.Outcome
	Latency time.Duration // 0: says nothing about speed
	Seen    fleet.Seen    // of the backend that served; Backend empty: nothing
	Kept    bool          // the request is over, and its slot stays the proxy's
	Uses    uint32        // how often the slot was used again
}

// Use begins a request on a slot that the proxy has kept.
type Use struct {
	Proxy fleet.ProxyID
	Grant fleet.GrantID
	Uses  uint32       // how often, this time included
	About *fleet.About // nil: not said
}

// Learn begins a controller's term: proxies may hold slots of which it does not know yet.
// Until all that are expected are connected, or the time is over, nothing is granted.
type Learn struct {
	Epoch  uint64 // of the term, and of its grants; 0: as it was
	Expect []fleet.ProxyID
	For    time.Duration
}

// Respec changes what the config says of a pool; its grants, queue and totals live on. A longer
// time to wait counts for those who wait too. Where fewer slots are left than are taken nothing
// is cut, and nothing granted until it fits; a shorter limit of grants counts for those that run
// too. Name, FirstGrant, Learn, Assign, Direct, PreferZone and whether Workers count stay as they
// were, and TicketLife does not fall.
type Respec struct{ Spec fleet.PoolSpec }

// Yield ends a controller's term: proxies, their asks and their grants are another one's from
// now on. What is known of backends stays.
type Yield struct{}

// Report is a backend's own word on its load.
type Report struct {
	Backend fleet.BackendName
	Load    fleet.LoadReport
}

// Source says who knows a backend. A backend is there while anyone does.
type Source uint8

// Sources.
const (
	FromConfig Source = iota
	FromAgent
)

// Join adds a backend, or changes what its source says of it. Of an agent it is the
// beginning of a session.
type Join struct {
	Spec   fleet.BackendSpec
	Source Source

	// Of an agent: the ID under which direct grants are its own, whether it takes
	// assignments and tickets, and the direct grants that still run.
	Agent   fleet.ProxyID
	Assigns bool
	Directs bool
	Live    []fleet.LiveGrant
}

// Answer is the word on an assignment: of the backend where it is asked, else that the
// assignment is on its way.
type Answer struct {
	Backend   fleet.BackendName
	Grant     fleet.GrantID
	Rejection fleet.Rejection
}

// Arrival says that the client of a direct grant has come to its backend.
type Arrival struct {
	Backend fleet.BackendName
	Grant   fleet.GrantID
}

// Ended is a backend's word that a direct grant is over.
type Ended struct {
	Backend fleet.BackendName
	Grant   fleet.GrantID
	Outcome fleet.Outcome
	Latency time.Duration // 0: says nothing about speed
}

// Leave takes a source's word on a backend back. When nobody knows the backend any
// more it gets no grants, and is forgotten when its last one is over.
type Leave struct {
	Backend fleet.BackendName
	Source  Source
}

// AgentLost says that a backend's agent is gone without a word. A backend that only
// its agent knew leaves after the grace, unless the agent is back by then.
type AgentLost struct{ Backend fleet.BackendName }

// SessionUp says that a proxy is connected, with the grants that it still uses. Those
// that it had and does not name are over.
type SessionUp struct {
	Proxy fleet.ProxyID
	Live  []fleet.LiveGrant
}

// SessionLost says that a proxy is not connected any more.
type SessionLost struct{ Proxy fleet.ProxyID }

// Health is the result of checks on a backend.
type Health struct {
	Backend fleet.BackendName
	Up      bool
	Why     string // for people, when it is down
}

// Override is the wish of an operator (FromConfig) or of the backend's agent. An
// operator's undrain overrules both; an agent's drain ends when an agent joins again.
type Override struct {
	Backend fleet.BackendName
	Source  Source
	Drain   bool
}

// Adjust is what an operator says of a backend, which goes before what the config and its
// agent say. It holds until the next one.
type Adjust struct {
	Backend fleet.BackendName
	Slots   int     // or workers, where backends have a queue of their own; 0: nothing is said
	Weight  float64 // 0: nothing is said
}

// Tick lets time pass. It is due when Next says so.
type Tick struct{}

func (*Ask) input()         {}
func (*Withdraw) input()    {}
func (*Done) input()        {}
func (*Report) input()      {}
func (*Join) input()        {}
func (*Leave) input()       {}
func (*AgentLost) input()   {}
func (*SessionUp) input()   {}
func (*SessionLost) input() {}
func (*Health) input()      {}
func (*Override) input()    {}
func (*Adjust) input()      {}
func (*Tick) input()        {}
func (*Answer) input()      {}
func (*Arrival) input()     {}
func (*Ended) input()       {}
func (*Use) input()         {}
func (*Learn) input()       {}
func (*Respec) input()      {}
func (*Yield) input()       {}

// Kind says what an Effect is.
type Kind uint8

// Kinds.
const (
	Granted   Kind = iota + 1 // tell Proxy: Ask has Grant on Backend, for at most Limit
	Refused                   // tell Proxy: no to Ask, for Reason; try after RetryAfter
	Revoked                   // tell Proxy: cut Grant's link, for Reason
	Changed                   // tell Backend's agent: Draining, Drained, Slots
	Gone                      // Backend is forgotten: nobody knows it, and nothing runs on it
	Assigned                  // tell Backend's agent: Proxy's Ask will have Grant; then Answer
	Recalled                  // tell Backend's agent: Grant is not coming or must end, for Reason
	Reclaimed                 // tell Proxy: give Grant's slot back, if it is kept; else keep it no more
)

// Effect is what is to be done because of an input. Which fields count, Kind says.
type Effect struct {
	Kind       Kind
	Reason     fleet.Reason
	Draining   bool
	Drained    bool // draining, and no grant is left
	Proxy      fleet.ProxyID
	Slots      int
	Ask        fleet.AskID
	Grant      fleet.GrantID
	Backend    fleet.BackendName
	Limit      time.Duration // 0: none
	RetryAfter time.Duration // 0: not known
	Waited     time.Duration // in the queue
	About      *fleet.About  // of an assignment
	Moved      bool          // of a grant: not the backend that its affinity names
	Keep       time.Duration // of a grant: how long its slot may be kept unused; 0: not at all
	Uses       uint32        // of what is revoked: how often its slot was used again before
}
