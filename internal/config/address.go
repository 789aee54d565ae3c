package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// address is a host and a port in normal form: host names in lower case without a
// trailing dot, IP addresses as netip writes them.
type address struct {
	host string // empty: all interfaces
	port int
}

func (a address) String() string { return net.JoinHostPort(a.host, strconv.Itoa(a.port)) }

// BackendAddress returns a backend's address in normal form, so that two spellings of
// one backend come out as one name. It fails when nobody could connect to it.
func BackendAddress(written string) (string, error) {
	a, bad := backendAddress(written)
	if bad != nil {
		return "", fmt.Errorf("%s; %s", bad.Problem, bad.Fix)
	}
	return a.String(), nil
}

// backendAddress reads an address to connect to.
func backendAddress(written string) (address, *complaint) {
	a, bad := listenAddress(written)
	if bad != nil {
		return address{}, bad
	}
	ip, err := netip.ParseAddr(a.host)
	switch {
	case a.host == "":
		return address{}, badAddress("a backend's address needs a host", written, "write the host before the colon")
	case err == nil && ip.IsUnspecified():
		return address{}, badAddress("must be an address to connect to", written,
			"name the host's own address; this one stands for every interface of a host that listens")
	case a.port == 0:
		return address{}, badAddress("a backend's port must be from 1 to 65535", written, "write the port on which it listens")
	}
	return a, nil
}

func badAddress(problem, written, fix string) *complaint {
	return &complaint{fmt.Sprintf("%s, got %s", problem, quote(written)), fix}
}

// listenAddress reads an address to listen on.
func listenAddress(written string) (address, *complaint) {
	host, port, bad := splitAddress(written)
	if bad != nil {
		return address{}, bad
	}
	a := address{}
	var ok bool
	if a.port, ok = portNumber(port); !ok {
		return address{}, badAddress("the port must be a number from 0 to 65535", written, "write host:port, such as 127.0.0.1:8080")
	}
	if host == "" {
		return a, nil
	}
	if a.host, bad = normalHost(host, written); bad != nil {
		return address{}, bad
	}
	return a, nil
}

func splitAddress(written string) (host, port string, bad *complaint) {
	switch colons := strings.Count(written, ":"); {
	case strings.Contains(written, "://"):
		return "", "", badAddress("must be host:port, not a URL", written, "leave out what stands before the host and after the port")
	case strings.HasPrefix(written, "["):
		host, port, found := strings.Cut(written[1:], "]:")
		ip, err := netip.ParseAddr(host)
		if !found || err != nil || !ip.Is6() {
			return "", "", badAddress("must be an IPv6 address in brackets, and a port", written, `write it as in "[::1]:8080"`)
		}
		return host, port, nil
	case colons == 0:
		return "", "", badAddress("has no port", written, "write host:port, such as 127.0.0.1:8080")
	case colons > 1:
		return "", "", badAddress("has more than one colon", written, `put an IPv6 address in brackets, as in "[::1]:8080"`)
	}
	host, port, _ = strings.Cut(written, ":")
	if host == "*" {
		return "", "", badAddress("a star is not a host", written, `leave the host out for all interfaces, as in ":8080"`)
	}
	return host, port, nil
}

func portNumber(s string) (int, bool) {
	if s == "" || len(s) > 5 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n <= 65535
}

func normalHost(host, written string) (string, *complaint) {
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.Zone() != "" && !names.MatchString(ip.Zone()) { // which may be any text at all
			return "", badAddress("what follows the % must be the name of an interface", written, `write it as in "[fe80::1%eth0]:8080"`)
		}
		return ip.Unmap().String(), nil
	}
	name, ok := hostName(host)
	if !ok {
		return "", badAddress("the host must be an IP address or a host name", written, "check its spelling")
	}
	return name, nil
}

// hostName returns a host name in normal form. A last label of digits would make it
// look like an IP address, and resolvers differ in what they make of that.
func hostName(s string) (string, bool) {
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" ||
			l[0] == '-' || l[len(l)-1] == '-' {
			return "", false
		}
	}
	last := labels[len(labels)-1]
	return s, len(s) <= 253 && strings.Trim(last, "0123456789") != ""
}

// loopback tells whether only the same host can reach the address.
func (a address) loopback() bool {
	ip, err := netip.ParseAddr(a.host)
	return a.host == "localhost" || err == nil && ip.IsLoopback()
}

// overlaps tells whether one process cannot listen on both addresses. Port 0 is a new
// port each time.
func (a address) overlaps(b address) bool {
	if a.port != b.port || a.port == 0 {
		return false
	}
	return a.covers(b) || b.covers(a)
}

// covers tells whether a's host stands for b's too. A host name may resolve to
// anything, so either wildcard covers it.
func (a address) covers(b address) bool {
	switch a.host {
	case b.host, "", "::":
		return true
	case "0.0.0.0":
		return !strings.Contains(b.host, ":")
	case "localhost":
		return b.host == "127.0.0.1" || b.host == "::1"
	}
	return false
}
