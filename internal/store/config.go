package store

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of what is configured.
const (
	DefaultLease = time.Second // see Config.Lease
	leastLease   = time.Second // etcd counts in whole seconds
	mostLease    = time.Minute
	maxPeers     = 9

	// DefaultReady is how long Open waits for a quorum.
	DefaultReady = 30 * time.Second
)

// Config says where a controller keeps what must last. Name, Address and Dir are needed;
// without Peers and Endpoints the controller is a cluster of its own, which listens nowhere.
type Config struct {
	Name    string // of this controller; the same for its whole life
	Address string // its gRPC address, as others are told
	Dir     string // of the embedded member; not used with Endpoints

	// Peers are all controllers of the cluster, this one too: name to host:port, where
	// their stores speak to one another. Listen is where this one listens for the others;
	// empty: at its address in Peers.
	Peers   map[string]string
	Listen  string
	PeerTLS TLS  // all three files; needed unless every peer is on loopback
	Join    bool // a new member of a cluster that runs; AddMember has to have named it

	Endpoints []string // host:port of an etcd that exists; then nothing is embedded
	TLS       TLS      // for Endpoints; CA alone, or all three files

	Insecure bool // peers and endpoints beyond loopback may do without TLS

	// Lease is how long a controller leads after its last word to the store, in whole
	// seconds. The members' heartbeats and elections follow from it. Longer is for slow
	// disks and wide networks. 0 is DefaultLease.
	Lease time.Duration
	Ready time.Duration // how long Open waits for a quorum; 0 is DefaultReady
	Log   *slog.Logger  // nil logs nothing

	quota int64 // bytes that are kept; 0 is defaultQuota
}

// TLS names the files of a certificate, its key and the CA that others are signed by.
type TLS struct{ Cert, Key, CA string }

// Set tells whether any file is named.
func (t TLS) Set() bool { return t != TLS{} }

var names = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// Check returns what is wrong with the config, all of it.
func (c Config) Check() error {
	var bad []error
	say := func(format string, args ...any) { bad = append(bad, fmt.Errorf(format, args...)) }
	if !names.MatchString(c.Name) {
		say("the name %q of this controller is not good; use up to 63 letters, digits, dots, dashes and underscores", c.Name)
	}
	if c.Address == "" {
		say("this controller has no address to tell others; give it its gRPC address, host:port")
	}
	if c.Lease != 0 && (c.Lease < leastLease || c.Lease > mostLease || c.Lease%time.Second != 0) {
		say("a lease of %v is not possible; use whole seconds from %v to %v", c.Lease, leastLease, mostLease)
	}
	if len(c.Endpoints) > 0 {
		bad = append(bad, c.checkEndpoints()...)
	} else {
		bad = append(bad, c.checkEmbedded()...)
	}
	return errors.Join(bad...)
}

func (c Config) checkEndpoints() (bad []error) {
	if len(c.Peers) > 0 || c.Listen != "" || c.Join {
		bad = append(bad, errors.New("endpoints name an etcd that exists, and peers make one; remove one of the two"))
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		bad = append(bad, errors.New("a certificate for the endpoints needs its key, and a key its certificate; name the files of both"))
	}
	for _, e := range c.Endpoints {
		if err := checkPeer(e); err != nil {
			bad = append(bad, fmt.Errorf("endpoint: %w", err))
		} else if !loopback(e) && !c.TLS.Set() && !c.Insecure {
			bad = append(bad, fmt.Errorf("the endpoint %s is on another host, and nothing would be encrypted; "+
				"name the CA of its certificate, or, in a network that you trust, set insecure to true", e))
		}
	}
	return bad
}

