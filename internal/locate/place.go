package locate

import (
	"crypto/sha256"
	"encoding/base32"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// place is where a proxy serves a listener.
type place struct {
	text string     // host:port
	host string     // a host name, if ip is not valid
	ip   netip.Addr // not valid: host is a name
	port uint16
	ok   bool // clients can be told of it
}

// good tells whether a client that needs an address of a family can use it.
func (p *place) good(f family) bool {
	switch f {
	case v4:
		return p.ip.Is4()
	case v6:
		return p.ip.Is6()
	}
	return true
}

// parsePlace reads host:port. Addresses that mean something on one host alone are not ok.
func parsePlace(text string) place {
	p := place{text: text}
	host, portText, err := net.SplitHostPort(text)
	if err != nil {
		return p
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 {
		return p
	}
	p.port = uint16(port)
	if ip, err := netip.ParseAddr(host); err == nil {
		p.ip = ip.Unmap()
		p.ok = !p.ip.IsUnspecified() && !p.ip.IsMulticast() && p.ip.Zone() == ""
		return p
	}
	p.host, p.ok = host, isHostName(host)
	return p
}

// isHostName tells whether DNS can have a host of that name, without a dot at the end.
func isHostName(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return false
		}
	}
	return true
}

// hashed begins the labels that stand for names which cannot be labels.
const hashed = "h-"

// labelOf returns the label that a proxy has in DNS: its name, if that is a host label in
// lower case; else a hash of it. Different names have different labels, so a name in
// upper case is hashed too, as is one that looks as if it had been.
func labelOf(name string) string {
	if isHostName(name) && !strings.ContainsAny(name, "._") && strings.ToLower(name) == name && !strings.HasPrefix(name, hashed) {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return hashed + strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
}
