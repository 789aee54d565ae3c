package control

import (
	"math"
	"net"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/report"
)

// Caps on what a message may hold.
const (
	maxName     = 255
	maxExclude  = 64
	maxSeen     = 64
	maxDuration = 365 * 24 * time.Hour
)

func invalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

func grantID(id *fairleadv1.GrantID) fleet.GrantID {
	return fleet.GrantID{Epoch: id.GetEpoch(), Number: id.GetNumber()}
}

// micros converts, and bounds what a broken peer may say.
func micros(us uint64) time.Duration {
	return time.Duration(min(us, uint64(maxDuration/time.Microsecond))) * time.Microsecond
}

// checkVersions returns an error unless both sides speak a version in common.
func checkVersions(v *fairleadv1.Versions, software string) error {
	if v == nil {
		return invalid("the hello names no versions; say the oldest and the newest that you speak")
	}
	if v.GetOldest() > v.GetNewest() {
		return invalid("the hello names versions %d to %d; the oldest comes first", v.GetOldest(), v.GetNewest())
	}
	if v.GetOldest() > newestVersion || v.GetNewest() < oldestVersion {
		return status.Errorf(codes.FailedPrecondition,
			"no version in common: %s speaks %d to %d, this controller %d to %d; bring both to the same release",
			software, v.GetOldest(), v.GetNewest(), oldestVersion, newestVersion)
	}
	return nil
}

func checkName(what, s string, empty bool) error {
	switch {
	case s == "" && !empty:
		return invalid("the %s is empty", what)
	case len(s) > maxName:
		return invalid("the %s has %d bytes; at most %d are taken", what, len(s), maxName)
	case !utf8.ValidString(s):
		return invalid("the %s is not valid UTF-8", what)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return invalid("the %s contains a control character", what)
		}
	}
	return nil
}

func checkProxyHello(m *fairleadv1.ProxyMessage) error {
	h := m.GetHello()
	if h == nil || len(m.GetAsks())+len(m.GetDones())+len(m.GetWithdrawals())+len(m.GetPools())+len(m.GetUses())+len(m.GetPoolHellos()) > 0 || m.GetStatus() != nil {
		return invalid("the first message is a hello, and nothing but a hello")
	}
	if err := checkVersions(h.GetVersions(), "the proxy"); err != nil {
		return err
	}
	for _, f := range []struct {
		what, s string
		empty   bool
	}{
		{"proxy's name", h.GetName(), false}, {"proxy's instance", h.GetInstance(), false},
		{"proxy's zone", h.GetZone(), true}, {"proxy's software", h.GetSoftware(), true},
		{"proxy's advertised host", h.GetAdvertise(), true}, {"instance that the proxy replaces", h.GetReplaces(), true},
	} {
		if err := checkName(f.what, f.s, f.empty); err != nil {
			return err
		}
	}
	if host := h.GetAdvertise(); host != "" {
		if _, err := config.BackendAddress(net.JoinHostPort(host, "1")); err != nil {
			return invalid("the proxy's advertised host %q is neither an IP address nor a host name; say what clients can connect to, without a port", host)
		}
	}
	return nil
}

// checkLive checks the live grants of a hello; an agent's are all of its backend.
func checkLive(live []*fairleadv1.LiveGrant, named bool) error {
	for _, g := range live {
		if g.GetId() == nil {
			return invalid("a live grant has no ID")
		}
		if !named {
			continue
		}
		if err := checkName("live grant's backend", g.GetBackend(), false); err != nil {
			return err
		}
	}
	return nil
}

func liveGrant(g *fairleadv1.LiveGrant) fleet.LiveGrant {
	return fleet.LiveGrant{
		ID: grantID(g.GetId()), Backend: fleet.BackendName(g.GetBackend()),
		Held: min(micros(g.GetHeldMs()), maxDuration/1000) * 1000,
		Kept: g.GetKept(), Uses: g.GetUses(),
	}
}

// liveGrants converts those of one backend.
func liveGrants(live []*fairleadv1.LiveGrant, b fleet.BackendName) []fleet.LiveGrant {
	var all []fleet.LiveGrant
	for _, g := range live {
		l := liveGrant(g)
		l.Backend = b
		all = append(all, l)
	}
	return all
}

// sort checks a message and makes a batch for each pool that it concerns.
func (p *proxySession) sort(m *fairleadv1.ProxyMessage, byPool []*batch) error {
	if m.GetHello() != nil {
		return invalid("a second hello; a session has one")
	}
	of := func(number uint32) *batch {
		if p.c.byNumber(number) == nil {
			return nil
		}
		b := byPool[number-1]
		if b == nil {
			b = batches.Get().(*batch)
			b.from = p
			byPool[number-1] = b
		}
		return b
	}
	uses := m.GetUses()
	for i, d := range m.GetDones() {
		for len(uses) > 0 && int(uses[0].GetAfter()) <= i {
			p.addUse(of, uses[0])
			uses = uses[1:]
		}
		b := of(d.GetPool())
		if b == nil {
			continue // of a pool that is gone
		}
		if err := p.addDone(b, d); err != nil {
			return err
		}
	}
	for _, u := range uses {
		p.addUse(of, u)
	}
	for _, a := range m.GetAsks() {
		if err := p.addAsk(of, a); err != nil {
			return err
		}
	}
	for _, w := range m.GetWithdrawals() {
		if b := of(w.GetPool()); b != nil {
			b.withdrawals = append(b.withdrawals, dispatch.Withdraw{Proxy: p.id, Ask: fleet.AskID(w.GetAsk())})
		}
	}
	if n := m.GetNumber(); n > 0 {
		for _, b := range byPool {
			if b != nil {
				b.number = n
			}
		}
	}
	return addPools(of, m.GetPools())
}

