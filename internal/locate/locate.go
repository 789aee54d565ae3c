package locate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

// Bounds of what a request may bring, and of what an error tells.
const (
	maxExclude = 100
	maxDomain  = 180 // characters; with what goes before it, names stay below 255
	maxTold    = 8   // proxies or listeners in one error
)

// Source is what is known of proxies and listeners. It is called from many goroutines,
// for each choice, and must be cheap. It must not call the Locator.
type Source interface {
	// Proxies returns what is known of every proxy; names differ. Neither the caller nor
	// the Source changes what was returned: a Source that has news returns a new slice,
	// and the same one for as long as it has none, which spares much work.
	Proxies() []fleet.ProxyState
	// Listener returns what clients are told of a listener.
	Listener(name string) (fleet.ListenerInfo, bool)
	// Listeners returns the names of all.
	Listeners() []string
}

// Config is what a Locator is made of.
type Config struct {
	Source     Source                // required
	Locate     config.Locate         // Domain and TTL; and DNS, for the name server's own address
	Zones      []config.Zone         // which clients are where; of equal subnets the first counts
	Logger     *slog.Logger          // nil: no log
	Registerer prometheus.Registerer // nil: no metrics

	// WithoutHTTPS leaves HTTPS records out of DNS. A browser that sees one speaks TLS to
	// that name from then on (RFC 9460, section 9.5), so they are for listeners with TLS
	// in front.
	WithoutHTTPS bool
}

// Locator chooses proxies for clients. Its methods may be called from any goroutine.
type Locator struct {
	fairleadv1.UnimplementedLocatorServer

	source  Source
	conf    config.Locate
	zones   zoneTable
	chooser *chooser
	log     *slog.Logger
	meters  meters
	refused *refusals
	asks    *buckets // answers over UDP
	counts  *buckets // answers that count as clients, of strangers
	dns     zoneFile
	now     func() time.Time
	start   time.Time
	named   sync.Once // told that a proxy's address is a host name
}

var _ fairleadv1.LocatorServer = (*Locator)(nil)

// New returns a Locator that has started nothing yet. It fails if the domain cannot be
// one, or if the Registerer has such metrics already.
func New(c Config) (*Locator, error) {
	if c.Source == nil {
		return nil, errors.New("locate: Config.Source is nil: say where proxies are known from")
	}
	if err := checkDomain(c.Locate.Domain); err != nil {
		return nil, err
	}
	log := c.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	m, err := newMeters(c.Registerer)
	if err != nil {
		return nil, err
	}
	l := &Locator{
		source: c.Source, conf: c.Locate, zones: newZoneTable(c.Zones), chooser: newChooser(),
		log: log, meters: m, refused: &refusals{log: log, count: m.refused},
		asks: newBuckets(asksRate, asksBurst), counts: newBuckets(asksRate, asksBurst),
		dns: newZoneFile(c), now: time.Now, start: time.Now(),
	}
	return l, nil
}

func checkDomain(d string) error {
	if d == "" {
		return nil // no DNS
	}
	if _, ok := dns.IsDomainName(d); !ok || len(d) > maxDomain || !isHostName(d) || strings.ToLower(d) != d {
		return fmt.Errorf("locate: locate.domain %q cannot be the domain of a DNS server: "+
			"use lower case letters, digits, dashes and dots, %d characters at most, such as lb.example.org", d, maxDomain)
	}
	return nil
}

// ZoneOf returns the zone of a client: that of the longest subnet that holds its address;
// empty: none does.
func (l *Locator) ZoneOf(client netip.Addr) string { return l.zones.of(client) }

// Standing returns a proxy's load as the choice sees it, which is at least 1; or 0 and why
// the proxy is not chosen, as a sentence without capital and full stop.
func (l *Locator) Standing(proxy string) (load float64, whyNot string) {
	l.chooser.refresh(l.source)
	defer l.chooser.mu.Unlock()
	return l.chooser.standing(proxy)
}

