package sim

import (
	"fmt"
	"math/rand/v2"

	"github.com/fairlead/fairlead/internal/fleet"
)

// newDecider makes the decider of a policy.
func newDecider(e *engine, policy Policy) (decider, error) {
	switch policy {
	case Fairlead:
		return newRemote(e, e.plan.mind), nil
	case GlobalLeast:
		return newRemote(e, newShortest), nil
	case Central:
		return newCentral(e), nil
	}
	n, m := len(e.proxies), len(e.backends)
	switch policy {
	case Random:
		return newLocal(e, &random{e.policy}), nil
	case RoundRobin:
		return newLocal(e, &roundRobin{next: starts(e.policy, n, m)}), nil
	case LeastConn:
		return newLocal(e, &leastConn{newOwn(n, m), e.policy}), nil
	case TwoChoices:
		return newLocal(e, &twoChoices{newOwn(n, m), e.policy}), nil
	case ByProxy:
		return newByProxy(e), nil
	case PeakEWMA:
		return newLocal(e, newPeakEWMA(n, m, e.policy)), nil
	case IdleQueue:
		return newIdleQueue(e), nil
	case Prequal:
		return newPrequal(e), nil
	case WeightedRR:
		return newWeighted(e), nil
	}
	return nil, fmt.Errorf("there is no policy %q", policy)
}

// chooser is a rule by which a proxy chooses for itself.
type chooser interface {
	// choose returns one of the given backends, of which there is at least one.
	choose(now int64, proxy int32, of []int32) int32
	// ended says that a request which the proxy had sent there is over.
	ended(now int64, proxy, backend int32, how fleet.Outcome, latency int64)
}

// local is the decider of proxies that choose for themselves, at once.
type local struct {
	silent
	e    *engine
	rule chooser
}

func newLocal(e *engine, rule chooser) *local { return &local{e: e, rule: rule} }

func (l *local) arrive(i int32) {
	r := &l.e.requests[i]
	of := l.e.candidates(r)
	if len(of) == 0 {
		l.e.refuse(i)
		return
	}
	l.e.send(i, l.rule.choose(l.e.now, r.proxy, of))
}

func (l *local) ended(i int32, how fleet.Outcome, latency int64) {
	r := &l.e.requests[i]
	l.rule.ended(l.e.now, r.proxy, r.backend, how, latency)
}

// random takes any.
type random struct{ dice *rand.Rand }

func (c *random) choose(_ int64, _ int32, of []int32) int32 { return of[c.dice.IntN(len(of))] }

func (c *random) ended(int64, int32, int32, fleet.Outcome, int64) {}

// roundRobin takes one after the other. Each proxy begins elsewhere.
type roundRobin struct{ next []int }

func starts(dice *rand.Rand, proxies, backends int) []int {
	all := make([]int, proxies)
	for i := range all {
		all[i] = dice.IntN(backends)
	}
	return all
}

func (c *roundRobin) choose(_ int64, p int32, of []int32) int32 {
	c.next[p]++
	return of[c.next[p]%len(of)]
}

func (c *roundRobin) ended(int64, int32, int32, fleet.Outcome, int64) {}

// own counts what each proxy has in flight at each backend.
type own struct {
	backends int
	count    []int32
}

func newOwn(proxies, backends int) own { return own{backends, make([]int32, proxies*backends)} }

// row returns a proxy's counts, by backend.
func (o *own) row(p int32) []int32 {
	return o.count[int(p)*o.backends : (int(p)+1)*o.backends]
}

func (o *own) ended(_ int64, p, v int32, _ fleet.Outcome, _ int64) { o.row(p)[v]-- }

// leastConn takes the backend at which the proxy itself has least in flight, any of these,
// as Envoy, nginx and HAProxy do.
type leastConn struct {
	own
	dice *rand.Rand
}

func (c *leastConn) choose(_ int64, p int32, of []int32) int32 {
	row := c.row(p)
	v := leastOf(row, of, c.dice)
	row[v]++
	return v
}

// leastOf returns the one with the least count; of several any, with equal chances.
func leastOf(count, of []int32, dice *rand.Rand) int32 {
	least, ties := count[of[0]], 0
	for _, v := range of {
		if n := count[v]; n < least {
			least, ties = n, 1
		} else if n == least {
			ties++
		}
	}
	skip := dice.IntN(ties)
	for _, v := range of {
		if count[v] == least {
			if skip == 0 {
				return v
			}
			skip--
		}
	}
	return of[0]
}

// twoChoices takes the better of two at random, by the proxy's own count (Mitzenmacher,
// IEEE TPDS 12(10), 2001).
type twoChoices struct {
	own
	dice *rand.Rand
}

func (c *twoChoices) choose(_ int64, p int32, of []int32) int32 {
	row := c.row(p)
	v, u := two(of, c.dice)
	if row[u] < row[v] {
		v = u
	}
	row[v]++
	return v
}

// two returns two at random, that differ if there are two.
func two(of []int32, dice *rand.Rand) (v, u int32) {
	n := len(of)
	if n == 1 {
		return of[0], of[0]
	}
	i, j := dice.IntN(n), dice.IntN(n-1)
	if j >= i {
		j++
	}
	return of[i], of[j]
}
