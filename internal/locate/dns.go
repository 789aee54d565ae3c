package locate

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/fairlead/fairlead/internal/fleet"
)

// answerQuery answers a DNS message; nil: it gets no answer. It is called from many
// goroutines.
func (l *Locator) answerQuery(wire []byte, from netip.Addr, udp bool) []byte {
	switch {
	case len(wire) < headSize:
		return l.refuse(nil, reasonFormat, from, "a message without a head")
	case wire[2]&0x80 != 0:
		return l.refuse(nil, reasonResponse, from, "an answer that was not asked for") // and an answer to it could go on forever
	}
	if udp {
		switch l.asks.take(prefixOf(from), l.since()) {
		case curtailed:
			return l.refuse(curtail(wire), reasonTruncated, from, "too many queries; answered that it should use TCP")
		case ignored:
			return l.refuse(nil, reasonIgnored, from, "too many queries; not answered")
		}
	}
	if wire[2]>>3&15 != dns.OpcodeQuery {
		return l.refuse(brief(wire, dns.RcodeNotImplemented), reasonOpcode, from, "not a query")
	}
	q, e, err := readQuery(wire)
	if err != nil {
		return l.refuse(brief(wire, dns.RcodeFormatError), reasonFormat, from, err.Error())
	}
	m, byZone := l.reply(q, e, from)
	e.answer(m, byZone)
	size := tcpSize
	if udp {
		size = e.size()
	}
	out, err := fit(m, size)
	if err != nil {
		return l.refuse(brief(wire, dns.RcodeServerFailure), reasonInternal, from, err.Error())
	}
	return out
}

// refuse notes a refusal and returns what is answered.
func (l *Locator) refuse(wire []byte, why reason, from netip.Addr, about string) []byte {
	l.refused.note(l.now(), why, from, about)
	return wire
}

var (
	errQuestions = errors.New("it has not exactly one question")
	errSections  = errors.New("it has records where a query has none")
)

// readQuery reads a message with one question and nothing else but EDNS0 and a signature,
// which is not checked, and an IXFR's SOA.
func readQuery(wire []byte) (*dns.Msg, extension, error) {
	count := func(i int) int { return int(wire[i])<<8 | int(wire[i+1]) }
	if count(4) != 1 {
		return nil, extension{}, errQuestions
	}
	if count(6) > 0 || count(8) > 1 || count(10) > 2 {
		return nil, extension{}, errSections
	}
	q := new(dns.Msg)
	if err := q.Unpack(wire); err != nil {
		return nil, extension{}, err
	}
	if len(q.Question) != 1 {
		return nil, extension{}, errQuestions
	}
	e, err := extensionOf(q)
	return q, e, err
}

// reply answers a question. byZone says that the answer depends on where the client is.
func (l *Locator) reply(q *dns.Msg, e extension, from netip.Addr) (m *dns.Msg, byZone bool) {
	m = new(dns.Msg)
	m.SetReply(q)
	m.Compress = true
	ask := q.Question[0]
	if rcode, why := l.barred(ask, e); rcode != dns.RcodeSuccess {
		m.Rcode = rcode
		l.refuse(nil, why, from, short(ask.Name))
		return m, false
	}
	m.Authoritative = true
	f := l.find(strings.TrimSuffix(strings.TrimSuffix(dns.CanonicalName(ask.Name), l.dns.domain), "."))
	switch {
	case f.kind == isNothing:
		m.Rcode = dns.RcodeNameError
		l.meters.chose(doorDNS, resultUnknown)
	case ask.Qtype == dns.TypeANY:
		m.Answer = []dns.RR{&dns.HINFO{Hdr: l.dns.head(ask.Name, dns.TypeHINFO), Cpu: "RFC8482"}}
	default:
		client := from
		if e.client.IsValid() {
			client = e.client
		}
		byZone = l.fill(m, f, client, from)
	}
	if len(m.Answer) == 0 {
		m.Ns = []dns.RR{l.dns.soa(l.dns.domain)}
	}
	return m, byZone && e.subnet != nil && !l.zones.empty(e.subnet.Family == 1)
}

// barred returns with which rcode a question is refused, and why; or success.
func (l *Locator) barred(ask dns.Question, e extension) (int, reason) {
	switch {
	case e.opt != nil && e.opt.Version() != 0:
		return dns.RcodeBadVers, reasonVersion
	case ask.Qclass != dns.ClassINET:
		return dns.RcodeRefused, reasonClass
	case !dns.IsSubDomain(l.dns.domain, ask.Name):
		return dns.RcodeRefused, reasonName
	case ask.Qtype == dns.TypeAXFR || ask.Qtype == dns.TypeIXFR:
		return dns.RcodeRefused, reasonTransfer
	}
	return dns.RcodeSuccess, ""
}

// kind is what a name in the domain is.
type kind uint8

const (
	isNothing  kind = iota
	isBetween       // there are names below it, and it has no records
	isDomain        // the domain itself
	isServer        // the name server
	isListener      // LISTENER
	isService       // _LISTENER._tcp
	isProxy         // NAME.proxy
)

// found is what a name stands for.
type found struct {
	kind  kind
	info  fleet.ListenerInfo // of isListener and isService
	addrs []netip.Addr       // of isProxy and isServer
}

// Names in the domain that are always there.
const (
	serverLabel = "fairlead-ns"
	proxyLabel  = "proxy"
	protoLabel  = "_tcp"
)

// find finds what a name stands for: what goes before the domain, in lower case. A
// listener whose name is one of ours cannot be found under its name, but its service can.
func (l *Locator) find(name string) found {
	switch name {
	case "":
		return found{kind: isDomain}
	case serverLabel:
		f := found{kind: isServer}
		if l.dns.server.IsValid() {
			f.addrs = []netip.Addr{l.dns.server}
		}
		return f
	}
	if label, ok := strings.CutSuffix(name, "."+proxyLabel); ok {
		l.chooser.refresh(l.source)
		defer l.chooser.mu.Unlock()
		if addrs, ok := l.chooser.whereIs(label); ok {
			return found{kind: isProxy, addrs: addrs}
		}
		return found{}
	}
	if service, ok := strings.CutSuffix(name, "."+protoLabel); ok && strings.HasPrefix(service, "_") {
		if info, ok := l.listener(service[1:]); ok {
			return found{kind: isService, info: info}
		}
	}
	if info, ok := l.listener(name); ok {
		return found{kind: isListener, info: info}
	}
	if name == proxyLabel || l.between(name) {
		return found{kind: isBetween}
	}
	return found{}
}

// listener finds a listener by its name in lower case.
func (l *Locator) listener(name string) (fleet.ListenerInfo, bool) {
	if info, ok := l.source.Listener(name); ok {
		return info, true
	}
	for _, n := range l.source.Listeners() {
		if len(n) == len(name) && strings.EqualFold(n, name) {
			return l.source.Listener(n)
		}
	}
	return fleet.ListenerInfo{}, false
}

// between tells whether there are names below a name: listeners' names may have dots.
func (l *Locator) between(name string) bool {
	below := "." + name
	for _, n := range l.source.Listeners() {
		if n = strings.ToLower(n); strings.HasSuffix(n, below) || strings.HasSuffix("_"+n+"."+protoLabel, below) {
			return true
		}
	}
	return false
}
