// Package fleet is the vocabulary that the parts of Fairlead share: pools, backends,
// slots, asks, grants, loads. It holds values and their text, and no behaviour that
// needs a clock, a goroutine or a random source, so that the packages which decide can
// be replayed and simulated.
package fleet

import (
	"fmt"
	"time"
)

// Time is a moment, as the nanoseconds since a beginning that its owner chose (a
// controller: its start; a simulation: zero). It only ever rises.
type Time int64

// Add returns the moment d later.
func (t Time) Add(d time.Duration) Time { return t + Time(d) }

// Sub returns how much later t is than u.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// PoolName names a pool, as the config does.
type PoolName string

// BackendName is a backend's identifier: the address at which proxies reach it, as
// host:port. It is unique within a pool.
type BackendName string

// ProxyID names one run of one proxy among all that a controller has seen. Sessions
// come and go; the ID stays until the process behind it is gone.
type ProxyID uint32

// AskID names an ask within one proxy's session.
type AskID uint64

// GrantID names a grant among all that any controller ever made.
type GrantID struct {
	Epoch  uint64 // the term of the controller that made it
	Number uint64
}

// String returns epoch and number, with a dot between.
func (g GrantID) String() string { return fmt.Sprintf("%d.%d", g.Epoch, g.Number) }

// PoolSpec is a pool as it is wished for.
type PoolSpec struct {
	Name  PoolName
	Slots int // of a backend that does not say; at least 1, unless Workers is

	// Workers says that backends have a queue of their own, and how many requests one that
	// does not say works on at a time. What it holds beyond that is bounded by what covers
	// the way to it, and not by Slots. 0: Slots bound, and hold hard.
	Workers int
	Learn   bool // workers are learnt from latency; Workers is where that begins

	QueueLimit   int           // asks that may wait; 0: none may
	QueueTimeout time.Duration // how long an ask may wait; above 0

	// FirstGrant is below the number of the pool's first grant. Pools of one controller
	// number from far apart, so that a GrantID is enough to name a grant.
	FirstGrant uint64

	Assign        Assign
	AssignTimeout time.Duration // how long an assignment waits for its answer; above 0
	Direct        bool          // a grant is its backend's, and ends by the backend's word
	TicketLife    time.Duration // how long a direct grant waits for its client; above 0
	PreferZone    bool          // a backend in the ask's zone goes before others

	Classes     [Classes]ClassSpec // by Class; NoClass is not read
	FlowWeights map[string]float64 // of flows that do not weigh 1; above 0. Nobody changes it
	// SpillAfter is how long an ask waits for a slot in its zone before one elsewhere will
	// do, where the zone is preferred and has backends at all.
	SpillAfter time.Duration
	SlowStart  time.Duration // how long a backend takes from its first slot to all of them
	Eject      EjectSpec
	Budget     BudgetSpec

	GrantLimit time.Duration // how long one grant may live; 0: any time
	Grace      time.Duration // how long grants outlive their proxy's session; above 0
	LostAfter  time.Duration // how long a backend is down before its grants end; 0: never

	// Permits lets proxies keep slots for their next requests while there are plenty. Only
	// where slots hold hard and backends are not told of grants.
	Permits bool
}

// ClassSpec bounds the asks of one class that wait.
type ClassSpec struct {
	Limit   int           // 0: only the pool's limit
	Timeout time.Duration // 0: as the pool's
}

// EjectSpec says when a backend that answers with errors gets no requests for a while.
type EjectSpec struct {
	Errors int           // in a row; 0: never
	For    time.Duration // the first time; twice that the second, and so on
	Most   float64       // share of the pool's backends that may be out at once, 0 to 1
}

// BudgetSpec bounds asks that are made again after a backend could not be reached.
type BudgetSpec struct {
	Ratio float64 // of first asks
	Least float64 // a second, whatever the asks
}

// Assign says whether a backend is told of a grant before the proxy is.
type Assign uint8

// Ways to assign.
const (
	AssignNone    Assign = iota
	AssignNotify         // it is told
	AssignConfirm        // it is asked, and may say no
)

