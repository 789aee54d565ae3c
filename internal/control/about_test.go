package control

import (
	"math"
	"reflect"
	"testing"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

func TestDescribe(t *testing.T) {
	about := &fairleadv1.About{
		Client: "192.0.2.7", Method: "GET", Host: "h", Path: "/p", Class: 9, Flow: "t1", DeadlineMs: math.MaxUint64,
		Labels: []string{"tier=gold", "gpu=a100", "tier=gold"}, Affinity: "k",
	}
	p := &proxySession{c: &Controller{}, hello: &fairleadv1.ProxyHello{Zone: "a"}}
	var out dispatch.Ask
	r := &runner{}
	r.config.Store(&config.Pool{Prefer: config.PreferZone})
	r.describes.Store(true)
	if err := p.describe(&out, about, r); err != nil {
		t.Fatal(err)
	}
	want := &fleet.About{
		Client: "192.0.2.7", Method: "GET", Host: "h", Path: "/p", Class: fleet.Normal, Flow: "t1", Deadline: maxDuration,
		Labels: []string{"gpu=a100", "tier=gold"}, Affinity: "k",
	}
	if !reflect.DeepEqual(out.About, want) || out.Zone != "a" {
		t.Errorf("got %+v in zone %q, want %+v", out.About, out.Zone, want)
	}
	out = dispatch.Ask{}
	plain := &runner{}
	plain.config.Store(&config.Pool{})
	if err := p.describe(&out, about, plain); err != nil || out.About != nil || out.Zone != "" {
		t.Errorf("nobody wants to know, and the mind is told %+v, %v", out, err)
	}
}

func TestAskCarriesRoundTrip(t *testing.T) {
	for us, want := range map[uint64]time.Duration{0: 0, 250: 250 * time.Microsecond, math.MaxUint64: silence} {
		p := &proxySession{c: deciding(t)}
		b := &batch{}
		if err := p.addAsk(func(uint32) *batch { return b }, &fairleadv1.Ask{Id: 1, Pool: 1, RoundTripUs: us}); err != nil {
			t.Fatal(err)
		}
		if got := b.asks[0].RoundTrip; got != want {
			t.Errorf("%d us are %v, want %v", us, got, want)
		}
	}
}

// TestPoolSpec: what a config says gets to the pool's mind, each field of it.
func TestPoolSpec(t *testing.T) {
	conf := config.Pool{
		Name: "p", Workers: 1, Learn: true, Prefer: config.PreferZone, SpillAfter: 1, SlowStart: 2,
		Classes:     [fleet.Classes]fleet.ClassSpec{fleet.Critical: {Limit: 3, Timeout: 4}},
		FlowWeights: map[string]float64{"t": 5}, Eject: fleet.EjectSpec{Errors: 6, For: 7, Most: 0.8},
		RetryBudget: fleet.BudgetSpec{Ratio: 0.9, Least: 10},
	}
	got := poolSpec(conf, 2)
	want := fleet.PoolSpec{
		Name: "p", Workers: 1, Learn: true, PreferZone: true, SpillAfter: 1, SlowStart: 2, Classes: conf.Classes,
		FlowWeights: conf.FlowWeights, Eject: conf.Eject, Budget: conf.RetryBudget,
		FirstGrant: 2 << 40, Grace: grace, TicketLife: grace,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	b := backendSpec(config.Backend{Address: "a:1", Zone: "z", Workers: 2, Labels: []string{"gpu=a100"}, Weight: 3})
	if want := (fleet.BackendSpec{Name: "a:1", Zone: "z", Workers: 2, Labels: []string{"gpu=a100"}, Weight: 3}); !reflect.DeepEqual(b, want) {
		t.Errorf("got %+v, want %+v", b, want)
	}
}

// TestDescribes: pools are told what requests are where it is of use, and only there.
func TestDescribes(t *testing.T) {
	for name, c := range map[string]struct {
		conf   config.Pool
		routes []config.Route
		want   bool
	}{
		"plain":            {want: false},
		"zone":             {conf: config.Pool{Prefer: config.PreferZone}},
		"assign":           {conf: config.Pool{Assign: fleet.AssignNotify}, want: true},
		"class header":     {conf: config.Pool{ClassHeader: "X"}, want: true},
		"class limit":      {conf: config.Pool{Classes: [fleet.Classes]fleet.ClassSpec{2: {Limit: 1}}}, want: true},
		"flow":             {conf: config.Pool{Flow: config.Key{By: config.ByClient}}, want: true},
		"affinity":         {conf: config.Pool{Affinity: config.Key{By: config.ByClient}}, want: true},
		"labels":           {conf: config.Pool{LabelsFrom: map[string]string{"a": "X"}}, want: true},
		"deadline":         {conf: config.Pool{Deadline: 1}, want: true},
		"class of a route": {routes: []config.Route{{Class: fleet.Critical}}, want: true},
		"label of a route": {routes: []config.Route{{Labels: []string{"a=b"}}}, want: true},
		"another's route":  {routes: []config.Route{{Pool: "other", Labels: []string{"a=b"}}}},
		"a plain route":    {routes: []config.Route{{}}},
	} {
		if got := describes(&c.conf, c.routes); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
