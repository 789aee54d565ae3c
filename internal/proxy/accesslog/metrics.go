package accesslog

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are what a log counts:
//
//	fairlead_proxy_access_log_dropped_total{reason}  entries that were not written: "queue_full",
//	                                                 "write_error", "closed". Those that
//	                                                 sampling leaves out do not count.
type Metrics struct {
	dropped              *prometheus.CounterVec
	full, failed, closed prometheus.Counter
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	m := newMetrics()
	if err := r.Register(m.dropped); err != nil {
		return nil, fmt.Errorf("register the access log's metrics: %w", err)
	}
	return m, nil
}

func newMetrics() *Metrics {
	m := &Metrics{dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fairlead_proxy_access_log_dropped_total", Help: "Entries of the access log that were not written, by reason.",
	}, []string{"reason"})}
	m.full = m.dropped.WithLabelValues("queue_full")
	m.failed = m.dropped.WithLabelValues("write_error")
	m.closed = m.dropped.WithLabelValues("closed")
	return m
}
