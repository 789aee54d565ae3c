package l4

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// Metrics are what servers count:
//
//	fairlead_proxy_tcp_connections_total{pool,outcome}  ended; those never linked are "refused"; "idle": nothing moved
//	fairlead_proxy_tcp_open{pool}                       now, those that wait included
//	fairlead_proxy_tcp_bytes_total{pool,direction}      "in": to the backend; "out": to the client
//	fairlead_proxy_tcp_refused_total{pool,reason}       never linked
//	fairlead_proxy_tcp_unrouted_total{listener,reason}  no pool was found for them
//
// The kernel moves the bytes, so they are counted when their direction ends.
type Metrics struct {
	connections *prometheus.CounterVec
	open        *prometheus.GaugeVec
	bytes       *prometheus.CounterVec
	refused     *prometheus.CounterVec
	unrouted    *prometheus.CounterVec
	pools       sync.Map // of *poolMetrics, by fleet.PoolName
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	m := newMetrics()
	for _, c := range []prometheus.Collector{m.connections, m.open, m.bytes, m.refused, m.unrouted} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register the TCP carrier's metrics: %w", err)
		}
	}
	return m, nil
}

func newMetrics() *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "fairlead_proxy_tcp_" + name, Help: help}, labels)
	}
	return &Metrics{
		connections: counter("connections_total", "TCP connections that ended, by how.", "pool", "outcome"),
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "fairlead_proxy_tcp_open", Help: "Open TCP connections of clients, those that wait included.",
		}, []string{"pool"}),
		bytes:    counter("bytes_total", "Bytes carried over TCP, to the backend (in) and to the client (out).", "pool", "direction"),
		refused:  counter("refused_total", "TCP connections that were never linked, by reason.", "pool", "reason"),
		unrouted: counter("unrouted_total", "TCP connections that were reset because no route led them to a pool, by reason.", "listener", "reason"),
	}
}

// poolMetrics are one pool's, looked up once.
type poolMetrics struct {
	open         prometheus.Gauge
	in, out      prometheus.Counter
	outcomes     [fleet.Revoked + 1]prometheus.Counter
	turnedAway   prometheus.Counter
	idle         prometheus.Counter
	refused      map[string]prometheus.Counter
	refusedOther prometheus.Counter
}

func (m *Metrics) of(pool fleet.PoolName) *poolMetrics {
	if p, ok := m.pools.Load(pool); ok {
		return p.(*poolMetrics)
	}
	name := string(pool)
	p := &poolMetrics{
		open:         m.open.WithLabelValues(name),
		in:           m.bytes.WithLabelValues(name, "in"),
		out:          m.bytes.WithLabelValues(name, "out"),
		turnedAway:   m.connections.WithLabelValues(name, "refused"),
		idle:         m.connections.WithLabelValues(name, "idle"),
		refused:      map[string]prometheus.Counter{},
		refusedOther: m.refused.WithLabelValues(name, "other"),
	}
	for o := fleet.OK; o.Valid() && int(o) < len(p.outcomes); o++ {
		p.outcomes[o] = m.connections.WithLabelValues(name, o.String())
	}
	reasons := []string{"no_controller", "client_gone", "unreachable", "stopping"}
	for _, r := range fleet.Reasons() {
		reasons = append(reasons, r.String())
	}
	for _, r := range reasons {
		p.refused[r] = m.refused.WithLabelValues(name, r)
	}
	had, _ := m.pools.LoadOrStore(pool, p)
	return had.(*poolMetrics)
}

// refuse counts a connection that was never linked.
func (p *poolMetrics) refuse(err error) {
	p.turnedAway.Inc()
	if c, ok := p.refused[reason(err)]; ok {
		c.Inc()
		return
	}
	p.refusedOther.Inc()
}

func reason(err error) string {
	var refused *link.Refused
	switch {
	case errors.As(err, &refused):
		return refused.Reason.String()
	case errors.Is(err, link.ErrNoController):
		return "no_controller"
	case errors.Is(err, errClientGone), errors.Is(err, context.Canceled):
		return "client_gone"
	case errors.Is(err, errUnreachable):
		return "unreachable"
	case errors.Is(err, errStopped):
		return "stopping"
	}
	return "other"
}
