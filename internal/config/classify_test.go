package config_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

// known is a pool whose two backends have labels, and which no agent joins; the next line
// is the 5th.
const known = `pools:
  - name: p
    slots: 1
    backends: [{address: "a:1", labels: {gpu: a100, tier: gold}}, {address: "b:1", labels: {gpu: t4}}]
`

// overHTTP and overTCP lead to the pool p.
const (
	overHTTP = "listeners: [{name: web, address: \":80\", protocol: http}]\nroutes:\n  - {listener: web, pool: p"
	overTCP  = "listeners: [{name: db, address: \":5432\", protocol: tcp}]\nroutes: [{listener: db, pool: p}]\n"
)

// classifyCases are about what requests are, and how much backends take.
var classifyCases = []bad{
	{"slots and workers", pool + "    workers: 2\n", `
5:14: pools[0].workers: the pool has slots, in line 3, which bound its backends already; keep slots for backends that must never have more, or workers for backends that have a queue of their own`},
	{"workers", "pools:\n  - {name: a, agents: true, workers: 0}\n  - {name: b, agents: true, workers: automatic}\n", `
2:38: pools[0].workers: must be at least 1, got 0; set workers to the number of requests that one backend works on at once, or to auto
3:38: pools[1].workers: must be a whole number, got the text "automatic"; write it in plain decimal digits, without quotes`},
	{"slots of backends with workers", "pools:\n  - name: p\n    workers: auto\n    backends: [{address: \"a:1\", slots: 2}]\n" +
		"  - name: q\n    slots: auto\n    backends: [{address: \"a:1\", slots: 2, workers: 0}]\n" +
		"  - name: r\n    slots: 3\n    backends: [{address: \"a:1\", workers: 2}]\n" +
		"  - name: s\n    backends: [{address: \"a:1\", workers: 2}, {address: \"b:1\", slots: 2}]\n", `
4:40: pools[0].backends[0].slots: the pool's backends have workers, and a queue of their own; set workers instead
7:40: pools[1].backends[0].slots: the pool's backends have workers, and a queue of their own; set workers instead
7:52: pools[1].backends[0].workers: must be at least 1, got 0; set workers to the number of requests that one backend works on at once, or to auto
10:42: pools[2].backends[0].workers: the pool's backends have slots, which are never exceeded; set slots instead, or workers of the pool
12:70: pools[3].backends[1].slots: the pool's backends have workers, and a queue of their own; set workers instead`},
	{"labels and weights", "pools:\n  - name: p\n    slots: 1\n    backends:\n      - {address: \"a:1\", labels: {-a: b, c: \"d e\", f: 1, g: }, weight: 0}\n" +
		"      - {address: \"b:1\", labels: [a], weight: 1e3}\n      - {address: \"c:1\", labels: {a: b, a: c}, weight: \"2\"}\n", `
5:35: pools[0].backends[0].labels.-a: must be the name of a label, got "-a"; use 1 to 63 letters, digits, dots, dashes and underscores, and begin with a letter or digit
5:45: pools[0].backends[0].labels.c: must be the value of a label, got "d e"; use 1 to 191 visible ASCII characters
5:55: pools[0].backends[0].labels.f: must be text, got the number 1; put quotes around it
5:58: pools[0].backends[0].labels.g: has no value; give it one, or remove the key
5:72: pools[0].backends[0].weight: must be at least 0.001, got 0; write 2 for twice as much as a weight of 1; to give it nothing, leave it out, or drain it with 'fairlead drain'
6:34: pools[0].backends[1].labels: must be a section, got a list; write name: value lines
6:47: pools[0].backends[1].weight: must be a number, got the text "1e3"; write it in plain decimal digits, without quotes
7:41: pools[0].backends[2].labels.a: is given twice, first in line 7; remove one of them
7:56: pools[0].backends[2].weight: must be a number, got the text "2"; write it in plain decimal digits, without quotes`},
	{"classes", pool + "    queue: {limit: 10}\n    classes: {critical: {limit: 11}, normal: {limit: 0}, sheddable: {timeout: 0}, vip: {}}\n    class_header: \"X Y\"\n", `
6:33: pools[0].classes.critical.limit: must be at most the pool's own queue limit, 10, got 11; lower it, or raise queue.limit
6:54: pools[0].classes.normal.limit: must be at least 1, got 0; say how many requests of the class may wait for a slot
6:79: pools[0].classes.sheddable.timeout: must be at least 1ms, got 0; say how long a request of the class may wait for a slot
6:83: pools[0].classes.vip: unknown key; remove it; known here are critical, normal, sheddable
7:19: pools[0].class_header: must be the name of an HTTP header, got "X Y"; write one such as X-Tenant, without a colon`},
	{"flow", pool + "    flow: {by: client, weights: {a: 2}}\n", `
5:33: pools[0].flow.weights: flows are clients' addresses, of which none is known beforehand; remove the weights, or tell flows by a header, a cookie, a claim or the TLS server name`},
	{"flows", "pools:\n  - {name: a, slots: 1, agents: true, flow: {by: ip}}\n  - {name: b, slots: 1, agents: true, flow: {by: header}}\n" +
		"  - {name: c, slots: 1, agents: true, flow: {by: client, name: X}}\n  - {name: d, slots: 1, agents: true, flow: {name: X}}\n" +
		"  - {name: e, slots: 1, agents: true, flow: {by: header, name: \"a:b\", weights: {a: 0, \"\": 1, b: two}}}\n" +
		"  - {name: f, slots: 1, agents: true, flow: tenant, affinity: {by: claim}}\n", `
2:50: pools[0].flow.by: must be client, header, cookie, claim or tls_name, got "ip"; write client, header, cookie, claim or tls_name
3:45: pools[1].flow.name: is missing; name the header that tells the flow
4:64: pools[2].flow.name: has no meaning for a key by client; remove it, or change by
5:45: pools[3].flow.by: is missing; say what tells it: client, header or cookie
6:64: pools[4].flow.name: must be the name of a header, got "a:b"; write one such as X-Tenant
6:84: pools[4].flow.weights.a: must be at least 0.01, got 0; write 2 for a flow that gets twice as much as one that is not listed
6:87: pools[4].flow.weights.: a flow's name has 1 to 255 bytes, got 0; write it as requests have it
6:97: pools[4].flow.weights.b: must be a number, got the text "two"; write it in plain decimal digits, without quotes
7:45: pools[5].flow: must be a section, got the text "tenant"; write key: value lines, with keys of by, name, weights
7:68: pools[5].affinity.by: must be cookie, header or client, got "claim"; write cookie, header or client`},
	{"what TCP has not", overTCP + pool + "    class_header: X-Class\n    flow: {by: claim, name: sub}\n    affinity: {by: cookie, name: sid}\n    labels_from: {gpu: X-Gpu}\n", `
7:19: pools[0].class_header: a listener that speaks tcp leads to the pool, where there are no headers; set class in the route, or lead HTTP alone to the pool
8:16: pools[0].flow.by: a listener that speaks tcp leads to the pool, where there is no claim; tell the flow by client or tls_name, or lead HTTP alone to the pool
9:20: pools[0].affinity.by: a listener that speaks tcp leads to the pool, where there is no cookie; tell the affinity by client, or lead HTTP alone to the pool
10:18: pools[0].labels_from: a listener that speaks tcp leads to the pool, where there are no headers; set labels in the route, or lead HTTP alone to the pool`},
	{"cookies of direct TCP", overTCP + pool + "    link: direct\n    class_header: X-Class\n    flow: {by: header, name: X}\n    affinity: {by: cookie, name: sid}\n", `
10:20: pools[0].affinity.by: a listener that speaks tcp leads to the pool, where there is no cookie; tell the affinity by client, or lead HTTP alone to the pool`},
	{"routes", overHTTP + ", class: vip}\n  - {listener: web, path: /b, pool: p, labels: {gpu: \"\"}}\n" + pool, `
3:37: routes[0].class: must be critical, normal or sheddable, got "vip"; write critical, normal or sheddable
4:54: routes[1].labels.gpu: must be the value of a label, got ""; use 1 to 191 visible ASCII characters`},
	{"labels that nobody has", overHTTP + ", labels: {gpu: t4, tier: gold}}\n" + known + "    labels_from: {gpu: X-Gpu, disk: X-Disk}\n", `
3:38: routes[0].labels: no backend of pool "p" has gpu=t4, tier=gold, so nobody could serve the route; give a backend these labels, or set agents to true so that backends can join by themselves
8:37: pools[0].labels_from.disk: no backend of the pool has a label disk, so nobody could serve a request with the header; give backends the label, or set agents to true so that backends can join by themselves`},
	{"spill without a zone", pool + "    spill_after: 1s\n    deadline: 25h\n    slow_start: 1\n", `
5:18: pools[0].spill_after: has no meaning for a pool that prefers no zone; set prefer to zone, or remove the key
6:15: pools[0].deadline: must be at most 24h, got 25h; say how long the client of a request waits that does not say itself, or 0 for any time
7:17: pools[0].slow_start: must be a duration, got the number 1; write a number with a unit, such as 500ms, 30s, 5m or 1h`},
	{"eject", pool + "    eject: {errors: 0, for: 1ms, most: 0%}\n    retry_budget: {ratio: 0%, least: 0}\n", `
5:21: pools[0].eject.errors: must be at least 1, got 0; say after how many errors in a row a backend gets no requests for a while; to eject none, leave eject out
5:29: pools[0].eject.for: must be at least 10ms, got 1ms; say for how long it gets none, the first time
5:40: pools[0].eject.most: must be at least 1%, got 0%; say how many of the pool's backends may be out at once, such as 10%
6:27: pools[0].retry_budget.ratio: no request could ever be tried again, as least is 0 too; set retries to 0 if that is meant, or raise one of the two`},
	{"percentages", pool + "    eject: {most: 0.1}\n    retry_budget: {ratio: 1001%, least: -1}\n", `
5:19: pools[0].eject.most: must be a percentage, got the number 0.1; say how many of the pool's backends may be out at once, such as 10%
6:27: pools[0].retry_budget.ratio: must be at most 1000%, got 1001%; say how many requests may be tried again, of those that come, such as 20%
6:41: pools[0].retry_budget.least: must be at least 0, got -1; say how many may be tried again each second, however few come`},
}

