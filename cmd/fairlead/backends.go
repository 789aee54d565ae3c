package main

import (
	"fmt"
	"strings"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// standing is a backend in one of its pools.
type standing struct {
	*fairleadv1.BackendStatus
	pool string
}

// backendColumns are those of the list of backends.
func backendColumns() []column[standing] {
	percent := func(of func(*fairleadv1.OrcaLoadReport) float64) func(standing) any {
		return func(b standing) any {
			if r := b.GetReport(); r != nil {
				return fmt.Sprintf("%.0f%%", 100*of(r))
			}
			return ""
		}
	}
	return []column[standing]{
		{"POOL", nil, func(b standing) any { return b.pool }},
		{"BACKEND", nil, func(b standing) any { return b.GetAddress() }},
		{"STATE", nil, func(b standing) any { return b.GetState() }},
		{"IN-FLIGHT", nil, func(b standing) any { return b.GetInFlight() }},
		{"SLOTS", nil, func(b standing) any { return b.GetSlots() }},
		{"KEPT", func(b standing) bool { return b.GetKept() > 0 }, func(b standing) any { return b.GetKept() }},
		{"WORKERS", func(b standing) bool { return b.GetWorkers() > 0 }, func(b standing) any { return b.GetWorkers() }},
		{"WEIGHT", func(b standing) bool { return b.GetWeight() > 0 && b.GetWeight() != 1 }, func(b standing) any { return b.GetWeight() }},
		{"SET", standing.GetByHand, func(b standing) any { return map[bool]string{true: "by hand"}[b.GetByHand()] }},
		{"LATENCY", nil, func(b standing) any {
			if b.GetLatencyMs() > 0 {
				return fmt.Sprintf("%.1fms", b.GetLatencyMs())
			}
			return ""
		}},
		{"CPU", nil, percent((*fairleadv1.OrcaLoadReport).GetCpuUtilization)},
		{"MEM", nil, percent((*fairleadv1.OrcaLoadReport).GetMemUtilization)},
		{"FOREIGN", nil, func(b standing) any { return fmt.Sprintf("%.1f", b.GetForeign()) }},
		{"GRANTS", nil, func(b standing) any { return b.GetGrants() }},
		{"ERRORS", nil, func(b standing) any { return b.GetErrors() }},
		{"AGENT", nil, func(b standing) any { return map[bool]string{true: "yes", false: "no"}[b.GetHasAgent()] }},
		{"ZONE", nil, func(b standing) any { return b.GetZone() }},
		{"LABELS", func(b standing) bool { return len(b.GetLabels()) > 0 }, func(b standing) any { return strings.Join(b.GetLabels(), ",") }},
		{"WHY", nil, func(b standing) any { return b.GetWhy() }},
	}
}
