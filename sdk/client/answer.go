package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a Choice says of a listener.
const (
	// HTTP is the protocol of listeners that RoundTripper is for.
	HTTP = "http"
	// TCP is the protocol of listeners that DialContext is for.
	TCP = "tcp"
	// Proxied is the link that goes through the proxy.
	Proxied = "proxied"
	// Direct is the link that goes from the client to the backend.
	Direct = "direct"
)

// Choice is a locator's answer: the proxies to use for a listener.
type Choice struct {
	// Listener is the listener's name.
	Listener string
	// Protocol is HTTP or TCP.
	Protocol string
	// Link is Proxied or Direct for a TCP listener. It says nothing of an HTTP listener,
	// whose routes may differ: there the proxy tells, request by request.
	Link string
	// Zone is the zone that the client was taken to be in; empty: none.
	Zone string
	// Proxies has at least one, best first.
	Proxies []Proxy
	// TTL is how long the answer is good from when it was given, from 100 ms to one
	// hour.
	TTL time.Duration
}

// Proxy is one proxy of a Choice.
type Proxy struct {
	// Name is the proxy's name, as the controller knows it.
	Name string
	// Address is where the proxy serves the listener, as host:port.
	Address string
	// Zone is where the proxy is; empty: nobody has said.
	Zone string
}

// Limits of what is believed.
const (
	minTTL    = 100 * time.Millisecond // a locator is not to be asked for each request
	maxTTL    = time.Hour
	maxTicket = 2 << 10 // bytes
	maxName   = 256     // bytes, of a listener or a proxy
	maxLife   = time.Hour
	maxSaid   = 512 // bytes of a peer's sentence that an error repeats
)

// parseChoice reads a locator's 200 to a question for a listener.
func parseChoice(body []byte, listener string) (Choice, error) {
	var a struct {
		Listener, Protocol, Link, Zone string
		TTLMs                          int64 `json:"ttlMs"`
		Proxies                        []struct{ Name, Address, Zone string }
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return Choice{}, fmt.Errorf("is no JSON of a choice: %w", err)
	}
	switch {
	case a.Listener != "" && a.Listener != listener:
		return Choice{}, fmt.Errorf("is about listener %.80q, not %q", a.Listener, listener)
	case a.Protocol != HTTP && a.Protocol != TCP:
		return Choice{}, fmt.Errorf("has protocol %.80q, not http or tcp", a.Protocol)
	case a.Link != "" && a.Link != Proxied && a.Link != Direct:
		return Choice{}, fmt.Errorf("has link %.80q, not proxied or direct", a.Link)
	case a.TTLMs < 0:
		return Choice{}, fmt.Errorf("has ttlMs %d, which is negative", a.TTLMs)
	case len(a.Proxies) == 0:
		return Choice{}, errors.New("names no proxy")
	}
	c := Choice{Listener: listener, Protocol: a.Protocol, Link: a.Link, Zone: a.Zone,
		TTL: max(minTTL, milliseconds(a.TTLMs, maxTTL))}
	if c.Link == "" {
		c.Link = Proxied
	}
	for i, p := range a.Proxies {
		if err := checkName(p.Name); err != nil {
			return Choice{}, fmt.Errorf("has proxies[%d] whose name %w", i, err)
		}
		if slices.ContainsFunc(c.Proxies, func(other Proxy) bool { return other.Name == p.Name }) {
			return Choice{}, fmt.Errorf("names proxy %q twice", p.Name)
		}
		if err := checkAddress(p.Address); err != nil {
			return Choice{}, fmt.Errorf("has proxies[%d] whose address %.80q %w", i, p.Address, err)
		}
		c.Proxies = append(c.Proxies, Proxy(p))
	}
	return c, nil
}

// milliseconds is a duration, at most limit.
func milliseconds(n int64, limit time.Duration) time.Duration {
	return time.Duration(min(n, limit.Milliseconds())) * time.Millisecond
}

// ticketGrant is a proxy's answer to POST /v1/grant: a backend's slot, for a while.
type ticketGrant struct {
	public string        // where to connect, host:port
	id     string        // epoch.number
	ticket string        // visible ASCII
	life   time.Duration // of the ticket if it is not used
}

// parseGrant reads a proxy's 200 to POST /v1/grant.
func parseGrant(body []byte) (ticketGrant, error) {
	var a struct {
		Public, Grant, Ticket string
		ExpiresMs             int64 `json:"expiresMs"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return ticketGrant{}, fmt.Errorf("is no JSON of a grant: %w", err)
	}
	if err := checkAddress(a.Public); err != nil {
		return ticketGrant{}, fmt.Errorf("has a public address %.80q that %w", a.Public, err)
	}
	if err := checkTicket(a.Ticket); err != nil {
		return ticketGrant{}, fmt.Errorf("has a ticket that %w", err)
	}
	if a.ExpiresMs <= 0 {
		return ticketGrant{}, fmt.Errorf("has expiresMs %d, which is not positive", a.ExpiresMs)
	}
	if len(a.Grant) > maxName {
		return ticketGrant{}, fmt.Errorf("has a grant number of %d bytes; at most %d are read", len(a.Grant), maxName)
	}
	return ticketGrant{public: a.Public, id: a.Grant, ticket: a.Ticket,
		life: milliseconds(a.ExpiresMs, maxLife)}, nil
}

// parseError returns the sentence of an answer {"error": "..."}; empty: it has none.
func parseError(body []byte) string {
	var a struct{ Error string }
	if json.Unmarshal(body, &a) != nil {
		return ""
	}
	return oneLine(a.Error)
}

// oneLine makes what a peer said fit for an error.
func oneLine(said string) string {
	if len(said) > maxSaid {
		said = said[:maxSaid] + "..."
	}
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(said, "?"), func(r rune) bool {
		return r <= ' ' || r == 0x7f
	}), " ")
}

// checkTicket checks what goes into a header field. The backend checks the rest.
func checkTicket(ticket string) error {
	switch {
	case ticket == "":
		return errors.New("is empty")
	case len(ticket) > maxTicket:
		return fmt.Errorf("has %d bytes; a ticket has at most %d", len(ticket), maxTicket)
	case strings.ContainsFunc(ticket, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("has characters that no ticket has")
	}
	return nil
}

// checkName checks the name of a listener or a proxy.
func checkName(name string) error {
	if name == "" {
		return errors.New("is empty")
	}
	if len(name) > maxName {
		return fmt.Errorf("has %d bytes; a name has at most %d", len(name), maxName)
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }) {
		return fmt.Errorf("%.80q has characters that no name has", name)
	}
	return nil
}

// checkAddress checks a host:port that can be connected to.
func checkAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return errors.New("is no host:port")
	}
	if host == "" || strings.ContainsFunc(host, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`/\?#@<>"`, r)
	}) {
		return errors.New("has no host that can be connected to")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errors.New("has no port from 1 to 65535")
	}
	return nil
}