// classified is a file with every key that is about what requests are.
const classified = `
listeners: [{name: web, address: ":80", protocol: http}, {name: db, address: ":81", protocol: tcp}]
routes:
  - {listener: web, pool: a, path: /batch, class: sheddable, labels: {tier: gold, gpu: a100}}
  - {listener: web, pool: a}
  - {listener: db, pool: b, class: critical}
pools:
  - name: a
    workers: auto
    prefer: zone
    spill_after: 200ms
    classes: {critical: {limit: 1000, timeout: 1m}, sheddable: {limit: 100, timeout: 2s}}
    class_header: X-Priority
    flow: {by: claim, name: "https://example.org/tenant", weights: {gold: 4, "7": 0.5, 8: 2}}
    affinity: {by: cookie, name: lead}
    labels_from: {gpu: X-Gpu}
    deadline: 10s
    slow_start: 30s
    eject: {errors: 3, for: 1m, most: 50%}
    retry_budget: {ratio: 12.5%, least: 3.5}
    backends:
      - {address: "a:1", labels: {tier: gold, gpu: a100}, weight: 2.5, workers: 8}
      - {address: "b:1", labels: {gpu: t4}}
  - {name: b, slots: auto, agents: true, flow: {by: tls_name, weights: {a.example: 2}}, affinity: {by: client}, eject: {}}
  - {name: c, backends: [{address: "a:1", workers: 3}]}
  - {name: d, workers: 4, agents: true, flow: {by: client}, affinity: {by: header, name: X-Key}, retry_budget: {least: 0}}
`

