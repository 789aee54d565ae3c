package dispatch

import (
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// TestNothingIsLeft runs many requests through a pool, in bursts that overflow its queue,
// with every way for them to end, and checks that nothing stays behind.
func TestNothingIsLeft(t *testing.T) {
	p, _ := benchPool(10, 4)
	p.spec.QueueLimit, p.spec.QueueTimeout = 5000, time.Hour
	now := fleet.Time(time.Second)
	for _, g := range grantsOf(p) {
		p.Step(now, &Done{Proxy: 1, Grant: g, Outcome: fleet.OK})
	}
	wakes := 0
	for i := range 40 {
		now, wakes = burst(p, now, fleet.ProxyID(2+i), wakes)
	}
	for { // what the last proxies still had ends with their grace
		at, any := p.Next()
		if !any {
			break
		}
		p.Step(at, &Tick{})
	}
	if n := p.grants.len + p.queue.len + p.running.len + p.cutting.len + p.lost.len + len(p.wakes); n != 0 {
		t.Errorf("%d things are left", n)
	}
	if len(p.proxies) != 1 || len(p.proxies[1].waiting) != 0 {
		t.Errorf("%d proxies are left, and should be one, without asks", len(p.proxies))
	}
	if p.spareAsks.len > maxSpare || p.spareGrants.len > maxSpare || p.spareAsks.len < 1000 {
		t.Errorf("%d asks and %d grants to spare", p.spareAsks.len, p.spareGrants.len)
	}
	if wakes > 1000 {
		t.Errorf("%d wakes at once, with 40 slots", wakes)
	}
	if p.counts.Granted < 200_000 {
		t.Errorf("only %d grants", p.counts.Granted)
	}
	if err := checkInside(p); err != nil {
		t.Error(err)
	}
}

// burst has a proxy ask for more than may wait, and serves them. It returns the moment at
// which that is over, and the most wakes that there were, or were before.
func burst(p *Pool, now fleet.Time, proxy fleet.ProxyID, wakes int) (fleet.Time, int) {
	p.Step(now, &SessionUp{Proxy: proxy})
	for id := range fleet.AskID(5200) {
		p.Step(now, &Ask{Proxy: proxy, ID: id, Waited: time.Duration(id % 7)})
		now += 100
	}
	for i := 0; p.queue.len > 0; i++ {
		how := fleet.OK
		if i%20 == 19 {
			how = fleet.Outcome(1 + i/20%6)
		}
		for _, g := range grantsOf(p) {
			p.Step(now, &Done{Proxy: proxy, Grant: g, Outcome: how, Latency: time.Millisecond})
		}
		wakes = max(wakes, len(p.wakes))
		now += fleet.Time(50 * time.Millisecond)
		p.Step(now, &Tick{})
	}
	p.Step(now, &SessionLost{Proxy: proxy})
	return now, wakes
}

func grantsOf(p *Pool) (ids []fleet.GrantID) {
	for g := p.running.head(); g != nil; g = g.inTime.after() {
		ids = append(ids, g.id)
	}
	return ids
}

// TestNoAllocation checks that deciding costs no memory in steady use, for those who are
// granted at once and for those who wait.
func TestNoAllocation(t *testing.T) {
	for _, limit := range []int{0, 1} {
		p, inFlight := benchPool(10, 4)
		now := fleet.Time(time.Second)
		ask, done := &Ask{Proxy: 1, ID: 1 << 20}, &Done{Proxy: 1, Outcome: fleet.OK, Latency: time.Millisecond}
		for range limit * 4 { // take all, so that one waits
			ask.ID++
			inFlight = append(inFlight, p.Step(now, ask)[0].Grant)
		}
		at := 0
		held := p.grants.len
		if got := testing.AllocsPerRun(20_000, func() {
			now += 1000
			ask.ID++
			effects := p.Step(now, ask)
			done.Grant = inFlight[at]
			if limit > 0 {
				effects = p.Step(now, done)
			}
			inFlight[at] = effects[0].Grant
			if limit == 0 {
				p.Step(now, done)
			}
			at = (at + 1) % len(inFlight)
		}); got != 0 {
			t.Errorf("%v allocations for an ask and a done, with %d in the queue", got, limit)
		}
		if p.grants.len != held {
			t.Errorf("%d grants, and should be %d", p.grants.len, held)
		}
	}
}
