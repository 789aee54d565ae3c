package backend

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/ticket"
	"github.com/fairlead/fairlead/internal/trust"
)

// Limits of the wire, and what follows from them.
const (
	// MaxInterval is the longest time between two reports, and the default: the
	// controller takes who says nothing for three of them for dead.
	MaxInterval = time.Second
	// MinInterval is the shortest.
	MinInterval = 20 * time.Millisecond
	// MaxSlots is the most slots that one backend may claim, and the most workers.
	MaxSlots = 1_000_000
	// MaxLabels is the most labels that one backend may have.
	MaxLabels = fleet.MaxLabels
	// maxControllers is the most controllers that one backend reports to.
	maxControllers = 16

	// What a message may have, in bytes.
	maxSent     = 64 << 10
	maxReceived = 4 << 20
)

// Config says who reports, and to whom. Controller, Pool and Address are needed.
type Config struct {
	// Controller is where the controller listens for agents, as host:port; where there are
	// several controllers, all of them, with commas between. The Reporter keeps a session
	// with each.
	Controller string
	// Pool is the pool that the backend serves, as the controller's config names it.
	Pool string
	// Address is where proxies reach the backend, as host:port. It is the backend's
	// name too, so it has to be the same text that the controller's config uses, where
	// that lists the backend.
	Address string
	// Slots is how many requests may be in flight here at once; 0: as the pool says.
	Slots int
	// Workers is the same in a pool whose backends have a queue of their own: how many
	// requests this one works on at a time, beside those that wait here; 0: as the pool says.
	// At most one of Slots and Workers is given.
	Workers int
	// Labels tell what this backend has that others have not, such as gpu: a100. Requests
	// that require a label come only to backends that have it. A name is of 1 to 63 letters,
	// digits, dots, dashes and underscores, a value of 1 to 191 visible ASCII characters.
	Labels map[string]string
	// Public is where clients reach the backend in a pool whose link is direct, as
	// host:port, http://host:port or https://host:port; empty: as the controller's config
	// says, else Address.
	Public string
	// Direct says that the pool's link is direct, and that all its requests come through
	// Guard or GuardListener, which then tell the controller when each begins and ends.
	// Without it they check tickets and leave that to the proxies.
	Direct bool
	// Zone is where the backend is; the same text means the same place.
	Zone string
	// Software names the server for people, such as "render 2.1".
	Software string

	// Interval is the time between two reports, MinInterval to MaxInterval; 0: one
	// second.
	Interval time.Duration
	// Load, if set, is called each Interval, by a goroutine of Run's and one call after
	// the other, however many controllers there are. It has to return within a few milliseconds, as reports wait for it.
	Load func() Load
	// OnState, if set, is called after each change of State, one call after the other,
	// by a goroutine of Run's. It has to return soon, and may not call Drain.
	OnState func(State)

	// OnAssign, if set, is told of each request before it comes, in pools that assign. By
	// what it returns an assignment with Confirm is answered: nil takes it, ErrFull and
	// ErrDraining say why not, any other error is just a no. Of one without Confirm it is
	// only told. One that is void, or that comes with Confirm after Drain, is answered
	// without a call; so is each one when OnAssign is nil, and taken.
	//
	// It is called by one goroutine of Run's, one call after the other and never during
	// OnRevoke. The controller gives the request to another backend if it hears nothing
	// for a while, so it has to return within milliseconds: prepare in a goroutine of your
	// own. At most 1024 calls wait; one too many is answered with full, and logged.
	OnAssign func(Assignment) error
	// OnRevoke, if set, is told of each grant that the controller takes back, by the same
	// goroutine as OnAssign and after it: an assignment whose request will not come, or a
	// request that must end. After the loss of a controller nothing is taken back by name;
	// so let what OnAssign prepares end by itself.
	OnRevoke func(grant string)

	// Certificate, Key and CA are files in PEM: this backend's certificate, its private
	// key, and the CA that signed the controller's. All three or none; with them the
	// controller is spoken to over mutual TLS, and files that change are read again. The
	// certificate names POOL/ADDRESS, or POOL/* (see fairlead.proto).
	Certificate, Key, CA string
	// Insecure allows a controller that is not on this host to be spoken to in plain
	// text, without knowing who it is.
	Insecure bool
	// DialOptions are added to those of the Reporter, and win over them. With them a
	// controller on another host is accepted; they then have to bring its credentials.
	DialOptions []grpc.DialOption

	// Logger gets one line when a session with a controller begins and when it ends; nil: none.
	Logger *slog.Logger
}

