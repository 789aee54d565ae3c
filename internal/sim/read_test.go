package sim_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/sim"
	"github.com/fairlead/fairlead/internal/strict"
)

const scenarioFile = "small.yaml"

// small is the least that a scenario can be.
const small = `backends: [{count: 10, workers: 4}]
pool: {workers: 4}
arrivals: {load: 90%}
`

// everything has each key.
const everything = `
name: all of it
note: >
  for a test
seeds: [1, 18446744073709551615]
requests: 1000
warmup: 0
policies: [fairlead, central]
pool:
  workers: 2
  learn: true
  queue: {limit: 0, timeout: 5s}
  assign: confirm
  assign_timeout: 100ms
  link: direct
  ticket_life: 2s
  prefer: zone
  spill_after: 5ms
  slow_start: 10s
  grant_limit: 0
  lost_after: 1m
  grace: 1s
  classes: {critical: {limit: 10}, sheddable: {limit: 5, timeout: 100ms}}
  flows: [{name: batch, weight: 0.5}]
  eject: {errors: 5, for: 10s, most: 50%}
  retry_budget: {ratio: 20%, least: 10}
proxies: [{count: 2, weight: 3, zone: a}, {zone: b}]
each_backend: {workers: 4, report: 1s, antagonist: {share: 20%, slowdown: 3, least: 2s, most: 10s}}
backends:
  - {count: 70, zone: a, labels: [gpu=b, arch=arm64], foreign: 10%}
  - {count: 30, speed: 50%, declared: 8, sharing: true, weight: 0.5, antagonist: {slowdown: stop}, error_rate: 1%, error_time: 1ms}
arrivals: {rate: 1000, burst: {high: 1.8, low: 0.733, high_for: 50ms, low_for: 150ms, each_proxy: true}}
service: {law: pareto, mean: 20ms}
network: {hop: 10us, round_trip: 2ms, jitter: 50%, loss: 0.1%, double: 1%, reorder: 2%}
faults:
  - {kind: kill-controller, at: 5s, for: 10s}
  - {kind: freeze-backend, at: 1s, on: 99}
mix:
  - {share: 9, class: critical, flows: 10, skew: 1.1, flow: team, deadline: 1s, work: 0.5}
  - {labels: [gpu=b], affinity: 100}
client_timeout: 1s
drops_cancelled: true
`

const celled = `
base:
  proxies: 16
  each_backend: {workers: 4}
  backends: [{count: 70}, {count: 30, speed: 50%}]
  pool: {workers: 4, queue: {limit: 7}}
  arrivals: {load: 90%}
  faults: [{kind: kill-proxy, at: 1s}]
cells:
  - {name: as it is}
  - {name: wide, each_backend: {workers: 16, sharing: true}, arrivals: {rate: 5}, faults: none}
  - {name: hard, pool: {slots: 4}, backends: [{count: 2}], requests: 80}
`

