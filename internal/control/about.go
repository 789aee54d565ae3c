package control

import (
	"net/netip"
	"slices"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

// Caps on what an ask may say of its request.
const (
	maxPath   = 1 << 10
	maxMethod = 64
)

// describe takes in what an ask says of its request.
func (p *proxySession) describe(out *dispatch.Ask, m *fairleadv1.About, r *runner) error {
	if len(m.GetPath()) > maxPath || len(m.GetMethod()) > maxMethod ||
		max(len(m.GetHost()), len(m.GetFlow()), len(m.GetClient()), len(m.GetAffinity())) > maxName {
		return invalid("ask %d describes its request at too great a length: method %d, path %d, host %d, flow %d, affinity %d and client %d bytes; at most %d, %d, and %d for each other",
			out.ID, len(m.GetMethod()), len(m.GetPath()), len(m.GetHost()), len(m.GetFlow()), len(m.GetAffinity()), len(m.GetClient()), maxMethod, maxPath, maxName)
	}
	labels, err := requiredLabels(m.GetLabels())
	if err != nil {
		return err
	}
	if r.conf().Prefer == config.PreferZone {
		out.Zone = p.zoneOf(m.GetClient())
	}
	if r.describes.Load() {
		out.About = &fleet.About{
			Client: m.GetClient(), Method: m.GetMethod(), Host: m.GetHost(), Path: m.GetPath(),
			Class: classOf(m.GetClass()), Flow: m.GetFlow(), Deadline: millis(m.GetDeadlineMs()),
			Labels: labels, Affinity: m.GetAffinity(),
		}
	}
	return nil
}

// requiredLabels returns what a request requires, sorted, none twice. What it requires
// need not be a label that a backend could have: then it has none.
func requiredLabels(labels []string) ([]string, error) {
	if len(labels) > fleet.MaxLabels {
		return nil, invalid("a request requires %d labels; at most %d are taken", len(labels), fleet.MaxLabels)
	}
	for _, l := range labels {
		if err := checkName("label that a request requires", l, false); err != nil {
			return nil, err
		}
	}
	if !slices.IsSorted(labels) {
		labels = slices.Sorted(slices.Values(labels))
	}
	return slices.Compact(labels), nil
}

// classOf converts a class; one of a later version counts as normal.
func classOf(c fairleadv1.Class) fleet.Class {
	if c < 0 || c >= fairleadv1.Class(fleet.Classes) {
		return fleet.Normal
	}
	return fleet.Class(c)
}

// millis converts, and bounds what a broken peer may say.
func millis(ms uint64) time.Duration {
	return time.Duration(min(ms, uint64(maxDuration/time.Millisecond))) * time.Millisecond
}

// zoneOf returns where a client is: as the subnets say, else where its proxy is.
func (p *proxySession) zoneOf(client string) string {
	if addr, err := netip.ParseAddr(client); err == nil && p.c.cfg.Locator != nil {
		if zone := p.c.cfg.Locator.ZoneOf(addr.Unmap()); zone != "" {
			return zone
		}
	}
	return p.hello.GetZone()
}
