package client

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Defaults and limits of a Config.
const (
	// DefaultDialTimeout bounds each attempt to connect where Config does not say.
	DefaultDialTimeout = 5 * time.Second
	// DefaultRetries is how many other proxies are tried where Config does not say.
	DefaultRetries = 2
	// MaxRetries is the most.
	MaxRetries = 10
	// MaxListeners is how many listeners one Client remembers, as many as one
	// controller can have.
	MaxListeners = 1000
)

const (
	locatorTimeout = 2 * time.Second // for one locator's answer
	maxAnswer      = 64 << 10        // bytes of a locator's or a grant's answer
	maxIdlePerHost = 100             // connections; nearly all requests go to one proxy
)

// Config says where to ask for proxies, and how to speak to them. Only Locators is needed.
type Config struct {
	// Locators are the URLs of controllers, such as http://127.0.0.1:7480, at least
	// one. They are tried in order, beginning with the one that answered last. A path
	// is put before that of the request.
	Locators []string
	// Transport sends requests to proxies and backends, those for TCP grants too; nil:
	// one with the settings of http.DefaultTransport, but without a web proxy from the
	// environment, and with up to 100 idle connections to each host. It has to follow
	// no redirects. If it does not serve net/http/httptrace, a request is repeated only
	// where nothing could be connected to.
	Transport http.RoundTripper
	// TLS is for locators, and unless Transport is set for backends, with https; nil:
	// the system's roots. It is copied.
	TLS *tls.Config
	// DialTimeout bounds each attempt to connect (with a Transport of your own, only
	// those of DialContext); 0: five seconds.
	DialTimeout time.Duration
	// Retries is how many other proxies a request tries after one has failed, at most
	// MaxRetries; 0: two; -1: none.
	Retries int
	// Logger gets a line when a proxy fails, and when locators stop and start to
	// answer; nil: none.
	Logger *slog.Logger
}

// Client knows which proxies to use, for each listener. All of its methods, and all that
// they return, may be used by many goroutines at once. It has no goroutine of its own
// but for lookups, each of which ends within two seconds a locator.
type Client struct {
	cfg      Config
	locators []*url.URL
	locator  http.RoundTripper // to locators
	through  http.RoundTripper // to proxies and backends
	dialer   net.Dialer

	// Replaced in tests.
	now      func() time.Time
	patience time.Duration // with one locator

	lastGood atomic.Int32 // the locator that answered last

	mu        sync.Mutex // guards what is below
	listeners map[string]*listener
}

// New checks cfg and makes a Client. It asks nobody anything. An error names each field
// that is wrong, and how to mend it.
func New(cfg Config) (*Client, error) {
	locators, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	c := &Client{
		cfg: cfg, locators: locators, through: cfg.Transport,
		dialer: net.Dialer{Timeout: cfg.DialTimeout},
		now:    time.Now, patience: locatorTimeout,
		listeners: map[string]*listener{},
	}
	asking := c.newTransport()
	asking.DisableCompression = true // the cap is on what is sent, and on what is read
	asking.MaxResponseHeaderBytes = maxAnswer
	c.locator = asking
	if c.through == nil {
		c.through = c.newTransport()
	}
	return c, nil
}

// complete fills in defaults and tells every mistake at once.
func (c *Config) complete() ([]*url.URL, error) {
	var errs []error
	if len(c.Locators) == 0 {
		errs = append(errs, errors.New("Config.Locators: is empty; give the URL of a controller, such as http://127.0.0.1:7480"))
	}
	var locators []*url.URL
	for i, text := range c.Locators {
		u, err := parseLocator(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("Config.Locators[%d]: %q %w; give a URL such as http://127.0.0.1:7480", i, text, err))
		}
		locators = append(locators, u)
	}
	switch {
	case c.DialTimeout == 0:
		c.DialTimeout = DefaultDialTimeout
	case c.DialTimeout < 0:
		errs = append(errs, fmt.Errorf("Config.DialTimeout: %v is negative; give a positive one, or 0 for %v", c.DialTimeout, DefaultDialTimeout))
	}
	switch {
	case c.Retries == 0:
		c.Retries = DefaultRetries
	case c.Retries == -1:
		c.Retries = 0
	case c.Retries < -1 || c.Retries > MaxRetries:
		errs = append(errs, fmt.Errorf("Config.Retries: %d is not from -1 (none) to %d; 0 means %d", c.Retries, MaxRetries, DefaultRetries))
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return locators, errors.Join(errs...)
}

func parseLocator(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("is no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("does not begin with http:// or https://")
	case u.User != nil:
		return nil, errors.New("has a user name, which locators do not ask for")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("has a query or a fragment")
	}
	if err := checkHost(u); err != nil {
		return nil, err
	}
	if u.Path == "" {
		u.Path = "/" // JoinPath makes a relative path otherwise
	}
	return u, nil
}

// checkHost checks the host of a URL, and its port if it has one.
func checkHost(u *url.URL) error {
	if u.Hostname() == "" {
		return errors.New("has no host")
	}
	if u.Port() == "" && !strings.HasSuffix(u.Host, ":") {
		return nil
	}
	return checkAddress(u.Host)
}

// newTransport has the settings of http.DefaultTransport. That itself may have been
// replaced, and asks the environment for a web proxy.
func (c *Client) newTransport() *http.Transport {
	t := &http.Transport{
		DialContext:           c.dialer.DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   maxIdlePerHost,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
	if c.cfg.TLS != nil {
		t.TLSClientConfig = c.cfg.TLS.Clone()
	}
	return t
}

// CloseIdleConnections closes the connections that no request uses now, those of
// Config.Transport too if it can. The Client may be used afterwards.
func (c *Client) CloseIdleConnections() {
	for _, t := range []http.RoundTripper{c.locator, c.through} {
		if t, ok := t.(interface{ CloseIdleConnections() }); ok {
			t.CloseIdleConnections()
		}
	}
}
