package classify

import (
	"fmt"
	"math/bits"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Defaults are what requests did not say as their pool wants it, so that a default stands
// for it.
type Defaults uint8

// What may be missing.
const (
	NoFlow       Defaults = 1 << iota // nothing says whose it is: its client's
	BadClaim                          // its token has no such claim: its client's
	UnknownClass                      // its class is no word that is known: its route's, or normal
	NoAffinity                        // nothing says where it belongs: to any backend
)

// names are those of the bits, in order.
var names = [...]string{"flow", "claim", "class", "affinity"}

// Metrics are what carriers count, of all listeners together:
//
//	fairlead_classify_defaults_total{pool,what}  requests for which a default stands: of
//	                                             "flow", "claim", "class" or "affinity"
//	fairlead_affinity_moved_total{pool}          grants of requests whose backend was not free
//
// Nil Metrics count nothing.
type Metrics struct {
	defaults *prometheus.CounterVec
	moved    *prometheus.CounterVec
	pools    sync.Map // of *poolMetrics, by fleet.PoolName
}

// poolMetrics are one pool's, looked up once.
type poolMetrics struct {
	defaults [len(names)]prometheus.Counter
	moved    prometheus.Counter
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		defaults: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_classify_defaults_total",
			Help: "Requests that did not say what their pool wants to know, so that a default stands for it.",
		}, []string{"pool", "what"}),
		moved: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_affinity_moved_total",
			Help: "Grants of requests with affinity on another backend than theirs.",
		}, []string{"pool"}),
	}
	for _, c := range []prometheus.Collector{m.defaults, m.moved} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register the metrics of what requests are: %w", err)
		}
	}
	return m, nil
}

func (m *Metrics) of(pool fleet.PoolName) *poolMetrics {
	if p, ok := m.pools.Load(pool); ok {
		return p.(*poolMetrics)
	}
	p := &poolMetrics{moved: m.moved.WithLabelValues(string(pool))}
	for i, name := range names {
		p.defaults[i] = m.defaults.WithLabelValues(string(pool), name)
	}
	had, _ := m.pools.LoadOrStore(pool, p)
	return had.(*poolMetrics)
}

// Missed counts what a request did not say.
func (m *Metrics) Missed(pool fleet.PoolName, d Defaults) {
	if m == nil || d == 0 {
		return
	}
	p := m.of(pool)
	for ; d != 0; d &= d - 1 {
		p.defaults[bits.TrailingZeros8(uint8(d))].Inc()
	}
}

// Moved counts a grant that is not on the backend that its request's affinity names.
func (m *Metrics) Moved(pool fleet.PoolName) {
	if m != nil {
		m.of(pool).moved.Inc()
	}
}
