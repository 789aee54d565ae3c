package locate

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// door is where a question came in.
type door string

const (
	doorDNS  door = "dns"
	doorHTTP door = "http"
	doorGRPC door = "grpc"
)

// outcome is what became of a choice.
type outcome string

const (
	resultChosen  outcome = "chosen"
	resultNone    outcome = "none"       // no proxy can be chosen
	resultUnknown outcome = "unknown"    // there is no such listener
	resultUnfit   outcome = "no_address" // proxies can be chosen, but have no address of that type
	resultBad     outcome = "bad"        // the request cannot be read
)

// meters are the metrics.
type meters struct {
	choices *prometheus.CounterVec
	refusal *prometheus.CounterVec
}

func newMeters(r prometheus.Registerer) (meters, error) {
	m := meters{
		choices: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_locate_choices_total",
			Help: "Questions which proxy to use, by the door that they came through and what became of them.",
		}, []string{"door", "result"}),
		refusal: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_locate_dns_refused_total",
			Help: "DNS queries that were refused or ignored, by reason.",
		}, []string{"reason"}),
	}
	for _, d := range []door{doorDNS, doorHTTP, doorGRPC} {
		for _, o := range []outcome{resultChosen, resultNone, resultUnknown, resultUnfit, resultBad} {
			m.choices.WithLabelValues(string(d), string(o))
		}
	}
	for _, why := range reasons {
		m.refusal.WithLabelValues(string(why))
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.choices, m.refusal} {
		if err := r.Register(c); err != nil {
			return m, fmt.Errorf("locate: register metrics: %w; give each Locator a Registerer of its own", err)
		}
	}
	return m, nil
}

func (m meters) chose(d door, o outcome) { m.choices.WithLabelValues(string(d), string(o)).Inc() }

func (m meters) refused(why reason) { m.refusal.WithLabelValues(string(why)).Inc() }
