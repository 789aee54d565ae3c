package locate

import (
	"cmp"
	"math"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

const (
	serverTTL  = 3600 // seconds, of what never changes
	maxRecords = 8    // addresses of one proxy
)

// zoneFile is what DNS answers say that does not change.
type zoneFile struct {
	domain       string     // fully qualified
	ttl          uint32     // seconds
	server       netip.Addr // the name server's; not valid: not known
	withoutHTTPS bool
}

func newZoneFile(c Config) zoneFile {
	z := zoneFile{
		domain: dns.Fqdn(c.Locate.Domain), withoutHTTPS: c.WithoutHTTPS,
		ttl: uint32(min(max(c.Locate.TTL/time.Second, 1), math.MaxInt32)),
	}
	if host, _, err := net.SplitHostPort(c.Locate.DNS); err == nil {
		if ip, err := netip.ParseAddr(host); err == nil && !ip.IsUnspecified() && ip.Zone() == "" {
			z.server = ip.Unmap()
		}
	}
	return z
}

func (z zoneFile) head(name string, kind uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: z.ttl}
}

// soa says in its last field how long to remember that there is nothing. The serial stays:
// nobody may copy the domain, so nobody compares it.
func (z zoneFile) soa(name string) dns.RR {
	return &dns.SOA{
		Hdr: z.head(name, dns.TypeSOA), Ns: serverLabel + "." + z.domain, Mbox: "hostmaster." + z.domain,
		Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: z.ttl,
	}
}

// address returns an A or AAAA record.
func (z zoneFile) address(name string, ip netip.Addr) dns.RR {
	if ip.Is4() {
		return &dns.A{Hdr: z.head(name, dns.TypeA), A: ip.AsSlice()}
	}
	return &dns.AAAA{Hdr: z.head(name, dns.TypeAAAA), AAAA: ip.AsSlice()}
}

// addresses returns those of some addresses that a type asks for.
func (z zoneFile) addresses(name string, kind uint16, ips []netip.Addr) (rrs []dns.RR) {
	for _, ip := range ips {
		if kind == dns.TypeA && ip.Is4() || kind == dns.TypeAAAA && ip.Is6() {
			rrs = append(rrs, z.address(name, ip))
		}
	}
	return rrs[:min(len(rrs), maxRecords)]
}

// target returns the name at which clients find a chosen proxy.
func (z zoneFile) target(p *pick) string {
	if p.at.host != "" {
		return dns.Fqdn(p.at.host)
	}
	return p.label + "." + proxyLabel + "." + z.domain
}

// fill puts into m what there is of the type that was asked for. chosen says that proxies
// were chosen for the client, or none could be.
func (l *Locator) fill(m *dns.Msg, f found, client, from netip.Addr) (chosen bool) {
	ask := m.Question[0]
	switch f.kind {
	case isDomain:
		l.fillDomain(m, ask)
	case isServer:
		m.Answer = l.dns.addresses(ask.Name, ask.Qtype, f.addrs)
		for _, rr := range m.Answer {
			rr.Header().Ttl = serverTTL
		}
	case isProxy:
		m.Answer = l.dns.addresses(ask.Name, ask.Qtype, f.addrs)
	case isListener, isService:
		return l.fillChosen(m, f, client, from)
	}
	return false
}

func (l *Locator) fillDomain(m *dns.Msg, ask dns.Question) {
	switch ask.Qtype {
	case dns.TypeSOA:
		m.Answer = []dns.RR{l.dns.soa(ask.Name)}
	case dns.TypeNS:
		ns := &dns.NS{Hdr: l.dns.head(ask.Name, dns.TypeNS), Ns: serverLabel + "." + l.dns.domain}
		ns.Hdr.Ttl = serverTTL
		m.Answer = []dns.RR{ns}
		if l.dns.server.IsValid() {
			glue := l.dns.address(ns.Ns, l.dns.server)
			glue.Header().Ttl = serverTTL
			m.Extra = []dns.RR{glue}
		}
	}
}

// fillChosen answers with proxies that are chosen for the client, where the type that was
// asked for can name them.
func (l *Locator) fillChosen(m *dns.Msg, f found, client, from netip.Addr) bool {
	ask := m.Question[0]
	q := query{listener: f.info.Name, client: client}
	switch {
	case f.kind == isService && ask.Qtype == dns.TypeSRV:
	case f.kind == isListener && ask.Qtype == dns.TypeHTTPS && f.info.HTTP && !l.dns.withoutHTTPS:
	case f.kind == isListener && ask.Qtype == dns.TypeA:
		q.need = v4
	case f.kind == isListener && ask.Qtype == dns.TypeAAAA:
		q.need = v6
	default:
		return false
	}
	q.count = l.counted(from)
	r := l.choose(&q)
	l.note(r)
	for i := range r.picks {
		l.dns.add(m, i, r.picks)
	}
	return true
}

// note counts a choice over DNS, and tells once that a proxy cannot be told of.
func (l *Locator) note(r result) {
	switch {
	case len(r.picks) > 0:
		l.meters.chose(doorDNS, resultChosen)
	case r.unfit:
		l.meters.chose(doorDNS, resultUnfit)
	default:
		l.meters.chose(doorDNS, resultNone)
	}
	if r.named != "" {
		l.named.Do(func() {
			l.log.Warn("a proxy's address is a host name, so A and AAAA answers leave the proxy out; "+
				"start it with --advertise and an IP address, or have clients ask for SRV", "proxy", r.named)
		})
	}
}

// add adds the i-th of the chosen proxies to m.
func (z zoneFile) add(m *dns.Msg, i int, picks []pick) {
	ask, p := m.Question[0], &picks[i]
	rank := uint16(i + 1)
	switch ask.Qtype {
	case dns.TypeA, dns.TypeAAAA:
		same := func(o pick) bool { return o.at.ip == p.at.ip } // at another port
		if !slices.ContainsFunc(picks[:i], same) {
			m.Answer = append(m.Answer, z.address(ask.Name, p.at.ip))
		}
	case dns.TypeSRV:
		m.Answer = append(m.Answer, &dns.SRV{
			Hdr: z.head(ask.Name, dns.TypeSRV), Priority: rank, Weight: weight(p.load, picks[0].load),
			Port: p.at.port, Target: z.target(p),
		})
		if p.at.ip.IsValid() {
			m.Extra = append(m.Extra, z.address(z.target(p), p.at.ip))
		}
	case dns.TypeHTTPS:
		m.Answer = append(m.Answer, &dns.HTTPS{SVCB: dns.SVCB{
			Hdr: z.head(ask.Name, dns.TypeHTTPS), Priority: rank, Target: z.target(p), Value: params(p),
		}})
	}
}

// weight is for clients that do not heed priorities: 100 for the best.
func weight(load, best float64) uint16 {
	return uint16(cmp.Or(math.Round(100*best/load), 1))
}

func params(p *pick) []dns.SVCBKeyValue {
	all := []dns.SVCBKeyValue{&dns.SVCBPort{Port: p.at.port}}
	switch {
	case p.at.ip.Is4():
		all = append(all, &dns.SVCBIPv4Hint{Hint: []net.IP{p.at.ip.AsSlice()}})
	case p.at.ip.Is6():
		all = append(all, &dns.SVCBIPv6Hint{Hint: []net.IP{p.at.ip.AsSlice()}})
	}
	return all
}
