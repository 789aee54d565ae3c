//go:build unix

package claims

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/test/tap"
)

// said is one thing that a message said. Messages gather several.
type said[T any] struct {
	tap.Heard
	it T
}

func asksIn(h tap.Heard) []*fairleadv1.Ask {
	m, _ := h.Message.(*fairleadv1.ProxyMessage)
	return m.GetAsks()
}

func usesIn(h tap.Heard) []*fairleadv1.Use {
	m, _ := h.Message.(*fairleadv1.ProxyMessage)
	return m.GetUses()
}

func donesIn(h tap.Heard) []*fairleadv1.Done {
	m, _ := h.Message.(*fairleadv1.ProxyMessage)
	return m.GetDones()
}

func grantsIn(h tap.Heard) []*fairleadv1.Grant {
	m, _ := h.Message.(*fairleadv1.ControllerMessage)
	return m.GetGrants()
}

func refusalsIn(h tap.Heard) []*fairleadv1.Refusal {
	m, _ := h.Message.(*fairleadv1.ControllerMessage)
	return m.GetRefusals()
}

func reportsIn(h tap.Heard) []*fairleadv1.OrcaLoadReport {
	m, _ := h.Message.(*fairleadv1.AgentMessage)
	if m.GetReport() == nil {
		return nil
	}
	return []*fairleadv1.OrcaLoadReport{m.GetReport()}
}

func statusesIn(h tap.Heard) []*fairleadv1.ProxyStatus {
	m, _ := h.Message.(*fairleadv1.ProxyMessage)
	if m.GetStatus() == nil {
		return nil
	}
	return []*fairleadv1.ProxyStatus{m.GetStatus()}
}

// await returns the first such thing that was said by or to somebody from a place on, and
// waits for it.
func await[T any](t *testing.T, f *fleet, from int, who, what string, in func(tap.Heard) []T, match func(T) bool) said[T] {
	t.Helper()
	var found T
	h := f.tap.Await(t, from, who+": "+what, func(h tap.Heard) bool {
		if h.Who != who {
			return false
		}
		for _, x := range in(h) {
			if match(x) {
				found = x
				return true
			}
		}
		return false
	})
	return said[T]{h, found}
}

// all returns all such things that were said from a place on by or to somebody; an
// empty who: anybody.
func all[T any](f *fleet, from int, who string, in func(tap.Heard) []T) []said[T] {
	var found []said[T]
	for _, h := range f.tap.Heard(from) {
		if who != "" && h.Who != who {
			continue
		}
		for _, x := range in(h) {
			found = append(found, said[T]{h, x})
		}
	}
	return found
}

func whatever[T any](T) bool { return true }

// decision is an ask with its grant.
type decision struct {
	ask   said[*fairleadv1.Ask]
	grant said[*fairleadv1.Grant]
}

// decided returns the first ask of a proxy for a pool from a place on, with its grant, and
// waits for both.
func (f *fleet) decided(t *testing.T, from int, p *proxy, pool string) decision {
	t.Helper()
	number := f.number(t, p, pool)
	ask := await(t, f, from, p.Name(), "an ask for "+pool, asksIn, func(a *fairleadv1.Ask) bool { return a.GetPool() == number })
	return decision{ask, f.granted(t, p, ask)}
}

// granted returns the grant that answers an ask, and waits for it.
func (f *fleet) granted(t *testing.T, p *proxy, ask said[*fairleadv1.Ask]) said[*fairleadv1.Grant] {
	t.Helper()
	return await(t, f, ask.Place, p.Name(), fmt.Sprintf("the grant for ask %d", ask.it.GetId()), grantsIn,
		func(g *fairleadv1.Grant) bool { return g.GetAsk() == ask.it.GetId() })
}

// number returns a pool's number, as a proxy's table has it.
func (f *fleet) number(t *testing.T, p *proxy, pool string) uint32 {
	t.Helper()
	entry := await(t, f, 0, p.Name(), "a table with "+pool, func(h tap.Heard) []*fairleadv1.PoolEntry {
		m, _ := h.Message.(*fairleadv1.ControllerMessage)
		return m.GetTable().GetPools()
	}, func(e *fairleadv1.PoolEntry) bool { return e.GetName() == pool })
	return entry.it.GetNumber()
}

// edit has the tap change messages until the test ends.
func (f *fleet) edit(t *testing.T, change func(tap.Heard)) {
	t.Cleanup(func() { f.tap.Edit(nil) })
	f.tap.Edit(func(h tap.Heard) proto.Message {
		change(h)
		return h.Message
	})
}