// New checks cfg and makes a Reporter, which does nothing until Run is called. An error
// names the field and how to mend it.
func New(cfg Config) (*Reporter, error) {
	if err := cfg.complete(); err != nil {
		return nil, fmt.Errorf("backend: %w", err)
	}
	dial, err := cfg.dialOptions()
	if err != nil {
		return nil, fmt.Errorf("backend: %w", err)
	}
	r := &Reporter{
		cfg:      cfg,
		dial:     dial,
		instance: rand.Text(),
		grants:   newGrants(cfg.Direct, len(cfg.controllers())),
		tickets:  ticket.NewVerifier(fleet.PoolName(cfg.Pool), fleet.BackendName(canonical(cfg.Address))),
		calls:    make(chan call, maxCalls),
		ended:    make(chan struct{}),
		news:     make(chan struct{}),
	}
	r.contacts = newContacts(r, cfg.controllers())
	for _, c := range r.contacts {
		// NewClient dials nothing; it tells now, rather than in Run, that options clash.
		conn, err := c.client()
		if err != nil {
			return nil, fmt.Errorf("backend: Config.DialOptions: %w", err)
		}
		if err := conn.Close(); err != nil {
			return nil, fmt.Errorf("backend: close a trial connection: %w", err)
		}
	}
	return r, nil
}

