package sim

import (
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/permit"
)

// byProxy is the decider of proxies that decide for themselves as they do in production:
// each has a permit.Local.
type byProxy struct {
	silent
	e      *engine
	locals []*permit.Local
}

func newByProxy(e *engine) *byProxy {
	d := &byProxy{e: e}
	for range e.proxies {
		d.locals = append(d.locals, permit.NewLocal())
	}
	d.tell()
	return d
}

// tell says who may be chosen, as the controller does when that changes.
func (d *byProxy) tell() {
	var all []permit.Choosable
	for v := range d.e.backends {
		if b := &d.e.backends[v]; !b.down && !b.drains {
			all = append(all, permit.Choosable{BackendSpec: fleet.BackendSpec{
				Name: d.e.plan.names[v], Labels: b.group.Labels, Weight: b.group.Weight,
			}})
		}
	}
	for _, l := range d.locals {
		l.SetBackends(all)
	}
}

func (d *byProxy) changed(int32) { d.tell() }

func (d *byProxy) arrive(i int32) {
	r := &d.e.requests[i]
	var exclude []fleet.BackendName
	for _, v := range r.exclude[:r.tries] {
		exclude = append(exclude, d.e.plan.names[v])
	}
	l, now := d.locals[r.proxy], fleet.Time(d.e.now)
	name, ok := l.Choose(now, exclude, d.e.plan.mixes[r.mix].Labels)
	if !ok {
		d.e.refuse(i)
		return
	}
	d.e.send(i, d.e.plan.index[name])
}

func (d *byProxy) ended(i int32, how fleet.Outcome, latency int64) {
	r := &d.e.requests[i]
	d.locals[r.proxy].Done(fleet.Time(d.e.now), d.e.plan.names[r.backend], how, time.Duration(latency))
}
