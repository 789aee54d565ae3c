package control

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
)

// Collector returns the controller's Prometheus metrics. They are read from a snapshot
// when they are asked for, so that deciding costs nothing more with them.
func (c *Controller) Collector() prometheus.Collector { return collector{c} }

type collector struct{ c *Controller }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("fairlead_controller_"+name, help, labels, nil)
}

var (
	configReloads  = desc("config_reloads_total", "Reloads of the config, by whether it was taken.", "result")
	configLastGood = desc("config_last_good", "1 while the last good config is in force because the file is not good, else 0.")
	poolSlots      = desc("pool_slots", "Slots of backends that take grants.", "pool")
	poolByProxies  = desc("pool_by_proxies", "1 while proxies choose its backends themselves, else 0.", "pool")
	poolInFlight   = desc("pool_in_flight", "Grants that live.", "pool")
	poolQueue      = desc("pool_queue", "Asks that wait.", "pool")
	poolClass      = desc("pool_queue_by_class", "Asks that wait, by class.", "pool", "class")
	poolKept       = desc("pool_kept_slots", "Slots that proxies keep, with no request on them.", "pool")
	poolUses       = desc("kept_slot_uses_total", "Of the grants, those on slots that their proxy had kept.", "pool")
	poolLearning   = desc("pool_learning", "1 while nothing is granted before all proxies are back, else 0.", "pool")
	poolMoved      = desc("affinity_moved_total", "Grants of requests with affinity that went elsewhere.", "pool")
	poolEjected    = desc("ejections_total", "Backends ejected for errors in a row.", "pool")
	poolOldest     = desc("pool_oldest_wait_seconds", "How long the first in the queue has waited.", "pool")
	poolAsks       = desc("asks_total", "Asks received.", "pool")
	poolGrants     = desc("grants_total", "Asks granted.", "pool")
	poolDones      = desc("grants_ended_total", "Grants that are over.", "pool")
	poolWithdrawn  = desc("asks_withdrawn_total", "Asks taken back, or ended with their proxy's session.", "pool")
	poolRefused    = desc("asks_refused_total", "Asks refused, by reason.", "pool", "reason")
	backendSlots   = desc("backend_slots", "Slots.", "pool", "backend")
	backendFlight  = desc("backend_in_flight", "Grants that live.", "pool", "backend")
	backendUp      = desc("backend_takes_grants", "1 while it takes grants, else 0.", "pool", "backend")
	backendLatency = desc("backend_latency_seconds", "Learnt latency.", "pool", "backend")
	backendForeign = desc("backend_foreign_load", "Load that others put on it, in slots.", "pool", "backend")
	backendGrants  = desc("backend_grants_total", "Grants.", "pool", "backend")
	backendErrors  = desc("backend_errors_total", "Errors that proxies saw.", "pool", "backend")
	backendAssign  = desc("assignments_total", "Assignments to backends, by what came of them so far.", "pool", "backend", "result")
	peersRefused   = desc("refused_peers_total", "Connections and calls that were turned away, by reason.", "reason")
	proxyConnected = desc("proxy_connected", "1 while it has a session, else 0.", "proxy")
)

// Describe implements prometheus.Collector.
func (collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		poolSlots, poolByProxies, poolInFlight, poolQueue, poolClass, poolKept, poolUses, poolLearning, poolMoved, poolEjected, poolOldest, poolAsks, poolGrants, poolDones,
		poolWithdrawn, poolRefused, backendSlots, backendFlight, backendUp, backendLatency,
		backendForeign, backendGrants, backendErrors, backendAssign, peersRefused, proxyConnected,
		configReloads, configLastGood,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (k collector) Collect(ch chan<- prometheus.Metric) {
	s, err := k.c.Snapshot(context.Background())
	if err != nil {
		return // it is stopping
	}
	for _, p := range s.GetPools() {
		collectPool(ch, p)
	}
	for result, n := range map[string]uint64{"taken": k.c.reloads.taken.Load(), "refused": k.c.reloads.refused.Load()} {
		ch <- prometheus.MustNewConstMetric(configReloads, prometheus.CounterValue, float64(n), result)
	}
	ch <- prometheus.MustNewConstMetric(configLastGood, prometheus.GaugeValue, bit(s.GetConfigProblem() != ""))
	for why, n := range k.c.refusals.all() {
		ch <- prometheus.MustNewConstMetric(peersRefused, prometheus.CounterValue, float64(n), string(why))
	}
	for _, p := range s.GetProxies() {
		ch <- prometheus.MustNewConstMetric(proxyConnected, prometheus.GaugeValue, bit(p.GetConnected()), p.GetName())
	}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func collectPool(ch chan<- prometheus.Metric, p *fairleadv1.PoolStatus) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{p.GetName()}, labels...)...)
	}
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), append([]string{p.GetName()}, labels...)...)
	}
	gauge(poolSlots, float64(p.GetSlots()))
	gauge(poolByProxies, bit(p.GetByProxies()))
	gauge(poolInFlight, float64(p.GetInFlight()))
	gauge(poolQueue, float64(p.GetQueue()))
	gauge(poolKept, float64(p.GetKept()))
	gauge(poolLearning, bit(p.GetLearning()))
	for c := fleet.Critical; c < fleet.Classes; c++ {
		gauge(poolClass, float64(p.GetQueueByClass()[c.String()]), c.String())
	}
	counter(poolUses, p.GetUses())
	counter(poolMoved, p.GetMoved())
	counter(poolEjected, p.GetEjected())
	gauge(poolOldest, float64(p.GetOldestWaitMs())/1000)
	counter(poolAsks, p.GetAsks())
	counter(poolGrants, p.GetGrants())
	counter(poolDones, p.GetDones())
	counter(poolWithdrawn, p.GetWithdrawn())
	for reason, n := range p.GetRefused() {
		counter(poolRefused, n, reason)
	}
	for _, b := range p.GetBackends() {
		gauge(backendSlots, float64(b.GetSlots()), b.GetAddress())
		gauge(backendFlight, float64(b.GetInFlight()), b.GetAddress())
		gauge(backendUp, bit(b.GetEligible()), b.GetAddress())
		gauge(backendLatency, b.GetLatencyMs()/1000, b.GetAddress())
		gauge(backendForeign, b.GetForeign(), b.GetAddress())
		counter(backendGrants, b.GetGrants(), b.GetAddress())
		counter(backendErrors, b.GetErrors(), b.GetAddress())
		if p.GetAssign() != fleet.AssignNone.String() {
			counter(backendAssign, b.GetAssigned(), b.GetAddress(), "sent")
			counter(backendAssign, b.GetRejected(), b.GetAddress(), "rejected")
			counter(backendAssign, b.GetUnanswered(), b.GetAddress(), "unanswered")
		}
	}
}
