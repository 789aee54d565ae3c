package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Store says where controllers keep what must last, and agree on who leads which pool.
// Without Peers and Endpoints a controller is a cluster of its own.
type Store struct {
	// Peers are the controllers of a cluster, this one too: where the store of each listens
	// for the others.
	Peers  []Peer
	Listen string // where this one's does; empty: at its address in Peers
	Join   bool   // this one is new to a cluster that runs

	Endpoints []string // of an etcd that exists; then there are no Peers

	TLS   TLS           // of peers, or of endpoints
	Lease time.Duration // how long a controller leads after its last word to the store
}

// Peer is one controller of a cluster.
type Peer struct{ Name, Address string }

// DefaultControllerName is what a controller is called that needs no name.
const DefaultControllerName = "controller"

type storeDraft struct {
	section   value[struct{}]
	peers     value[[]entry[address]]
	listen    value[address]
	join      value[bool]
	endpoints value[[]value[address]]
	tls       tlsDraft
	lease     value[time.Duration]
}

func (d *decoder) store(s *storeDraft) reader {
	return func(n ast.Node, at where) {
		s.section.at, s.section.given = at, true
		s.section.broken = n == nil || !d.section(n, at, keys{
			"peers":     mapping(d, &s.peers, controllerName, text(peerAddress)),
			"listen":    scalar(d, &s.listen, text(listenAddress)),
			"join":      scalar(d, &s.join, yesOrNo),
			"endpoints": list(d, &s.endpoints, d.endpoint),
			"tls":       d.tls(&s.tls),
			"lease":     scalar(d, &s.lease, wholeSeconds(time.Minute, "say how long a controller leads after its last word to the store")),
		})
	}
}

func (d *decoder) endpoint(n ast.Node, at where) (value[address], bool) {
	var v value[address]
	scalar(d, &v, text(peerAddress))(n, at)
	return v, !v.broken
}

var controllerNames = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

func controllerName(written string) (string, *complaint) {
	if !controllerNames.MatchString(written) {
		return "", &complaint{fmt.Sprintf("a controller's name has up to 63 letters, digits, dots, dashes and underscores, got %s", quote(written)),
			"give it a name such as a or lb-1"}
	}
	return written, nil
}

// peerAddress reads an address that stores connect to.
func peerAddress(written string) (address, *complaint) {
	a, bad := backendAddress(written)
	if bad != nil {
		bad.Problem = strings.Replace(bad.Problem, "a backend's", "an", 1)
	}
	return a, bad
}

func (s *storeDraft) store() Store {
	st := Store{
		Join: s.join.or(false), Lease: s.lease.or(0),
		TLS: TLS{Cert: s.tls.cert.or(""), Key: s.tls.key.or(""), CA: s.tls.ca.or("")},
	}
	for _, p := range s.peers.got {
		st.Peers = append(st.Peers, Peer{p.name, p.value.got.String()})
	}
	slices.SortFunc(st.Peers, func(a, b Peer) int { return strings.Compare(a.Name, b.Name) })
	if s.listen.good() {
		st.Listen = s.listen.got.String()
	}
	for _, e := range s.endpoints.got {
		st.Endpoints = append(st.Endpoints, e.got.String())
	}
	return st
}

// checkStore holds the parts of the store's section against one another.
func (d *decoder) checkStore(c *controllerDraft) {
	s := &c.store
	if !s.section.good() {
		return
	}
	peers, endpoints := s.peers.given, s.endpoints.given
	switch {
	case peers && endpoints:
		d.report(s.endpoints.at, complaint{"names an etcd that exists, and peers make one", "remove one of the two"})
	case endpoints && len(s.endpoints.got) == 0 && !s.endpoints.broken:
		d.report(s.endpoints.at, complaint{"is empty", "name the etcd's addresses, host:port"})
	case peers && len(s.peers.got) == 0 && !s.peers.broken:
		d.report(s.peers.at, complaint{"is empty", "name every controller of the cluster, this one too, with the address of its store"})
	}
	if !peers {
		for _, only := range []struct {
			key   string
			given bool
			at    where
		}{{"listen", s.listen.given, s.listen.at}, {"join", s.join.given, s.join.at}} {
			if only.given {
				d.report(only.at, complaint{"is for a cluster of controllers, and there is no list of peers", "add peers, or remove the key"})
			}
		}
	}
	if name := c.name.or(DefaultControllerName); peers && !s.peers.broken && !c.name.broken &&
		!slices.ContainsFunc(s.peers.got, func(p entry[address]) bool { return p.name == name }) {
		d.report(s.peers.at, complaint{fmt.Sprintf("does not name this controller, %q", name),
			"add it, or set controller.name to the name that it has there"})
	}
	d.checkStoreOpen(c)
}

// checkStoreOpen refuses to speak to other hosts in plain text, unless the file says so.
func (d *decoder) checkStoreOpen(c *controllerDraft) {
	s := &c.store
	if c.insecure.or(false) || c.insecure.broken || s.tls.section.given || s.peers.given && c.tls.section.given {
		return
	}
	const fix = "give certificates with controller.store.tls, or, in a network that you trust, set controller.insecure to true"
	open := func(v value[address]) {
		if v.good() && !v.got.loopback() {
			d.report(v.at, complaint{fmt.Sprintf("%s is on another host, and what stores say would be neither encrypted nor checked", v.got), fix})
		}
	}
	for _, p := range s.peers.got {
		open(p.value)
	}
	for _, e := range s.endpoints.got {
		open(e)
	}
	open(s.listen)
}