// String returns the word that the config uses.
func (a Assign) String() string {
	switch a {
	case AssignNotify:
		return "notify"
	case AssignConfirm:
		return "confirm"
	}
	return "none"
}

// BackendSpec is a backend as it is wished for.
type BackendSpec struct {
	Name  BackendName
	Zone  string
	Slots int // 0: as the pool says
	// Workers is as Slots, for pools whose backends have a queue of their own.
	Workers int
	Labels  []string // "name=value", sorted, none twice; nobody changes it
	Weight  float64  // by hand: twice the weight is taken for twice as fast; 0: 1
}

// LoadReport is what a backend says of itself, with the meaning that ORCA gives to the
// fields. NaN and negative values never get here.
type LoadReport struct {
	CPU         float64 // 1 is all of the host
	Memory      float64 // 0 to 1
	Application float64 // 1 is all that it can do; 0: not said
	Load1       float64 // run queue over the last minute
	InFlight    float64 // requests in hand, whoever sent them
	HasInFlight bool    // InFlight was said
	RPS         float64 // requests a second
	EPS         float64 // errors a second
}

// Utilization returns how much of the backend is in use, 0 to 1: what the application
// says of itself, else the host's CPU.
func (r LoadReport) Utilization() float64 {
	if r.Application > 0 {
		return min(r.Application, 1)
	}
	return min(r.CPU, 1)
}

// Seen is what one proxy saw of one backend.
type Seen struct {
	Backend  BackendName
	InFlight int           // links from this proxy to it, now
	Latency  time.Duration // moving average, start of link to its end; 0: none yet
	Errors   int           // failures since last told
	Report   LoadReport    // newest that came in an answer's head
	Reported bool          // Report was set
}

// ShareOf returns how many of the slots of the i-th backend are the k-th proxy's, of n. Each
// has as many as any other, give or take one, on each backend and over all; together they
// have all slots, and no more.
func ShareOf(slots, i, k, n int) int {
	share := slots / n
	if (k+i)%n < slots%n {
		share++
	}
	return share
}

// LiveGrant is a grant that a proxy still uses after its session broke.
type LiveGrant struct {
	ID      GrantID
	Backend BackendName
	Held    time.Duration
	Kept    bool   // no request runs on it now
	Uses    uint32 // how often its slot was used again
}

// Class is a request's priority. The numbers are those of the wire.
type Class uint8

// Classes.
const (
	NoClass Class = iota // as Normal
	Critical
	Normal
	Sheddable
	Classes // how many there are, NoClass included
)

var classNames = [Classes]string{"normal", "critical", "normal", "sheddable"}

// String returns the word that the config and metrics use.
func (c Class) String() string {
	if c >= Classes {
		return "unknown"
	}
	return classNames[c]
}

// About is what a request is. Nobody changes it once it is made.
type About struct {
	Client   string // the client's IP address
	Method   string // HTTP
	Host     string // HTTP's authority, or the TLS server name
	Path     string // HTTP, without the query
	Class    Class
	Flow     string        // whose it is
	Deadline time.Duration // from the ask on, when the client gives up; 0: not known
	Labels   []string      // "name=value" that the backend must have; sorted, none twice
	Affinity string        // requests with the same one go to the same backend; empty: none
}

// Rejection is why a backend does not take an assignment. The numbers are those of the
// wire.
type Rejection uint8

// Rejections.
const (
	Accepted Rejection = iota
	RejectedFull
	RejectedDraining
	RejectedEpoch // of an earlier controller than the one that it knows
	RejectedOther
)

// ProxyState is what is known of a proxy when one is chosen for a client.
type ProxyState struct {
	Name           string
	Zone           string
	Connected      bool // to the controller
	Draining       bool
	Connections    int               // of clients
	MaxConnections int               // it takes no more than these; 0: not said
	Waiting        int               // asks without an answer
	CPU            float64           // share of what it may use, 0 to 1
	Statuses       uint64            // counts its words on its load, the latest of which this is
	Listeners      map[string]string // by name: host:port at which clients reach it
}

// ListenerInfo is what clients are told of a listener.
type ListenerInfo struct {
	Name   string
	HTTP   bool // else TCP
	Direct bool // TCP whose pool links directly
}