func read(t testing.TB, text string) []*sim.Scenario {
	t.Helper()
	all, err := sim.Read(scenarioFile, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestReadSmall(t *testing.T) {
	sc := read(t, small)[0]
	if sc.Name != "small" || sc.Requests != 100_000 || sc.Warmup != 25_000 || len(sc.Seeds) != 1 ||
		len(sc.Policies) != len(sim.Policies()) || sc.Pool.QueueTimeout != 30*time.Second || sc.Network.RoundTrip != sim.DefaultRoundTrip {
		t.Errorf("%+v", sc)
	}
	if p, b := sc.Count(); p != 1 || b != 10 {
		t.Errorf("%d proxies, %d backends", p, b)
	}
}

func TestReadEverything(t *testing.T) {
	sc := read(t, everything)[0]
	if sc.Seeds[1] != 1<<64-1 || sc.Warmup != 0 || !sc.DropsCancelled || sc.Note != "for a test" {
		t.Errorf("%+v", sc)
	}
	want := []sim.BackendGroup{
		{Count: 70, Servers: 4, Zone: "a", Labels: []string{"arch=arm64", "gpu=b"}, Foreign: .1, Report: time.Second,
			Antagonist: sim.Antagonist{Share: .2, Slowdown: 3, Least: 2 * time.Second, Most: 10 * time.Second}},
		{Count: 30, Servers: 4, Declared: 8, Speed: .5, Sharing: true, Weight: .5, Report: time.Second, ErrorRate: .01, ErrorTime: time.Millisecond,
			Antagonist: sim.Antagonist{Share: .2, Least: 2 * time.Second, Most: 10 * time.Second}},
	}
	if !reflect.DeepEqual(sc.Backends, want) {
		t.Errorf("backends %+v, want %+v", sc.Backends, want)
	}
	p := sc.Pool.PoolSpec
	if p.Workers != 2 || !p.Learn || p.QueueLimit != 0 || p.Assign != fleet.AssignConfirm || !p.Direct || !p.PreferZone ||
		p.GrantLimit != 0 || p.Classes[fleet.Sheddable].Limit != 5 || p.FlowWeights["batch"] != .5 || p.Eject.Most != .5 || p.Budget.Ratio != .2 {
		t.Errorf("pool %+v", p)
	}
	if m := sc.Mix[0]; m.Class != fleet.Critical || m.Flows != 10 || m.Work != .5 || sc.Mix[1].Share != 1 {
		t.Errorf("mix %+v", sc.Mix)
	}
}

func TestReadCells(t *testing.T) {
	all := read(t, celled)
	if len(all) != 3 || all[0].Name != "as it is" || len(all[0].Faults) != 1 || all[0].Backends[1].Servers != 4 {
		t.Fatalf("%+v", all)
	}
	wide, hard := all[1], all[2]
	if g := wide.Backends[1]; g.Servers != 16 || !g.Sharing || g.Speed != .5 || g.Count != 30 || wide.Arrivals.Load != 0 || wide.Arrivals.Rate != 5 || wide.Faults != nil {
		t.Errorf("%+v", wide)
	}
	if hard.Pool.Slots != 4 || hard.Pool.Workers != 0 || hard.Pool.QueueLimit != 7 || len(hard.Backends) != 1 || hard.Backends[0].Servers != 4 || hard.Warmup != 20 {
		t.Errorf("%+v", hard)
	}
}

func TestReadTraceFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("web.txt", "# when, work\n0ms 1ms\n2.5ms 3ms # slow\n\n2.5ms 1us\n")
	scenario := strings.Replace(small, "load: 90%", "trace: {file: web.txt}", 1)
	all, err := sim.Read(filepath.Join(dir, "x.yaml"), strings.NewReader(scenario))
	if err != nil {
		t.Fatal(err)
	}
	a := all[0].Arrivals
	if len(a.Trace) != 3 || a.Trace[1] != 2500*time.Microsecond || a.Sizes[2] != time.Microsecond || all[0].Requests != 3 || all[0].Warmup != 0 {
		t.Errorf("%+v, %d requests", a, all[0].Requests)
	}
	for text, want := range map[string]string{"soon\n": "line 1", "1ms\n1ms 2ms\n": "line 2", "1ms -2ms\n": "no work", "2ms\n1ms\n": "must rise"} {
		write("web.txt", text)
		if _, err := sim.Read(filepath.Join(dir, "x.yaml"), strings.NewReader(scenario)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("trace %q: %v, want %q", text, err, want)
		}
	}
}

// cases are files with something wrong, and what is told of it.
var cases = []struct{ text, want string }{
	{"", "1:1: the file is empty"},
	{"requests: 10\n", "1:1: backends: is missing"},
	{small + "bakends: 1\n", "4:1: bakends: unknown key; did you mean backends?"},
	{strings.Replace(small, "workers: 4}]", "workers: 0}]", 1), "1:33: backends[0].workers: must be at least 1, got 0"},
	{strings.Replace(small, ", workers: 4}]", "}]", 1), "backends[0].workers: is missing"},
	{strings.Replace(small, "load: 90%", "load: 0", 1), "3:18: arrivals.load: must be at least 1e-06, got 0"},
	{strings.Replace(small, "load: 90%", "load: 90%, rate: 7", 1), "load, rate and trace exclude each other"},
	{strings.Replace(small, "load: 90%", "trace: [2ms, 1ms]", 1), "arrivals.trace: must rise, but 1ms follows 2ms; sort it"},
	{strings.Replace(small, "load: 90%", "trace: [2ms], sizes: [1ms, 1ms]", 1), "has 2 items, the trace has 1"},
	{strings.Replace(small, "load: 90%", "trace: {file: /etc/passwd}", 1), "must be a file beside the scenario"},
	{strings.Replace(small, "load: 90%", "load: much", 1), `must be a number or a percentage, got the text "much"; write it in plain decimal digits, such as 0.9 or 90%`},
	{strings.Replace(small, "pool: {workers: 4}", "pool: {}", 1), "says neither slots nor workers"},
	{strings.Replace(small, "pool: {workers: 4}", "pool: {workers: 4, slots: 4}", 1), "exclude each other"},
	{strings.Replace(small, "count: 10", "count: 100001", 1), "at most 100000"},
	{small + "policies: [fairlaed]\n", `4:12: policies[0]: no policy is named "fairlaed"; did you mean "fairlead"?`},
	{small + "policies: [nginx]\n", `no policy is named "nginx"; there are fairlead, l-ewma,`},
	{small + "policies: [central, central]\n", "names central twice"},
	{small + "seeds: [-1]\n", "must be a seed"},
	{small + "proxies: [{weight: 0}]\n", "to have none, remove the group"},
	{small + "requests: 1000000000\nwarmup: 1\n", "at most 1000000000 are possible"},
	{small + "mix: [{share: 0}, {share: 0%}]\n", "4:6: mix: the shares are 0 in sum"},
	{small + "mix: [{labels: [gpu=a]}]\n", "4:16: mix[0].labels: no backend has [gpu=a], so these requests could never be served; give a group of backends these labels"},
	{small + "mix: [{skew: 1}]\n", "mix[0].skew: has no meaning for one flow"},
	{small + "faults: [{kind: kill-backend, at: 1s, on: 10}]\n", "4:43: faults[0].on: is 10, but there are 10 backends, counted from 0; name one that is there"},
	{small + "faults: [{kind: kill-proxy, at: 1s, on: 1}]\n", "is 1, but there are 1 proxies"},
	{small + "faults: [{at: 1s}]\n", "faults[0].kind: is missing"},
	{small + "each_backend: {antagonist: {share: 10%}}\n", "does not say how strong they are"},
	{small + "each_backend: {antagonist: {share: 10%, slowdown: 3, least: 2s, most: 1s}}\n", "is 2s, more than most, 1s; swap them"},
	{small + "each_backend: {antagonist: {share: 100%, slowdown: stop, least: 1s, most: 1s}}\n", "a share of nothing"},
	{small + "cells: [{name: x}]\n", "1:11: backends: stands beside cells; move it under base"},
	{"base: {requests: 1}\n", "a base without cells"},
	{celled + "  - {name: wide}\n", `cell "wide" is given twice, first in line 11; rename one of them`},
	{celled + "  - {requests: 1}\n", "cells[3].name: is missing"},
	{celled + "  - {name: x, backends: [{count: 5}], faults: [{kind: kill-backend, at: 1s, on: 5}]}\n", "13:81: cells[3].faults[0].on: is 5"},
	{strings.Replace(celled, "proxies: 16", "proxies: 16\n  mix: [{labels: [a=b]}]", 1), `4:18: base.mix[0].labels: in cell "as it is": no backend has`},
	{strings.Replace(celled, "proxies: 16", "proxies: 0", 1), "base.proxies: must be at least 1, got 0"},
}

func TestReadRefuses(t *testing.T) {
	for _, c := range cases {
		all, err := sim.Read(scenarioFile, strings.NewReader(c.text))
		var errs strict.Errors
		if !errors.As(err, &errs) || all != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\nis read with %v\nwant %s", c.text, err, c.want)
		}
	}
	if _, err := sim.Read(scenarioFile, bytes.NewReader(make([]byte, sim.MaxSize+1))); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a large file: %v", err)
	}
}

