// Package config reads Fairlead's one YAML file into a checked Config.
//
// Reading is strict: an unknown key, a value out of range or a name that leads nowhere
// is an error, and every error says the file, line, column and key, what is wrong, and
// how to mend it. All errors of a file are told at once.
package config

import (
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Config is a whole file, checked, with the defaults filled in. Treat it as read-only.
type Config struct {
	Controller Controller
	Listeners  []Listener
	Routes     []Route
	Pools      []Pool
}

// Controller is where the controller listens and keeps its data.
type Controller struct {
	Listen string // host:port of gRPC: proxies, agents, tools
	Admin  string // host:port of HTTP: page, API, metrics
	Data   string // a directory

	// Insecure allows addresses beyond loopback, where anyone may then speak.
	Insecure bool
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
}

// Route leads requests of a listener to a pool.
type Route struct {
	Listener string
	Host     string // exact, "*.example.org" or "*"; lower case; "*" for TCP
	Path     string // prefix, by whole segments; "/" for TCP
	Pool     fleet.PoolName
}

// Pool is one pool.
type Pool struct {
	Name     fleet.PoolName
	Slots    int
	Queue    Queue
	Backends []Backend
	Health   Health
	Agents   bool // backends that the config does not list may join by their agents

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
	Slots   int // 0: as the pool says
}

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
	DefaultGrantLimit     = 24 * time.Hour
	DefaultHealthPath     = "/"
	DefaultHealthInterval = 2 * time.Second
	DefaultHealthTimeout  = time.Second
	DefaultHealthFall     = 3
	DefaultHealthRise     = 2
	DefaultLostAfter      = 30 * time.Second
)

// DefaultHealth returns what a pool without a health section gets.
func DefaultHealth() Health {
	return Health{
		Type: HealthTCP, Path: DefaultHealthPath,
		Interval: DefaultHealthInterval, Timeout: DefaultHealthTimeout,
		Fall: DefaultHealthFall, Rise: DefaultHealthRise, LostAfter: DefaultLostAfter,
	}
}
