// Package forwarded tells who a client is by what trusted peers say of it in X-Forwarded-For.
package forwarded

import (
	"fmt"
	"net/netip"
	"strings"
)

// maxHops bounds how many addresses are looked at.
const maxHops = 100

// Trusted are the networks whose word is taken. Nil: nobody's is.
type Trusted []netip.Prefix

// Networks reads networks as the wire has them.
func Networks(texts []string) (Trusted, error) {
	var all Trusted
	for _, s := range texts {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("trusted: %w", err)
		}
		all = append(all, p)
	}
	return all, nil
}

// Has tells whether an address is in one of the networks.
func (t Trusted) Has(a netip.Addr) bool {
	if len(t) == 0 {
		return false
	}
	a = a.Unmap().WithZone("")
	for _, p := range t {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Client returns who a request is from, given its peer and the values of its X-Forwarded-For
// fields, in their order. Each trusted hop has written to the right whom it got the request
// from, so the list is read from there: the client is the first address that is not
// trusted, as what is left of it is the client's own word. If all are trusted it is the
// leftmost one. What is no address ends the list: what is left of it may be anybody's word.
// The port is 0 where it is not known.
func (t Trusted) Client(peer netip.AddrPort, values []string) netip.AddrPort {
	client := peer
	hops := 0
	for i := len(values) - 1; i >= 0; i-- {
		for rest, more := values[i], true; more; hops++ {
			var entry string
			rest, entry, more = last(rest)
			hop, ok := address(entry)
			if hops >= maxHops || !ok || !t.Has(client.Addr()) {
				return client
			}
			client = hop
		}
	}
	return client
}

// last cuts the last entry off a list. more: there are others.
func last(list string) (rest, entry string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", list, false
	}
	return list[:i], list[i+1:], true
}

// address reads an entry: an address, perhaps with a port, or with brackets.
func address(entry string) (netip.AddrPort, bool) {
	entry = strings.Trim(entry, " \t")
	a, err := netip.ParseAddr(entry)
	if err == nil {
		return clean(netip.AddrPortFrom(a, 0))
	}
	if inside, ok := strings.CutPrefix(entry, "["); ok {
		if inside, ok = strings.CutSuffix(inside, "]"); ok {
			a, err = netip.ParseAddr(inside)
			at, good := clean(netip.AddrPortFrom(a, 0))
			return at, good && err == nil && a.Is6()
		}
	}
	at, err := netip.ParseAddrPort(entry)
	if err != nil {
		return netip.AddrPort{}, false
	}
	return clean(at)
}

// clean returns an address as others are compared with it. One with a zone means something on
// one host alone.
func clean(at netip.AddrPort) (netip.AddrPort, bool) {
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), at.Addr().IsValid() && at.Addr().Zone() == "" && !at.Addr().IsUnspecified()
}
