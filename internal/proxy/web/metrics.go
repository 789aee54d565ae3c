package web

import (
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Metrics are what servers count:
//
//	fairlead_proxy_requests_total{pool,code}  ended, by class: "1xx" (upgraded) to "5xx", "none"
//	fairlead_proxy_request_seconds{pool}      from a request's head to its answer's end; not for upgrades
//	fairlead_proxy_wait_seconds{pool}         until the first grant
//	fairlead_proxy_retries_total{pool}        asked again after a backend that could not be reached
//	fairlead_proxy_refused_total{pool,reason} answers that the proxy made itself
//
// pool is empty for requests that no route matched.
type Metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	wait     *prometheus.HistogramVec
	retries  *prometheus.CounterVec
	refused  *prometheus.CounterVec
	pools    sync.Map // of *PoolMetrics, by fleet.PoolName
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	m := Unregistered()
	for _, c := range []prometheus.Collector{m.requests, m.seconds, m.wait, m.retries, m.refused} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register the HTTP carrier's metrics: %w", err)
		}
	}
	return m, nil
}

// Unregistered makes metrics that nobody sees.
func Unregistered() *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "fairlead_proxy_" + name, Help: help}, labels)
	}
	histogram := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "fairlead_proxy_" + name, Help: help,
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 18), // 1 ms to 131 s
		}, []string{"pool"})
	}
	return &Metrics{
		requests: counter("requests_total", "HTTP requests that ended, by the answer's class.", "pool", "code"),
		seconds:  histogram("request_seconds", "From an HTTP request's head to its answer's end."),
		wait:     histogram("wait_seconds", "From an HTTP request's head to its grant."),
		retries:  counter("retries_total", "HTTP requests asked again after a backend that could not be reached.", "pool"),
		refused:  counter("refused_total", "HTTP answers that the proxy made itself, by reason.", "pool", "reason"),
	}
}

// PoolMetrics are one pool's, looked up once.
type PoolMetrics struct {
	Wait    prometheus.Observer // seconds until the first grant
	Retries prometheus.Counter

	codes   [6]prometheus.Counter // by class; 0: no answer
	seconds prometheus.Observer
	refused map[string]prometheus.Counter
	other   prometheus.Counter // refused for what the map does not have
}

// Of returns a pool's metrics; those of no pool are of "".
func (m *Metrics) Of(pool fleet.PoolName) *PoolMetrics {
	if p, ok := m.pools.Load(pool); ok {
		return p.(*PoolMetrics)
	}
	name := string(pool)
	p := &PoolMetrics{
		seconds: m.seconds.WithLabelValues(name),
		Wait:    m.wait.WithLabelValues(name),
		Retries: m.retries.WithLabelValues(name),
		refused: map[string]prometheus.Counter{},
		other:   m.refused.WithLabelValues(name, "other"),
	}
	for class, code := range [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"} {
		p.codes[class] = m.requests.WithLabelValues(name, code)
	}
	reasons := []string{"no_controller", "internal", "no_connect"}
	for _, r := range []*Refusal{NoRoute, OnlyGrants, BadBody, BrokeOff, BackendLost, Unreachable, TimeLimit, HeadTimeout, BodyTimeout, AnswerTimeout} {
		reasons = append(reasons, r.Reason)
	}
	for _, r := range fleet.Reasons() {
		reasons = append(reasons, r.String())
	}
	for _, r := range reasons {
		p.refused[r] = m.refused.WithLabelValues(name, r)
	}
	had, _ := m.pools.LoadOrStore(pool, p)
	return had.(*PoolMetrics)
}

// Refuse counts an answer that the proxy made itself.
func (p *PoolMetrics) Refuse(reason string) {
	if c, ok := p.refused[reason]; ok {
		c.Inc()
		return
	}
	p.other.Inc()
}

// Ended counts a request: how it was answered (0: not at all), and how long that took, unless
// the connection was upgraded.
func (p *PoolMetrics) Ended(code int, started time.Time, upgraded bool) {
	class := code / 100
	if class >= len(p.codes) {
		class = 0
	}
	p.codes[class].Inc()
	if code != 0 && !upgraded {
		p.seconds.Observe(time.Since(started).Seconds())
	}
}
