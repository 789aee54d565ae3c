package originate

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Metrics count what keeps backends from being spoken to over TLS:
//
//	fairlead_proxy_backend_tls_errors_total{pool,reason}
//
// with the reasons that advice has.
type Metrics struct{ errors *prometheus.CounterVec }

// NewMetrics makes the metrics and registers them; with nil they are not registered.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fairlead_proxy_backend_tls_errors_total",
		Help: "TLS handshakes with backends that failed, and files for them that could not be used, by reason.",
	}, []string{"pool", "reason"})}
	if r == nil {
		return m, nil
	}
	if err := r.Register(m.errors); err != nil {
		return nil, fmt.Errorf("register the metrics of TLS to backends: %w", err)
	}
	return m, nil
}

// Pools keeps the TLS of pools. It is safe for concurrent use.
type Pools struct {
	log     *slog.Logger
	metrics *Metrics

	mu    sync.Mutex // guards what is below
	pools map[fleet.PoolName]*TLS
}

// NewPools makes a Pools that knows no pool.
func NewPools(log *slog.Logger, m *Metrics) *Pools {
	return &Pools{log: log, metrics: m, pools: map[fleet.PoolName]*TLS{}}
}

// Set makes the pools those that are named, and returns their TLS. That of a pool whose files
// have the same names is the one that it had. Files that cannot be read are told in the log;
// their pool's backends cannot be reached until they can.
func (p *Pools) Set(files map[fleet.PoolName]Files) map[fleet.PoolName]*TLS {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := make(map[fleet.PoolName]*TLS, len(files))
	for name, f := range files {
		t := p.pools[name]
		if t == nil || t.files != f {
			t = &TLS{pool: name, files: f, of: p, told: map[string]time.Time{}}
			t.refresh()
			if f.SkipVerify {
				p.log.Warn("backends' certificates are not checked (insecure_skip_verify): whoever gets between can read and change everything", "pool", name)
			}
		}
		now[name] = t
	}
	p.pools = now
	return now
}

// Refresh reads files again that have changed.
func (p *Pools) Refresh() {
	p.mu.Lock()
	pools := p.pools // which is never changed
	p.mu.Unlock()
	for _, t := range pools {
		t.refresh()
	}
}
