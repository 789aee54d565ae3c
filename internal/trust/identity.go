// Package trust is who may speak to whom. Each part of a fleet has a certificate, which
// names one role and one name; all are signed by the fleet's own CA, and both sides of a
// connection check the other's. It is TLS 1.3 or nothing.
//
// An identity is a URI in the certificate, and the only one in it:
//
//	spiffe://fairlead/controller/c1
//	spiffe://fairlead/proxy/p1                      the proxy's name
//	spiffe://fairlead/agent/render/10.0.0.5:8080    one backend of a pool
//	spiffe://fairlead/agent/render/*                every backend of a pool
//	spiffe://fairlead/operator/alice
//	spiffe://fairlead/client/shop
//
// Certificates may be replaced while the program runs: the files are looked at again when
// somebody connects. Connections that are open go on, even if their certificate has ended
// or its CA is trusted no more; end them to have them checked again.
package trust

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Role is what the holder of a certificate does in the fleet.
type Role string

// The roles.
const (
	Controller Role = "controller"
	Proxy      Role = "proxy"
	Agent      Role = "agent"
	Operator   Role = "operator"
	Client     Role = "client"
)

// What the URI of an identity begins with.
const (
	scheme = "spiffe"
	domain = "fairlead"
)

// maxName bounds a name, in bytes.
const maxName = 255

// allOfPool stands for every backend of an agent's pool.
const allOfPool = "*"

// pools are the names that a pool may have; config has the same rule.
var pools = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// Identity is who holds a certificate. The name of an agent is POOL/HOST:PORT, or POOL/*
// for every backend of the pool.
type Identity struct {
	Role Role
	Name string // 1 to 255 bytes of visible ASCII
}

// String returns role and name, with a slash between.
func (i Identity) String() string { return string(i.Role) + "/" + i.Name }

// URI returns what stands in the certificate. Slashes and stars of the name stand as they
// are, and what a path may not hold is escaped.
func (i Identity) URI() *url.URL {
	path := "/" + i.String()
	segments := strings.Split(path, "/")
	for n, s := range segments {
		segments[n] = strings.ReplaceAll(url.PathEscape(s), "%2A", "*")
	}
	return &url.URL{Scheme: scheme, Host: domain, Path: path, RawPath: strings.Join(segments, "/")}
}

// Check returns nil if the role is one and the name fits it, or else what to change.
func (i Identity) Check() error {
	switch i.Role {
	case Controller, Proxy, Agent, Operator, Client:
	default:
		return fmt.Errorf("there is no role %q; use controller, proxy, agent, operator or client", i.Role)
	}
	if i.Name == "" || len(i.Name) > maxName || strings.ContainsFunc(i.Name, invisible) {
		return fmt.Errorf("the name %q of the %s is not good; use 1 to %d visible ASCII characters", i.Name, i.Role, maxName)
	}
	if i.Role != Agent {
		return nil
	}
	pool, address, _ := strings.Cut(i.Name, "/")
	if !pools.MatchString(pool) || address != allOfPool && !isAddress(address) {
		return fmt.Errorf("the name %q of the agent is not good; write POOL/HOST:PORT for one backend, or POOL/* for all of the pool", i.Name)
	}
	return nil
}

func invisible(r rune) bool { return r <= ' ' || r > '~' }

// IdentityOf returns whom a certificate names. It does not tell whether the certificate is
// genuine. The error says what is wrong with it.
func IdentityOf(cert *x509.Certificate) (Identity, error) {
	switch len(cert.URIs) {
	case 0:
		return Identity{}, fmt.Errorf("the certificate has no URI, and so names nobody; issue one with %s://%s/ROLE/NAME", scheme, domain)
	case 1:
		return parse(cert.URIs[0])
	}
	return Identity{}, fmt.Errorf("the certificate has %d URIs, and it is not clear whom it names; issue one with a single URI", len(cert.URIs))
}

// parse reads the URI of a certificate.
func parse(u *url.URL) (Identity, error) {
	if u.Scheme != scheme || u.Host != domain || u.User != nil || u.Opaque != "" ||
		u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return Identity{}, notOurs(u)
	}
	role, name, ok := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if !ok {
		return Identity{}, notOurs(u)
	}
	id := Identity{Role(role), name}
	if err := id.Check(); err != nil {
		return Identity{}, fmt.Errorf("the certificate's URI: %w", err)
	}
	return id, nil
}

func notOurs(u *url.URL) error {
	return fmt.Errorf("the certificate's URI %q is not of the form %s://%s/ROLE/NAME; issue one that is", u.Redacted(), scheme, domain)
}

// MayReport returns nil if the holder may speak for a backend, whose address is host:port,
// or else why not. Only agents may.
func (i Identity) MayReport(pool, address string) error {
	if i.Role != Agent {
		return fmt.Errorf("the certificate is of %s, and only an agent speaks for a backend", i)
	}
	itsPool, itsAddress, _ := strings.Cut(i.Name, "/")
	if itsPool != pool {
		return fmt.Errorf("the certificate is of %s, which may not speak for a backend of pool %q; "+
			"issue one for %s/%s", i, pool, pool, address)
	}
	if itsAddress == allOfPool {
		return nil
	}
	its, err := normal(itsAddress)
	if err != nil {
		return fmt.Errorf("the certificate is of %s, which names no backend: %w", i, err)
	}
	asked, err := normal(address)
	if err != nil {
		return fmt.Errorf("the backend's address %q is not good: %w", address, err)
	}
	if its != asked {
		return fmt.Errorf("the certificate is of %s, which may not speak for %s; issue one for %s/%s, or for %s/* to cover all of the pool",
			i, address, pool, address, pool)
	}
	return nil
}

func isAddress(s string) bool {
	_, err := normal(s)
	return err == nil
}

var errAddress = errors.New("it is not host:port")

// normal returns an address so that two spellings of it come out as one.
func normal(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || strings.ContainsAny(host, "/*") {
		return "", errAddress
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", errAddress
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.Unmap().String()
	} else {
		host = strings.ToLower(strings.TrimSuffix(host, "."))
	}
	return net.JoinHostPort(host, strconv.FormatUint(n, 10)), nil
}
