package control

import (
	"net/netip"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

// poolSpec returns what a pool's mind needs to know of its config.
func poolSpec(conf config.Pool, number uint32) fleet.PoolSpec {
	return fleet.PoolSpec{
		Name: conf.Name, Slots: conf.Slots, Workers: conf.Workers, Learn: conf.Learn,
		QueueLimit: conf.Queue.Limit, QueueTimeout: conf.Queue.Timeout,
		FirstGrant: uint64(number) << 40, // a pool makes fewer than 2^40 grants in a term
		GrantLimit: conf.GrantLimit, Grace: grace, LostAfter: conf.Health.LostAfter,
		Assign: conf.Assign, AssignTimeout: conf.AssignTimeout, Direct: conf.Link == config.Direct,
		PreferZone: conf.Prefer == config.PreferZone, SpillAfter: conf.SpillAfter,
		Classes: conf.Classes, FlowWeights: conf.FlowWeights,
		SlowStart: conf.SlowStart, Eject: conf.Eject, Budget: conf.RetryBudget, Permits: conf.Permits,
		// A ticket is taken a little after its time, and word of that is on its way a little
		// longer; a slot that were free before could be used twice.
		TicketLife: conf.TicketLife + grace,
	}
}

// backendSpec returns what a pool's mind needs to know of a backend in the config.
func backendSpec(b config.Backend) fleet.BackendSpec {
	return fleet.BackendSpec{
		Name: fleet.BackendName(b.Address), Zone: b.Zone, Slots: b.Slots, Workers: b.Workers,
		Labels: b.Labels, Weight: b.Weight,
	}
}

func makeTable(file *config.Config, s *shape, version uint64) *fairleadv1.Table {
	t := &fairleadv1.Table{Version: version}
	protocols := map[config.Protocol]fairleadv1.Protocol{
		config.HTTP: fairleadv1.Protocol_PROTOCOL_HTTP, config.TCP: fairleadv1.Protocol_PROTOCOL_TCP,
	}
	links := map[config.Link]fairleadv1.Link{
		config.Proxied: fairleadv1.Link_LINK_PROXIED, config.Direct: fairleadv1.Link_LINK_DIRECT,
	}
	for _, l := range file.Listeners {
		t.Listeners = append(t.Listeners, &fairleadv1.Listener{
			Name: l.Name, Address: l.Address, Protocol: protocols[l.Protocol],
			IdleTimeoutMs: uint64(l.IdleTimeout.Milliseconds()), AcceptProxyFrom: texts(l.AcceptProxyFrom),
			Tls: listenerTLS(l.TLS), Timeouts: timeouts(l.Timeouts), Trusted: texts(l.Trusted),
		})
	}
	for _, r := range file.Routes {
		t.Routes = append(t.Routes, &fairleadv1.Route{
			Listener: r.Listener, Host: r.Host, Path: r.Path, Pool: s.pools[r.Pool].number,
			Class: fairleadv1.Class(r.Class), Labels: r.Labels,
		})
	}
	for _, r := range s.live {
		t.Pools = append(t.Pools, &fairleadv1.PoolEntry{
			Number: r.number, Name: string(r.conf().Name), Retries: uint32(r.conf().Retries),
			ConnectTimeoutMs: uint64(r.conf().ConnectTimeout.Milliseconds()),
			Link:             links[r.conf().Link], Tickets: r.conf().Tickets,
			About:   describes(r.conf(), file.Routes) || r.conf().Prefer == config.PreferZone,
			Decides: r.conf().MayProxiesDecide(), Alone: r.conf().ServesAlone(), Queues: r.conf().Workers > 0,
			QueueLimit: uint64(r.conf().Queue.Limit), QueueTimeoutMs: uint64(r.conf().Queue.Timeout.Milliseconds()),
			Classify: classify(r.conf()), SendProxy: headers[r.conf().SendProxy],
			Http2: r.conf().HTTP2, Tls: backendTLS(r.conf().TLS),
		})
	}
	return t
}

func timeouts(t config.Timeouts) *fairleadv1.Timeouts {
	if t == (config.Timeouts{}) {
		return nil
	}
	ms := func(d time.Duration) uint64 { return uint64(d.Milliseconds()) }
	m := &fairleadv1.Timeouts{IdleMs: ms(t.Idle), HeadMs: ms(t.Head), BodyMs: ms(t.Body), AnswerMs: ms(t.Answer), FirstByteMs: ms(t.FirstByte)}
	if t.Tunnel != 0 {
		tunnel := ms(max(t.Tunnel, 0))
		m.TunnelMs = &tunnel
	}
	return m
}

func listenerTLS(t *config.ListenerTLS) *fairleadv1.ListenerTLS {
	if t == nil {
		return nil
	}
	m := &fairleadv1.ListenerTLS{ClientCa: t.ClientCA, ClientMay: t.ClientAuth == config.ClientOptional, NoHttp2: !t.HTTP2}
	if a := t.ACME; a != nil {
		m.Acme = &fairleadv1.ACME{
			Domains: a.Domains, Email: a.Email, Directory: a.Directory, Ca: a.CA, Storage: a.Storage, TlsAlpn: a.TLSALPN, Http: a.HTTP,
		}
	}
	for _, c := range t.Certificates {
		m.Certificates = append(m.Certificates, &fairleadv1.CertificateFiles{Cert: c.Cert, Key: c.Key})
	}
	return m
}

func backendTLS(t *config.BackendTLS) *fairleadv1.BackendTLS {
	if t == nil {
		return nil
	}
	return &fairleadv1.BackendTLS{Ca: t.CA, ServerName: t.ServerName, Cert: t.Cert, Key: t.Key, InsecureSkipVerify: t.InsecureSkipVerify}
}

// headers are the versions of the PROXY protocol, as the wire has them.
var headers = map[config.SendProxy]uint32{config.SendProxyV1: 1, config.SendProxyV2: 2}

// texts returns subnets as the wire has them.
func texts(subnets []netip.Prefix) []string {
	var all []string
	for _, s := range subnets {
		all = append(all, s.String())
	}
	return all
}

// describes tells whether a pool's mind wants to know what its requests are. To know it
// costs each ask a little, so it is not asked for without a use.
func describes(conf *config.Pool, routes []config.Route) bool {
	if conf.Assign != fleet.AssignNone || classify(conf) != nil || conf.Classes != [fleet.Classes]fleet.ClassSpec{} {
		return true
	}
	for _, r := range routes {
		if r.Pool == conf.Name && (r.Class != fleet.NoClass || len(r.Labels) > 0) {
			return true
		}
	}
	return false
}

// classify tells proxies how they know what a request is; nil: nothing beyond the
// defaults.
func classify(conf *config.Pool) *fairleadv1.Classify {
	if conf.ClassHeader == "" && conf.Flow.By == config.ByNothing && conf.Affinity.By == config.ByNothing &&
		len(conf.LabelsFrom) == 0 && conf.Deadline == 0 {
		return nil
	}
	return &fairleadv1.Classify{
		ClassHeader: conf.ClassHeader, Flow: source(conf.Flow), Affinity: source(conf.Affinity),
		LabelHeaders: conf.LabelsFrom, DeadlineMs: uint64(conf.Deadline.Milliseconds()),
	}
}

func source(k config.Key) *fairleadv1.Source {
	kinds := map[config.KeyKind]fairleadv1.Source_Kind{
		config.ByClient: fairleadv1.Source_KIND_CLIENT, config.ByHeader: fairleadv1.Source_KIND_HEADER,
		config.ByCookie: fairleadv1.Source_KIND_COOKIE, config.ByClaim: fairleadv1.Source_KIND_CLAIM,
		config.ByTLSName: fairleadv1.Source_KIND_TLS_NAME,
	}
	if k.By == config.ByNothing {
		return nil
	}
	return &fairleadv1.Source{Kind: kinds[k.By], Name: k.Name}
}
