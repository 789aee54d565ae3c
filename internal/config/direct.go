package config

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/fairlead/fairlead/internal/fleet"
)

// assign reads how a pool assigns.
func assign(n ast.Node) (fleet.Assign, *complaint) {
	all := []fleet.Assign{fleet.AssignNone, fleet.AssignNotify, fleet.AssignConfirm}
	var words []string
	for _, a := range all {
		words = append(words, a.String())
	}
	word, bad := oneOf("assign", words)(n)
	for _, a := range all {
		if a.String() == word {
			return a, bad
		}
	}
	return fleet.AssignNone, bad
}

// publicAddress is where clients reach a backend: a scheme, or none, and an address.
type publicAddress struct {
	scheme string // http, https or empty
	at     string // host:port
}

func (a publicAddress) String() string {
	if a.scheme == "" {
		return a.at
	}
	return a.scheme + "://" + a.at
}

// PublicAddress returns a public address in normal form. It fails when no client could
// connect to it.
func PublicAddress(written string) (string, error) {
	a, bad := public(written)
	if bad != nil {
		return "", fmt.Errorf("%s; %s", bad.Problem, bad.Fix)
	}
	return a.String(), nil
}

// public reads a public address.
func public(written string) (publicAddress, *complaint) {
	if !strings.Contains(written, "://") {
		return publicAt("", written)
	}
	u, err := url.Parse(written)
	fix := "write https://host:port, http://host:port or host:port"
	switch {
	case err != nil:
		return publicAddress{}, badAddress("must be a URL of scheme, host and port", written, fix)
	case u.Scheme != "http" && u.Scheme != "https":
		return publicAddress{}, badAddress("the scheme must be http or https", written, fix)
	case u.User != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(written, "#"):
		return publicAddress{}, badAddress("must be a URL of scheme, host and port alone", written, fix)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	host := u.Host
	if u.Port() == "" {
		host = strings.TrimSuffix(host, ":") + ":" + port
	}
	return publicAt(u.Scheme, host)
}

// publicAt reads a public address without its scheme.
func publicAt(scheme, written string) (publicAddress, *complaint) {
	a, bad := backendAddress(written)
	if bad != nil {
		return publicAddress{}, bad
	}
	if strings.Contains(a.host, "%") {
		return publicAddress{}, badAddress("a public address cannot name an interface", written,
			"write an address without %, which means the same on every host")
	}
	return publicAddress{scheme, a.String()}, nil
}

// checkAssign holds what is said of assignments against each other.
func (d *decoder) checkAssign(p *poolDraft) {
	if p.assignTime.good() && !p.assign.broken && p.assign.or(fleet.AssignNone) == fleet.AssignNone {
		d.report(p.assignTime.at, complaint{"has no meaning for a pool that does not assign",
			"set assign to notify or confirm, or remove the key"})
	}
}

// checkDirect holds what is said of links and tickets against each other. tcp tells
// whether a TCP listener leads to the pool.
func (d *decoder) checkDirect(p *poolDraft, tcp bool) {
	if p.link.broken {
		return
	}
	direct := p.link.or(Proxied) == Direct
	if direct && p.tickets.good() && !p.tickets.got {
		d.report(p.tickets.at, complaint{"a pool with direct links has tickets: without them anyone could come to its backends",
			"remove the key, or set link to proxied"})
	}
	if p.ticketLife.good() && !direct && !p.tickets.broken && !p.tickets.or(false) {
		d.report(p.ticketLife.at, complaint{"has no meaning for a pool without tickets", "set tickets to true, or remove the key"})
	}
	for _, b := range p.backends.got {
		switch {
		case !b.public.good():
		case !direct:
			d.report(b.public.at, complaint{"has no meaning for a pool whose links are proxied", "set link to direct, or remove the key"})
		case tcp && b.public.got.scheme != "":
			d.report(b.public.at, complaint{
				fmt.Sprintf("a listener that speaks tcp leads to the pool, and %s is a URL", b.public.got), "write host:port"})
		}
	}
}
