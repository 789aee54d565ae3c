package backend

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Limits of the wire, and what follows from them.
const (
	// MaxInterval is the longest time between two reports, and the default: the
	// controller takes who says nothing for three of them for dead.
	MaxInterval = time.Second
	// MinInterval is the shortest.
	MinInterval = 20 * time.Millisecond
	// MaxSlots is the most slots that one backend may claim.
	MaxSlots = 1_000_000

	maxMessage = 1 << 20 // bytes, either way
)

// Config says who reports, and to whom. Controller, Pool and Address are needed.
type Config struct {
	// Controller is where the controller listens for agents, as host:port.
	Controller string
	// Pool is the pool that the backend serves, as the controller's config names it.
	Pool string
	// Address is where proxies reach the backend, as host:port. It is the backend's
	// name too, so it has to be the same text that the controller's config uses, where
	// that lists the backend.
	Address string
	// Slots is how many requests may be in flight here at once; 0: as the pool says.
	Slots int
	// Zone is where the backend is; the same text means the same place.
	Zone string
	// Software names the server for people, such as "render 2.1".
	Software string

	// Interval is the time between two reports, MinInterval to MaxInterval; 0: one
	// second.
	Interval time.Duration
	// Load, if set, is called each Interval by the goroutine that runs Run. It has to
	// return within a few milliseconds, as reports wait for it.
	Load func() Load
	// OnState, if set, is called after each change of State, one call after the other,
	// by the goroutine that runs Run. It has to return soon, and may not call Drain.
	OnState func(State)

	// Insecure allows a controller that is not on this host to be spoken to in plain
	// text, without knowing who it is.
	Insecure bool
	// DialOptions are added to those of the Reporter, and win over them. With them a
	// controller on another host is accepted; they then have to bring its credentials.
	DialOptions []grpc.DialOption

	// Logger gets one line when a session begins and when it ends; nil: none.
	Logger *slog.Logger
}

// New checks cfg and makes a Reporter, which does nothing until Run is called. An error
// names the field and how to mend it.
func New(cfg Config) (*Reporter, error) {
	if err := cfg.complete(); err != nil {
		return nil, fmt.Errorf("backend: %w", err)
	}
	r := &Reporter{
		cfg:      cfg,
		dial:     cfg.dialOptions(),
		instance: rand.Text(),
		poke:     make(chan struct{}, 1),
		ended:    make(chan struct{}),
		news:     make(chan struct{}),
	}
	// NewClient dials nothing; it tells now, rather than in Run, that options clash.
	conn, err := r.client()
	if err != nil {
		return nil, fmt.Errorf("backend: Config.DialOptions: %w", err)
	}
	if err := conn.Close(); err != nil {
		return nil, fmt.Errorf("backend: close a trial connection: %w", err)
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
	var errs []error
	if err := checkAddress(c.Controller); err != nil {
		errs = append(errs, fmt.Errorf("Config.Controller: %w; give the controller's listen address, such as 127.0.0.1:7400", err))
	} else if !isLoopback(c.Controller) && !c.Insecure && len(c.DialOptions) == 0 {
		errs = append(errs, fmt.Errorf("Config.Controller: %s is not on this host, and would be spoken to in plain text; "+
			"give DialOptions with transport credentials, or set Insecure if the network is trusted", c.Controller))
	}
	if strings.TrimSpace(c.Pool) == "" {
		errs = append(errs, errors.New("Config.Pool: is empty; name a pool of the controller's config"))
	}
	if err := checkReachable(c.Address); err != nil {
		errs = append(errs, fmt.Errorf("Config.Address: %w; give the address at which proxies reach this backend", err))
	}
	if c.Slots < 0 || c.Slots > MaxSlots {
		errs = append(errs, fmt.Errorf("Config.Slots: %d is not from 0 (as the pool says) to %d", c.Slots, MaxSlots))
	}
	if c.Interval < MinInterval || c.Interval > MaxInterval {
		errs = append(errs, fmt.Errorf("Config.Interval: %v is not from %v to %v", c.Interval, MinInterval, MaxInterval))
	}
	for _, field := range []struct{ name, text string }{
		{"Config.Pool", c.Pool}, {"Config.Address", c.Address},
		{"Config.Zone", c.Zone}, {"Config.Software", c.Software},
	} {
		if !utf8.ValidString(field.text) {
			err := fmt.Errorf("%q is not UTF-8, which is all that the wire carries", field.text)
			errs = append(errs, fmt.Errorf("%s: %w", field.name, err))
		}
	}
	return errors.Join(errs...)
}

func (c *Config) dialOptions() []grpc.DialOption {
	options := []grpc.DialOption{
		// The environment is main's to read, and a controller is no web site.
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
	}
	if c.Insecure || isLoopback(c.Controller) {
		options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	return append(options, c.DialOptions...)
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