func TestClassified(t *testing.T) {
	got, err := config.Parse(file, []byte(classified))
	if err != nil {
		t.Fatal(err)
	}
	if r := got.Routes[0]; r.Class != fleet.Sheddable || !reflect.DeepEqual(r.Labels, []string{"gpu=a100", "tier=gold"}) {
		t.Errorf("route %+v", r)
	}
	if r := got.Routes[1]; r.Class != fleet.NoClass || r.Labels != nil {
		t.Errorf("route %+v", r)
	}
	a := byDefault("a", 0, config.Backend{Address: "a:1", Labels: []string{"gpu=a100", "tier=gold"}, Weight: 2.5, Workers: 8},
		config.Backend{Address: "b:1", Labels: []string{"gpu=t4"}})
	a.Workers, a.Learn, a.Prefer, a.SpillAfter = 1, true, config.PreferZone, 200*time.Millisecond
	a.Classes[fleet.Critical] = fleet.ClassSpec{Limit: 1000, Timeout: time.Minute}
	a.Classes[fleet.Sheddable] = fleet.ClassSpec{Limit: 100, Timeout: 2 * time.Second}
	a.ClassHeader, a.Deadline, a.SlowStart = "X-Priority", 10*time.Second, 30*time.Second
	a.Flow = config.Key{By: config.ByClaim, Name: "https://example.org/tenant"}
	a.FlowWeights = map[string]float64{"gold": 4, "7": 0.5, "8": 2}
	a.Affinity, a.LabelsFrom = config.Key{By: config.ByCookie, Name: "lead"}, map[string]string{"gpu": "X-Gpu"}
	a.Eject = fleet.EjectSpec{Errors: 3, For: time.Minute, Most: 0.5}
	a.RetryBudget = fleet.BudgetSpec{Ratio: 0.125, Least: 3.5}
	b := byDefault("b", 0)
	b.Workers, b.Learn, b.Agents = 1, true, true
	b.Flow, b.FlowWeights = config.Key{By: config.ByTLSName}, map[string]float64{"a.example": 2}
	b.Affinity, b.Eject = config.Key{By: config.ByClient}, fleet.EjectSpec{Errors: 5, For: 10 * time.Second, Most: 0.1}
	c := byDefault("c", 0, config.Backend{Address: "a:1", Workers: 3})
	c.Workers = 1
	d := byDefault("d", 0)
	d.Workers, d.Agents, d.Flow = 4, true, config.Key{By: config.ByClient}
	d.Affinity, d.RetryBudget.Least = config.Key{By: config.ByHeader, Name: "X-Key"}, 0
	a.Permits, b.Permits, c.Permits, d.Permits = false, false, false, false // they have workers
	if want := []config.Pool{a, b, c, d}; !reflect.DeepEqual(got.Pools, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got.Pools, want)
	}
}