// Choose names proxies for a client, best first. It implements fairleadv1.LocatorServer.
// A client that the request names is believed. Errors are statuses: NotFound when there is
// no such listener, InvalidArgument when the request cannot be read, Unavailable when no
// proxy can be chosen; their text tells what there is, or why each proxy is not chosen.
func (l *Locator) Choose(ctx context.Context, r *fairleadv1.ChooseRequest) (*fairleadv1.ChooseResponse, error) {
	client := peerOf(ctx)
	if text := r.GetClient(); text != "" {
		ip, err := netip.ParseAddr(text)
		if err != nil {
			l.meters.chose(doorGRPC, resultBad)
			return nil, badClient(text)
		}
		client = ip
	}
	a, err := l.ask(doorGRPC, query{listener: r.GetListener(), client: client, exclude: r.GetExclude(), count: true})
	if err != nil {
		return nil, err
	}
	return a.message(l.conf.TTL), nil
}

func badClient(text string) error {
	return status.Errorf(codes.InvalidArgument, "the client %q is not an IP address: write one such as 192.0.2.7", short(text))
}

// peerOf returns where a call comes from, or the zero Addr.
func peerOf(ctx context.Context) netip.Addr {
	p, ok := peer.FromContext(ctx)
	if !ok || p.Addr == nil {
		return netip.Addr{}
	}
	return addrOf(p.Addr)
}

// answer is a choice with what is told of the listener.
type answer struct {
	info  fleet.ListenerInfo
	zone  string // the client's
	picks []pick // at least one, best first
}

// ask answers a door that can tell errors; they are statuses.
func (l *Locator) ask(d door, q query) (answer, error) {
	a, err := l.tryAsk(q)
	switch status.Code(err) {
	case codes.OK:
		l.meters.chose(d, resultChosen)
	case codes.NotFound:
		l.meters.chose(d, resultUnknown)
	case codes.Unavailable:
		l.meters.chose(d, resultNone)
	default:
		l.meters.chose(d, resultBad)
	}
	return a, err
}

func (l *Locator) tryAsk(q query) (answer, error) {
	if q.listener == "" {
		return answer{}, status.Errorf(codes.InvalidArgument, "say which listener: there %s", thereAre(l.source.Listeners()))
	}
	if len(q.exclude) > maxExclude {
		return answer{}, status.Errorf(codes.InvalidArgument, "%d proxies are excluded: exclude at most %d", len(q.exclude), maxExclude)
	}
	info, ok := l.source.Listener(q.listener)
	if !ok {
		return answer{}, status.Errorf(codes.NotFound, "there is no listener %q: there %s", short(q.listener), thereAre(l.source.Listeners()))
	}
	q.explain = true
	r := l.choose(&q)
	if len(r.picks) == 0 {
		return answer{}, status.Errorf(codes.Unavailable, "no proxy can be chosen for listener %q: %s", q.listener, r.why)
	}
	return answer{info: info, zone: q.zone, picks: r.picks}, nil
}

// choose fills the client's zone in and chooses. The listener exists.
func (l *Locator) choose(q *query) result {
	q.zone = l.zones.of(q.client)
	l.chooser.refresh(l.source)
	defer l.chooser.mu.Unlock()
	return l.chooser.choose(*q)
}

// counted tells whether an answer to a sender counts as a client on its way.
func (l *Locator) counted(from netip.Addr) bool {
	return from.IsLoopback() || l.counts.take(prefixOf(from), l.since()) == allowed
}

// since returns how long the Locator has been there.
func (l *Locator) since() time.Duration { return l.now().Sub(l.start) }

func (a answer) message(ttl time.Duration) *fairleadv1.ChooseResponse {
	m := &fairleadv1.ChooseResponse{
		TtlMs: uint64(max(ttl, 0).Milliseconds()), Zone: a.zone,
		Protocol: fairleadv1.Protocol_PROTOCOL_TCP, Link: fairleadv1.Link_LINK_PROXIED,
	}
	if a.info.HTTP {
		m.Protocol = fairleadv1.Protocol_PROTOCOL_HTTP
	}
	if a.info.Direct {
		m.Link = fairleadv1.Link_LINK_DIRECT
	}
	for _, p := range a.picks {
		m.Proxies = append(m.Proxies, &fairleadv1.ChosenProxy{Name: p.name, Address: p.at.text, Zone: p.zone})
	}
	return m
}

// thereAre tells of some names that they are there.
func thereAre(names []string) string {
	switch n := len(names); {
	case n == 0:
		return "are none"
	case n > maxTold:
		return fmt.Sprintf("are %s and %d more", strings.Join(names[:maxTold], ", "), n-maxTold)
	case n > 1:
		return "are " + strings.Join(names, ", ")
	}
	return "is " + names[0]
}

// short keeps what strangers wrote from filling the log.
func short(s string) string {
	const most = 100
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
