package locate

import (
	"cmp"
	"net"
	"net/netip"
	"slices"

	"github.com/fairlead/fairlead/internal/config"
)

// zoneTable finds the zone of an address: for each length that some subnet has, the
// longest first, it looks whether the address's prefix of that length is a subnet. It is
// not changed once made.
type zoneTable struct {
	zones map[netip.Prefix]string
	bits4 []int // descending
	bits6 []int // descending
}

func newZoneTable(zones []config.Zone) zoneTable {
	t := zoneTable{zones: map[netip.Prefix]string{}}
	for _, z := range zones {
		for _, p := range z.Subnets {
			p = p.Masked()
			if _, taken := t.zones[p]; taken || !p.IsValid() {
				continue
			}
			t.zones[p] = z.Name
			bits := &t.bits6
			if p.Addr().Is4() {
				bits = &t.bits4
			}
			if !slices.Contains(*bits, p.Bits()) {
				*bits = append(*bits, p.Bits())
			}
		}
	}
	descending := func(a, b int) int { return cmp.Compare(b, a) }
	slices.SortFunc(t.bits4, descending)
	slices.SortFunc(t.bits6, descending)
	return t
}

// of returns the zone of an address; empty: none.
func (t zoneTable) of(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	a = a.Unmap().WithZone("")
	all := t.bits6
	if a.Is4() {
		all = t.bits4
	}
	for _, bits := range all {
		if p, err := a.Prefix(bits); err == nil {
			if zone, ok := t.zones[p]; ok {
				return zone
			}
		}
	}
	return ""
}

// empty tells whether no address of a family has a zone.
func (t zoneTable) empty(is4 bool) bool {
	if is4 {
		return len(t.bits4) == 0
	}
	return len(t.bits6) == 0
}

// addrOf returns the IP address of a network address, or the zero Addr.
func addrOf(a net.Addr) netip.Addr {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.AddrPort().Addr().Unmap()
	case *net.UDPAddr:
		return a.AddrPort().Addr().Unmap()
	}
	if at, err := netip.ParseAddrPort(a.String()); err == nil {
		return at.Addr().Unmap()
	}
	return netip.Addr{}
}
