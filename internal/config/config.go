// Package config reads Fairlead's one YAML file into a checked Config.
//
// Reading is strict: an unknown key, a value out of range or a name that leads nowhere
// is an error, and every error says the file, line, column and key, what is wrong, and
// how to mend it. All errors of a file are told at once.
package config

import (
	"net/netip"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Config is a whole file, checked, with the defaults filled in. Treat it as read-only.
type Config struct {
	Controller Controller
	Locate     Locate
	Zones      []Zone
	Listeners  []Listener
	Routes     []Route
	Pools      []Pool
}

// Controller is where the controller listens and keeps its data.
type Controller struct {
	Listen string // host:port of gRPC: proxies, agents, tools
	Admin  string // host:port of HTTP: page, API, metrics
	Data   string // a directory

	Name      string // among the controllers of one cluster
	Advertise string // host:port at which others reach Listen
	Store     Store

	// TLS has the roles speak mutual TLS. Without it only loopback is listened on, unless
	// Insecure is set.
	TLS TLS
	// AdminToken is a file with the token that changes on the admin address need; empty:
	// one is made in Data.
	AdminToken string

	// Insecure allows addresses beyond loopback without TLS, where anyone may then speak.
	Insecure bool
}

// TLS names files in PEM, all of them or none.
type TLS struct {
	Cert string // with the chain
	Key  string
	CA   string // who signs peers' certificates
}

// Locate is where clients ask which proxy to use. Anyone may ask.
type Locate struct {
	DNS    string        // host:port, UDP and TCP; empty: no DNS
	HTTP   string        // host:port; empty: on the admin address alone
	Domain string        // that DNS answers for, lower case, without a dot at the end
	TTL    time.Duration // how long clients remember an answer
	// HTTPSRecords has DNS answer HTTPS records (RFC 9460) too. A browser that sees one
	// speaks TLS to that name from then on, so they are for proxies with TLS in front.
	HTTPSRecords bool
}

// Zone says which clients are where.
type Zone struct {
	Name    string
	Subnets []netip.Prefix // masked; no subnet is in two zones
}

// Protocol is what a listener speaks.
type Protocol string

// Protocols.
const (
	HTTP Protocol = "http"
	TCP  Protocol = "tcp"
)

// Listener is an address that every proxy serves.
type Listener struct {
	Name     string
	Address  string
	Protocol Protocol
	// IdleTimeout is how long a TCP connection lives on which no byte moves; 0: any time.
	IdleTimeout time.Duration
	// AcceptProxyFrom are subnets, masked. Connections from there begin with a PROXY protocol
	// header. None: nobody sends one.
	AcceptProxyFrom []netip.Prefix
	// Trusted are subnets, masked. What peers from there say of the client over HTTP
	// (X-Forwarded-For and the like) is believed. None: nobody is.
	Trusted []netip.Prefix
	// TLS has clients speak TLS; nil: they speak plain text.
	TLS *ListenerTLS
	// Timeouts are of HTTP/1.1. 0: as the proxy has them; of FirstByte, any time.
	Timeouts Timeouts
}

// Timeouts bound how long a connection waits, each for one thing.
type Timeouts struct {
	Idle      time.Duration // for the next request
	Head      time.Duration // from a head's first byte to its last
	Body      time.Duration // for more of a request's body, or for the backend to take it
	Answer    time.Duration // for more of an answer, or for the client to take it
	FirstByte time.Duration // from a request's end to its answer's head
	Tunnel    time.Duration // for a byte either way, once a connection is upgraded; negative: any time
}

// ListenerTLS names files in PEM, on the hosts of the proxies.
type ListenerTLS struct {
	// Certificates are chosen from by the name that a client asks for; the first is for the rest.
	Certificates []CertFiles
	// ClientCA signs clients' certificates; empty: they need none.
	ClientCA string
	// ClientAuth says whether a client needs a certificate, where there is a ClientCA.
	ClientAuth ClientAuth
	HTTP2      bool // is spoken with clients that like to
	// ACME has proxies get certificates; nil: the files are all that there are. Those are for
	// names that are none of its domains, then, and for clients that ask for none.
	ACME *ACME
}

// CertFiles are a certificate, with its chain, and its key.
type CertFiles struct{ Cert, Key string }

// ClientAuth says whether clients need a certificate.
type ClientAuth string

// Kinds of client authentication.
const (
	ClientRequired ClientAuth = "required"
	ClientOptional ClientAuth = "optional"
)

// SendProxy is the version of the PROXY protocol header that backends get.
type SendProxy string

// Versions of the PROXY protocol.
const (
	SendProxyNone SendProxy = ""
	SendProxyV1   SendProxy = "v1"
	SendProxyV2   SendProxy = "v2"
)

// Route leads requests of a listener to a pool.
type Route struct {
	Listener string
	Host     string // exact, "*.example.org" or "*"; lower case; the TLS server name for TCP
	Path     string // prefix, by whole segments; "/" for TCP
	Pool     fleet.PoolName
	Class    fleet.Class // of its requests, unless they say otherwise; NoClass: not said
	Labels   []string    // "name=value" that its requests require, sorted
}

// Pool is one pool.
type Pool struct {
	Name     fleet.PoolName
	Slots    int  // of a backend that does not say; 0 where Workers is
	Workers  int  // the same, where backends have a queue of their own; 0: Slots bound
	Learn    bool // workers are learnt, and Workers is where that begins
	Queue    Queue
	Backends []Backend
	Health   Health
	Agents   bool // backends that the config does not list may join by their agents

	Link          Link
	Assign        fleet.Assign
	AssignTimeout time.Duration // how long a backend may think about an assignment
	Tickets       bool          // grants carry tickets; always with Direct
	TicketLife    time.Duration // how long a ticket is good
	Prefer        Prefer
	SpillAfter    time.Duration // how long a request waits for its zone, with PreferZone

	Classes     [fleet.Classes]fleet.ClassSpec // by class
	ClassHeader string                         // HTTP field with a request's class; empty: none
	Flow        Key                            // whose a request is
	FlowWeights map[string]float64             // of flows that do not weigh 1
	Affinity    Key                            // what sends requests to the same backend
	LabelsFrom  map[string]string              // HTTP field by the label that it requires
	Deadline    time.Duration                  // of requests that do not say; 0: none

	SlowStart   time.Duration   // from a backend's first slot to all of them; 0: at once
	Eject       fleet.EjectSpec // Errors 0: backends are not ejected
	RetryBudget fleet.BudgetSpec

	Decide Decide
	// Permits lets proxies keep slots for their next requests while there are plenty.
	Permits bool

	SendProxy SendProxy   // to backends
	HTTP2     bool        // is spoken to backends
	TLS       *BackendTLS // is spoken to backends; nil: plain text

	Retries        int           // asks again after a backend that cannot be reached
	ConnectTimeout time.Duration // for one connection to a backend
	GrantLimit     time.Duration // how long one request or connection may live; 0: any time
}

// Queue bounds who waits.
type Queue struct {
	Limit   int
	Timeout time.Duration
}

// Backend is one backend of a pool.
type Backend struct {
	Address string
	Zone    string
	Slots   int      // 0: as the pool says
	Workers int      // the same, in a pool with workers
	Labels  []string // "name=value", sorted
	Weight  float64  // 0: 1
	// Public is where clients reach it, for direct links: host:port, or a URL of scheme,
	// host and port alone; empty: at Address.
	Public string
}

// Key is where in a request something is found.
type Key struct {
	By   KeyKind
	Name string // of the header, cookie or claim
}

// KeyKind is a kind of place in a request.
type KeyKind string

// Kinds of places.
const (
	ByNothing KeyKind = ""
	ByClient  KeyKind = "client" // its IP address
	ByHeader  KeyKind = "header"
	ByCookie  KeyKind = "cookie"
	ByClaim   KeyKind = "claim" // of the JWT in Authorization: Bearer, whose signature nobody checks
	ByTLSName KeyKind = "tls_name"
)

// Link is how clients and backends are joined.
type Link string

// Links.
const (
	Proxied Link = "proxied"
	Direct  Link = "direct"
)

// Prefer is which backends go first.
type Prefer string

// Preferences.
const (
	PreferNone Prefer = "none"
	PreferZone Prefer = "zone" // those in the client's zone
)

// HealthType is how a backend's health is checked.
type HealthType string

// Health types.
const (
	HealthTCP  HealthType = "tcp"
	HealthHTTP HealthType = "http"
	HealthNone HealthType = "none"
)

// Health is how a pool's backends are checked.
type Health struct {
	Type      HealthType
	Path      string // of HealthHTTP
	Host      string // Host header of HealthHTTP; empty: the backend's address
	Interval  time.Duration
	Timeout   time.Duration
	Fall      int           // failures in a row that make it down
	Rise      int           // successes in a row that make it up
	LostAfter time.Duration // down this long, its grants end; 0: never

	TLS        bool   // HealthHTTP asks over TLS, and takes any certificate: the answer counts
	ServerName string // that it asks for there; empty: the backend's host
}

// Defaults. docs/config.md tells them to users.
const (
	DefaultListen         = "127.0.0.1:7400"
	DefaultAdmin          = "127.0.0.1:7480"
	DefaultData           = "./fairlead-data"
	DefaultQueueLimit     = 1000
	DefaultQueueTimeout   = 30 * time.Second
	DefaultRetries        = 2
	DefaultConnectTimeout = 2 * time.Second
	DefaultIdleTimeout    = time.Hour // of TCP
	DefaultGrantLimit     = 24 * time.Hour
	DefaultHealthPath     = "/"
	DefaultHealthInterval = 2 * time.Second
	DefaultHealthTimeout  = time.Second
	DefaultHealthFall     = 3
	DefaultHealthRise     = 2
	DefaultLostAfter      = 30 * time.Second
	DefaultAssignTimeout  = 250 * time.Millisecond
	DefaultTicketLife     = 10 * time.Second
	DefaultTTL            = 5 * time.Second
	DefaultDomain         = "fairlead.internal"
	DefaultEjectErrors    = 5 // as in Envoy, where backends are ejected at all
	DefaultEjectFor       = 10 * time.Second
	DefaultEjectMost      = 0.1
	DefaultRetryRatio     = 0.2 // as in Envoy
	DefaultRetryLeast     = 10  // a second
)

// DefaultRetryBudget returns what a pool without a retry_budget gets.
func DefaultRetryBudget() fleet.BudgetSpec {
	return fleet.BudgetSpec{Ratio: DefaultRetryRatio, Least: DefaultRetryLeast}
}

// DefaultHealth returns what a pool without a health section gets.
func DefaultHealth() Health {
	return Health{
		Type: HealthTCP, Path: DefaultHealthPath,
		Interval: DefaultHealthInterval, Timeout: DefaultHealthTimeout,
		Fall: DefaultHealthFall, Rise: DefaultHealthRise, LostAfter: DefaultLostAfter,
	}
}