func (p *proxySession) addDone(b *batch, d *fairleadv1.Done) error {
	how := fleet.Outcome(min(d.GetOutcome(), math.MaxUint8))
	if d.GetOutcome() < 0 || !how.Valid() {
		return invalid("done names outcome %d, which this version does not know", d.GetOutcome())
	}
	out := dispatch.Done{
		Proxy: p.id, Grant: grantID(d.GetGrant()), Outcome: how, Latency: micros(d.GetLatencyUs()), Kept: d.GetKept(), Uses: d.GetUses(),
	}
	if s := d.GetSeen(); s != nil {
		seen, err := seenValue(s)
		if err != nil {
			return err
		}
		out.Seen = seen
	}
	b.dones = append(b.dones, out)
	return nil
}

// addUse notes a use of a kept slot, in its place among the dones.
func (p *proxySession) addUse(of func(uint32) *batch, u *fairleadv1.Use) {
	b := of(u.GetPool())
	if b == nil {
		return
	}
	in := useAt{Use: dispatch.Use{Proxy: p.id, Grant: grantID(u.GetGrant()), Uses: u.GetUses()}, after: len(b.dones)}
	if a := u.GetAbout(); a != nil {
		in.About = &fleet.About{Class: fleet.Class(min(max(a.GetClass(), 0), fairleadv1.Class(fleet.Classes-1))), Flow: short(a.GetFlow())}
	}
	b.uses = append(b.uses, in)
}

func (p *proxySession) addAsk(of func(uint32) *batch, a *fairleadv1.Ask) error {
	if a.GetId() <= p.lastAsk {
		return invalid("ask %d comes after ask %d; IDs rise within a session", a.GetId(), p.lastAsk)
	}
	p.lastAsk = a.GetId()
	if len(a.GetExclude()) > maxExclude || len(a.GetSeen()) > maxSeen {
		return invalid("ask %d excludes %d backends and tells of %d; at most %d and %d are taken",
			a.GetId(), len(a.GetExclude()), len(a.GetSeen()), maxExclude, maxSeen)
	}
	p.asks.Add(1)
	waiting := p.waiting.Add(1)
	refuse := func(why fleet.Reason, after time.Duration) {
		p.put(nil, &dispatch.Effect{
			Kind: dispatch.Refused, Ask: fleet.AskID(a.GetId()), Reason: why, RetryAfter: after,
		})
		p.rouse()
	}
	b := of(a.GetPool())
	switch {
	case b == nil:
		refuse(fleet.UnknownPool, 0)
		return nil
	case waiting > maxOutstanding:
		refuse(fleet.OverLimit, time.Second)
		return nil
	}
	out := dispatch.Ask{
		Proxy: p.id, ID: fleet.AskID(a.GetId()), Waited: micros(a.GetWaitedUs()),
		InFlight: int(min(a.GetInFlight(), math.MaxInt32)), RoundTrip: min(micros(a.GetRoundTripUs()), silence),
	}
	for _, name := range a.GetExclude() {
		out.Exclude = append(out.Exclude, fleet.BackendName(name))
	}
	for _, s := range a.GetSeen() {
		seen, err := seenValue(s)
		if err != nil {
			return err
		}
		out.Seen = append(out.Seen, seen)
	}
	if a.GetAbout() != nil {
		if err := p.describe(&out, a.GetAbout(), p.c.byNumber(a.GetPool())); err != nil {
			return err
		}
	}
	b.asks = append(b.asks, out)
	return nil
}

func seenValue(s *fairleadv1.BackendSeen) (fleet.Seen, error) {
	if err := checkName("name of a backend that was seen", s.GetBackend(), false); err != nil {
		return fleet.Seen{}, err
	}
	seen := fleet.Seen{
		Backend: fleet.BackendName(s.GetBackend()), InFlight: int(min(s.GetInFlight(), math.MaxInt32)),
		Latency: micros(s.GetLatencyUs()), Errors: int(min(s.GetErrors(), 1<<20)),
	}
	if s.GetLoad() != nil {
		r, err := report.FromORCA(s.GetLoad())
		if err != nil {
			return fleet.Seen{}, invalid("load report of backend %q: %v", s.GetBackend(), err)
		}
		seen.Report, seen.Reported = r, true
	}
	return seen, nil
}

// trimmed returns a status that is fit to be kept and shown, whatever was sent.
func trimmed(s *fairleadv1.ProxyStatus) *fairleadv1.ProxyStatus {
	const most = 1000
	if len(s.GetListeners()) > most {
		s.Listeners = s.Listeners[:most]
	}
	for _, l := range s.GetListeners() {
		l.Name, l.Address, l.Error = short(l.GetName()), short(l.GetAddress()), short(l.GetError())
	}
	if !(s.GetCpu() >= 0 && s.GetCpu() < 1e6) { // NaN too
		s.Cpu = 0
	}
	return s
}

// short cuts a text that is only shown.
func short(s string) string {
	const most = 512
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "?")
}