func TestCellLimit(t *testing.T) {
	var b strings.Builder
	b.WriteString(celled)
	for i := range sim.MaxCells {
		fmt.Fprintf(&b, "  - {name: c%d}\n", i)
	}
	if _, err := sim.Read(scenarioFile, strings.NewReader(b.String())); err == nil || !strings.Contains(err.Error(), "more than 1000 cells") {
		t.Errorf("%v", err)
	}
}

// again writes a scenario and reads it back.
func again(t testing.TB, sc *sim.Scenario) {
	t.Helper()
	var b bytes.Buffer
	if err := sim.Write(&b, sc); err != nil {
		t.Fatal(err)
	}
	back, err := sim.Read("back.yaml", bytes.NewReader(b.Bytes()))
	if err != nil || len(back) != 1 || !reflect.DeepEqual(back[0], sc) {
		t.Fatalf("%v\n%+v\nis written as\n%s\nand read as\n%+v", err, sc, b.String(), back)
	}
}

func TestWrite(t *testing.T) {
	texts := []string{small, everything, celled,
		strings.Replace(small, "load: 90%", "trace: [0s, 1ms, 1.5s], sizes: [1us, 2ms, 1ns]", 1)}
	for _, text := range texts {
		for _, sc := range read(t, text) {
			again(t, sc)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{small, everything, celled} {
		f.Add(text)
	}
	for _, c := range cases {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := sim.Read(filepath.Join(t.TempDir(), "fuzz.yaml"), strings.NewReader(text))
		if err != nil {
			if all != nil {
				t.Fatalf("%v, with %v", err, all)
			}
			return
		}
		for _, sc := range all {
			proxies, backends := sc.Count()
			if sc.Name == "" || proxies < 1 || backends < 1 || len(sc.Policies) == 0 || len(sc.Seeds) == 0 || sc.Requests < 1 {
				t.Fatalf("%+v", sc)
			}
			if backends <= 1000 {
				again(t, sc)
			}
		}
	})
}
