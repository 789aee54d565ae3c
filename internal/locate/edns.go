package locate

import (
	"errors"
	"net"
	"net/netip"

	"github.com/miekg/dns"
)

// Sizes of DNS messages, in bytes.
const (
	headSize    = 12
	plainSize   = 512  // of an answer over UDP, without EDNS0
	largestSize = 1232 // of an answer over UDP: no network fragments it
	tcpSize     = 65535
)

// extension is what a query says by EDNS0.
type extension struct {
	opt    *dns.OPT // nil: it does not speak EDNS0
	subnet *dns.EDNS0_SUBNET
	client netip.Addr // of the subnet; not valid: it says none
}

var (
	errTwoOPT = errors.New("it has more than one OPT record")
	errSubnet = errors.New("its client subnet is malformed")
)

// extensionOf reads the EDNS0 of a query.
func extensionOf(q *dns.Msg) (extension, error) {
	var e extension
	for _, rr := range q.Extra {
		opt, ok := rr.(*dns.OPT)
		if !ok {
			continue
		}
		if e.opt != nil {
			return e, errTwoOPT
		}
		e.opt = opt
	}
	if e.opt == nil || e.opt.Version() != 0 {
		return e, nil
	}
	for _, o := range e.opt.Option {
		s, ok := o.(*dns.EDNS0_SUBNET)
		if !ok {
			continue
		}
		client, err := clientOf(s)
		if err != nil || e.subnet != nil {
			return e, errSubnet
		}
		e.subnet, e.client = s, client
	}
	return e, nil
}

// clientOf returns the address of a client subnet, or the zero Addr where it has none.
func clientOf(s *dns.EDNS0_SUBNET) (netip.Addr, error) {
	if s.SourceScope != 0 {
		return netip.Addr{}, errSubnet
	}
	a, ok := netip.AddrFromSlice(s.Address)
	if ok && s.Family == 1 {
		a = a.Unmap()
	}
	if s.SourceNetmask == 0 || !ok {
		return netip.Addr{}, nil // the client does not want to say
	}
	p, err := a.Prefix(int(s.SourceNetmask))
	if err != nil || p.Addr() != a {
		return netip.Addr{}, errSubnet
	}
	return a, nil
}

// size returns how long an answer over UDP may be.
func (e extension) size() int {
	if e.opt == nil {
		return plainSize
	}
	return min(max(int(e.opt.UDPSize()), plainSize), largestSize)
}

// answer adds to m what a query with EDNS0 is owed. byZone says that the answer depends
// on where the client is.
func (e extension) answer(m *dns.Msg, byZone bool) {
	if e.opt == nil {
		return
	}
	opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
	opt.SetUDPSize(largestSize)
	if e.opt.Do() {
		opt.SetDo()
	}
	if e.subnet != nil {
		s := &dns.EDNS0_SUBNET{
			Code: dns.EDNS0SUBNET, Family: e.subnet.Family,
			SourceNetmask: e.subnet.SourceNetmask, Address: append(net.IP(nil), e.subnet.Address...),
		}
		if byZone {
			s.SourceScope = s.SourceNetmask
		}
		opt.Option = append(opt.Option, s)
	}
	m.Extra = append(m.Extra, opt)
}

// fit packs an answer in at most size bytes. Addresses beside it are dropped first, the
// last ones before others; if that is not enough the answer is truncated to nothing.
func fit(m *dns.Msg, size int) ([]byte, error) {
	for m.Len() > size {
		i := lastGlue(m.Extra)
		if i < 0 {
			break
		}
		m.Extra = append(m.Extra[:i], m.Extra[i+1:]...)
	}
	wire, err := m.Pack()
	if err != nil || len(wire) <= size {
		return wire, err
	}
	m.Truncated, m.Answer, m.Ns = true, nil, nil
	return m.Pack()
}

func lastGlue(extra []dns.RR) int {
	for i := len(extra) - 1; i >= 0; i-- {
		if extra[i].Header().Rrtype != dns.TypeOPT {
			return i
		}
	}
	return -1
}

// brief returns an answer of a head alone to a query, with an rcode below 16.
func brief(query []byte, rcode int) []byte {
	head := make([]byte, headSize)
	copy(head, query[:2])          // ID
	head[2] = 0x80 | query[2]&0x79 // an answer; the opcode and RD of the query
	head[3] = byte(rcode) & 0x0f   // nothing else
	return head
}

// curtail returns an answer that says nothing but to come over TCP, and that is no longer
// than the query; nil if the query has not one question that can be told.
func curtail(query []byte) []byte {
	end := questionEnd(query)
	if end == 0 {
		return nil
	}
	const truncated = 0x02
	m := make([]byte, end)
	copy(m, brief(query, dns.RcodeSuccess))
	m[2] |= truncated
	m[5] = 1 // question
	copy(m[headSize:], query[headSize:end])
	return m
}

// questionEnd returns where a query's one question ends; 0: it has none that can be read.
func questionEnd(query []byte) int {
	if len(query) < headSize || query[2]>>3&15 != dns.OpcodeQuery || query[4] != 0 || query[5] != 1 {
		return 0
	}
	const maxLabel, maxName = 63, 255
	i := headSize
	for i < len(query) && query[i] != 0 {
		if query[i] > maxLabel {
			return 0
		}
		i += 1 + int(query[i])
	}
	i++ // the root
	if i-headSize > maxName || i+4 > len(query) {
		return 0
	}
	return i + 4 // type and class
}