// complete fills in defaults and tells every mistake at once.
func (c *Config) complete() error {
	if c.Interval == 0 {
		c.Interval = MaxInterval
	}
	if c.Software == "" {
		c.Software = "fairlead sdk/backend (Go)"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	errs := c.checkController()
	if strings.TrimSpace(c.Pool) == "" {
		errs = append(errs, errors.New("Config.Pool: is empty; name a pool of the controller's config"))
	}
	if err := checkReachable(c.Address); err != nil {
		errs = append(errs, fmt.Errorf("Config.Address: %w; give the address at which proxies reach this backend", err))
	}
	if err := checkPublic(c.Public); err != nil {
		errs = append(errs, fmt.Errorf("Config.Public: %w; give the address at which clients reach this backend, such as https://b1.example.org:443", err))
	}
	errs = append(errs, c.checkCapacity()...)
	if c.Interval < MinInterval || c.Interval > MaxInterval {
		errs = append(errs, fmt.Errorf("Config.Interval: %v is not from %v to %v", c.Interval, MinInterval, MaxInterval))
	}
	for _, field := range []struct{ name, text string }{
		{"Config.Pool", c.Pool}, {"Config.Address", c.Address}, {"Config.Public", c.Public},
		{"Config.Zone", c.Zone}, {"Config.Software", c.Software},
	} {
		if !utf8.ValidString(field.text) {
			err := fmt.Errorf("%q is not UTF-8, which is all that the wire carries", field.text)
			errs = append(errs, fmt.Errorf("%s: %w", field.name, err))
		}
	}
	return errors.Join(errs...)
}

// checkCapacity checks what the backend says that it has and can do.
func (c *Config) checkCapacity() []error {
	var errs []error
	for _, n := range []struct {
		field string
		value int
	}{{"Config.Slots", c.Slots}, {"Config.Workers", c.Workers}} {
		if n.value < 0 || n.value > MaxSlots {
			errs = append(errs, fmt.Errorf("%s: %d is not from 0 (as the pool says) to %d", n.field, n.value, MaxSlots))
		}
	}
	if c.Slots > 0 && c.Workers > 0 {
		errs = append(errs, errors.New("Config.Workers: excludes Slots; give the one that the pool has"))
	}
	if err := fleet.CheckLabels(fleet.Labels(c.Labels)); err != nil {
		errs = append(errs, fmt.Errorf("Config.Labels: %w", err))
	}
	return errs
}

func (c *Config) checkController() []error {
	var errs []error
	all := c.controllers()
	if len(all) > maxControllers {
		errs = append(errs, fmt.Errorf("Config.Controller: names %d controllers; at most %d are taken", len(all), maxControllers))
	}
	for i, address := range all {
		switch err := checkAddress(address); {
		case err != nil:
			errs = append(errs, fmt.Errorf("Config.Controller: %w; give the controller's listen address, such as 127.0.0.1:7400, or several with commas between", err))
		case slices.Contains(all[:i], address):
			errs = append(errs, fmt.Errorf("Config.Controller: names %s twice; name each controller once", address))
		case !isLoopback(address) && !c.Insecure && !c.files().Set() && len(c.DialOptions) == 0:
			errs = append(errs, fmt.Errorf("Config.Controller: %s is not on this host, and would be spoken to in plain text; "+
				"give Certificate, Key and CA, or set Insecure if the network is trusted", address))
		}
	}
	if c.Insecure && c.files().Set() {
		errs = append(errs, errors.New("Config.Insecure: contradicts Certificate, Key and CA; leave it out"))
	}
	return errs
}

// controllers returns the addresses of all controllers.
func (c *Config) controllers() []string {
	all := strings.Split(c.Controller, ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// local tells whether every controller is on this host.
func (c *Config) local() bool {
	return !slices.ContainsFunc(c.controllers(), func(a string) bool { return !isLoopback(a) })
}

func (c *Config) files() trust.Files {
	return trust.Files{Cert: c.Certificate, Key: c.Key, CA: c.CA}
}

func (c *Config) dialOptions() ([]grpc.DialOption, error) {
	options := []grpc.DialOption{
		// The environment is main's to read, and a controller is no web site.
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(maxReceived), grpc.MaxCallSendMsgSize(maxSent)),
	}
	switch {
	case c.files().Set():
		creds, err := trust.Load(c.files(), c.Logger)
		if err != nil {
			return nil, fmt.Errorf("Config.Certificate, Key and CA: %w", err)
		}
		if err := creds.Identity().MayReport(c.Pool, c.Address); err != nil {
			return nil, fmt.Errorf("Config.Certificate: %w", err)
		}
		options = append(options, grpc.WithTransportCredentials(creds.Client(trust.Controller)))
	case c.Insecure || c.local():
		options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	return append(options, c.DialOptions...), nil
}

// checkPublic refuses what a client could not be sent to.
func checkPublic(public string) error {
	if public == "" {
		return nil
	}
	address := public
	if scheme, rest, is := strings.Cut(public, "://"); is {
		if scheme != "http" && scheme != "https" {
			return fmt.Errorf("%q begins neither with http:// nor with https://", public)
		}
		address = rest
	}
	return checkReachable(address)
}

func checkAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is no host:port", address)
	}
	if host == "" {
		return fmt.Errorf("%q has no host", address)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("%q has no port from 1 to 65535", address)
	}
	return nil
}

// checkReachable refuses what can be listened on but not connected to from elsewhere.
func checkReachable(address string) error {
	if err := checkAddress(address); err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(address)
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		return fmt.Errorf("%q means every address of this host, which a proxy cannot connect to", address)
	}
	return nil
}

// canonical writes a checked address as the controller does, whose tickets name it so:
// IP addresses as netip does, names in lower case without a trailing dot.
func canonical(address string) string {
	host, port, err := net.SplitHostPort(address)
	n, err2 := strconv.Atoi(port)
	if err != nil || err2 != nil {
		return address
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.Unmap().String()
	} else {
		host = strings.ToLower(strings.TrimSuffix(host, "."))
	}
	return net.JoinHostPort(host, strconv.Itoa(n))
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