func (c Config) checkEmbedded() (bad []error) {
	say := func(format string, args ...any) { bad = append(bad, fmt.Errorf(format, args...)) }
	if c.Dir == "" {
		say("there is no data directory; name one in which this controller may write")
	}
	if c.TLS.Set() {
		say("TLS for endpoints is given without endpoints; remove it, or name the endpoints")
	}
	if len(c.Peers) == 0 {
		if c.Listen != "" || c.Join || c.PeerTLS.Set() {
			say("there is nobody to listen to without a list of peers; name every controller of the cluster, this one too")
		}
		return bad
	}
	if len(c.Peers) > maxPeers {
		say("%d peers are too many; each write waits for more than half of them, so have 3 or 5", len(c.Peers))
	}
	if _, ok := c.Peers[c.Name]; !ok {
		say("the list of peers (%s) does not have this controller, %q; add it, or correct its name",
			strings.Join(slices.Sorted(maps.Keys(c.Peers)), ", "), c.Name)
	}
	if t := c.PeerTLS; t.Set() && (t.Cert == "" || t.Key == "" || t.CA == "") {
		say("peers prove to one another who they are; name the files of all three: certificate, key and CA")
	}
	return append(bad, c.checkPeers()...)
}

func (c Config) checkPeers() (bad []error) {
	taken := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Peers)) {
		addr := c.Peers[name]
		if !names.MatchString(name) {
			bad = append(bad, fmt.Errorf("the name %q of a peer is not good; use up to 63 letters, digits, dots, dashes and underscores", name))
		}
		if err := checkPeer(addr); err != nil {
			bad = append(bad, fmt.Errorf("peer %s: %w", name, err))
			continue
		}
		if other, ok := taken[addr]; ok {
			bad = append(bad, fmt.Errorf("the peers %s and %s have the same address, %s; give each its own", other, name, addr))
		}
		taken[addr] = name
		if !loopback(addr) && !c.PeerTLS.Set() && !c.Insecure {
			bad = append(bad, fmt.Errorf("the peer %s is on another host (%s), and nothing would be encrypted; name certificate, "+
				"key and CA for peers ('fairlead cert' makes them), or, in a network that you trust, set insecure to true", name, addr))
		}
	}
	if c.Listen != "" {
		if err := checkListen(c.Listen); err != nil {
			bad = append(bad, fmt.Errorf("listen: %w", err))
		}
	}
	return bad
}

// checkPeer takes addresses that one can connect to.
func checkPeer(addr string) error {
	host, _, err := splitAddress(addr)
	if err != nil {
		return err
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		return fmt.Errorf("%q stands for every interface; name the host's own address, which others connect to", addr)
	}
	return nil
}

func checkListen(addr string) error {
	_, _, err := splitAddress(addr)
	return err
}

func splitAddress(addr string) (host string, port uint16, err error) {
	host, p, err := net.SplitHostPort(addr)
	if err != nil || strings.ContainsAny(host, "/?#@ ,=") || strings.Contains(addr, "://") {
		return "", 0, fmt.Errorf("%q is no address; write host:port, such as 10.0.0.1:7401", addr)
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("%q has no port from 1 to 65535; write host:port, such as 10.0.0.1:7401", addr)
	}
	return host, uint16(n), nil
}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// peerURL returns where a peer is, for etcd.
func (c Config) peerURL(addr string) url.URL {
	u := url.URL{Scheme: "http", Host: addr}
	if c.PeerTLS.Set() {
		u.Scheme = "https"
	}
	return u
}

func (c Config) withDefaults() Config {
	if c.Lease == 0 {
		c.Lease = DefaultLease
	}
	if c.Ready == 0 {
		c.Ready = DefaultReady
	}
	if c.quota == 0 {
		c.quota = defaultQuota
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// client returns the TLS of endpoints or peers; nil: none.
func (t TLS) client(of string) (*tls.Config, error) {
	if !t.Set() {
		return nil, nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("reading the CA of the %s: %w", of, err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("there is no certificate in %s; name the PEM file of the CA that signed the %s' certificates", t.CA, of)
		}
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("reading the certificate for the %s: %w", of, err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	return conf, nil
}
