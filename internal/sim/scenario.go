package sim

import (
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Scenario is one run to be made: a fleet, its load, what goes wrong, and the policies to
// compare. Read makes one from a file; Run plays it. Treat it as read-only.
type Scenario struct {
	Name string
	Note string // what it is for, for people

	Seeds    []uint64
	Requests int // measured ones, of each seed
	Warmup   int // before these, not measured

	Policies []Policy
	Pool     PoolScenario
	Proxies  []ProxyGroup
	Backends []BackendGroup
	Arrivals Arrivals
	Service  Service
	Network  Network
	Faults   []Fault
	Mix      []RequestMix // what requests are, by share; empty: all alike

	// ClientTimeout is when a client gives up; 0: never. A backend that drops cancelled
	// work stops at once then.
	ClientTimeout  time.Duration
	DropsCancelled bool
}

// Policy names who decides.
type Policy string

// Policies.
const (
	Fairlead    Policy = "fairlead" // package dispatch, as in production
	ByProxy     Policy = "l-ewma"   // package permit, each proxy for itself, as in production
	Random      Policy = "random"
	RoundRobin  Policy = "round-robin"
	LeastConn   Policy = "least-conn"   // each proxy by its own count
	TwoChoices  Policy = "two-choices"  // likewise, of two at random
	PeakEWMA    Policy = "peak-ewma"    // each proxy, of two at random (Finagle)
	IdleQueue   Policy = "idle-queue"   // join idle queue (Lu et al. 2011)
	Prequal     Policy = "prequal"      // (Wydrowski et al. 2024)
	WeightedRR  Policy = "weighted-rr"  // weights from reports, each second
	GlobalLeast Policy = "global-least" // controller, shortest queue of all
	Central     Policy = "central"      // the bound: one queue, no delay, true speeds
)

// PoolScenario is the pool's policy, in the config's terms.
type PoolScenario struct {
	fleet.PoolSpec // Name, FirstGrant and the like are filled in by Run
}

// ProxyGroup is a number of proxies that are alike.
type ProxyGroup struct {
	Count  int
	Weight float64 // share of the load that each one gets, relative to others; 0: 1
	Zone   string
}

// BackendGroup is a number of backends that are alike.
type BackendGroup struct {
	Count   int
	Servers int     // requests that one truly works on at a time: c
	Speed   float64 // 1 does work in its mean time, 0.5 takes twice as long; 0: 1
	// Declared is what the pool is told: workers or slots, as the pool's policy has it;
	// 0: Servers.
	Declared   int
	Sharing    bool // processor sharing: all in hand share Servers; else first come, first served
	Zone       string
	Labels     []string
	Weight     float64
	Foreign    float64       // load by others, as a share of the backend's capacity
	Report     time.Duration // between load reports; 0: none
	Antagonist Antagonist
	ErrorRate  float64       // share of requests that it answers with an error
	ErrorTime  time.Duration // how long an error takes it
}

// Antagonist slows backends of a group for a time; when one recovers, another falls.
type Antagonist struct {
	Share    float64 // of the group's backends at any time
	Slowdown float64 // this many times slower; 0 with a Share: they stand still
	Least    time.Duration
	Most     time.Duration // uniform between these
}

// Arrivals is when requests come.
type Arrivals struct {
	// Load is the offered load as a share of the capacity that antagonists and foreign load
	// leave; or Rate says it in requests a second. One of them is set, or Trace is.
	Load  float64
	Rate  float64
	Burst Burst
	Trace []time.Duration // arrival times, rising
	// Sizes are the requests' work in the trace, at speed 1; as many as Trace, or none.
	Sizes []time.Duration
}

// Burst has the load change between two rates. With no High it does not.
type Burst struct {
	High, Low         float64       // times the rate
	HighFor, LowFor   time.Duration // mean; exponential
	EachProxyOnItsOwn bool
}

// Law is a distribution of work.
type Law string

// Laws.
const (
	Exponential Law = "exponential"
	Pareto      Law = "pareto"    // bounded, alpha 1.3, highest/lowest 1000
	Bimodal     Law = "bimodal"   // 90 % at 10, 10 % at 200, scaled to the mean
	Lognormal   Law = "lognormal" // sigma 1.5
	Fixed       Law = "fixed"
)

// Service is the work of a request, at speed 1.
type Service struct {
	Law  Law
	Mean time.Duration
}

// Network is what lies between the parts. A hop is one way.
type Network struct {
	Hop       time.Duration // client to proxy to backend, each
	RoundTrip time.Duration // proxy to controller and back
	Jitter    float64       // of a message: its time is multiplied by 1 to 1+Jitter, uniform
	Loss      float64       // of messages between proxy and controller, which then break the session
	Double    float64       // of messages that come twice
	Reorder   float64       // of messages that may be overtaken
}

// FaultKind is what goes wrong.
type FaultKind string

// Fault kinds.
const (
	KillProxy      FaultKind = "kill-proxy"
	KillController FaultKind = "kill-controller"
	KillBackend    FaultKind = "kill-backend"
	FreezeBackend  FaultKind = "freeze-backend"
	CutProxy       FaultKind = "cut-proxy" // from the controller
	LoseAgent      FaultKind = "lose-agent"
	DrainBackend   FaultKind = "drain-backend"
)

// Fault is something that goes wrong at a time, for a time.
type Fault struct {
	Kind FaultKind
	At   time.Duration
	For  time.Duration // 0: for good
	On   int           // which proxy or backend, from 0 over all groups
}

// RequestMix is a share of requests that are alike.
type RequestMix struct {
	Share    float64 // relative to others
	Class    fleet.Class
	Flows    int     // these many flows, equally likely; 0: one
	Skew     float64 // Zipf exponent over the flows; 0: equally likely
	Flow     string  // prefix of their names
	Labels   []string
	Affinity int // these many affinity keys, equally likely; 0: none
	Deadline time.Duration
	Work     float64 // times the service law; 0: 1
}
