package replay_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/record"
	"github.com/fairlead/fairlead/internal/replay"
)

// day is what a pool of three backends, one of them slow, saw: asks each 2 ms, of which
// some wait.
func day(t testing.TB) []byte {
	t.Helper()
	spec := fleet.PoolSpec{Name: "render", Slots: 1, QueueLimit: 4, QueueTimeout: 20 * time.Millisecond, Grace: time.Second, AssignTimeout: time.Second, TicketLife: time.Second}
	mind := dispatch.New(spec, 7)
	b := record.Begin(nil)
	w, b, err := record.NewWriter(b, 1, spec, 7)
	if err != nil {
		t.Fatal(err)
	}
	type done struct {
		at fleet.Time
		in dispatch.Done
	}
	var running []done
	step := func(now fleet.Time, in dispatch.Input) {
		effects := mind.Step(now, in)
		if b, err = w.Step(b, now, in, effects); err != nil {
			t.Fatal(err)
		}
		for _, e := range effects {
			if e.Kind == dispatch.Granted {
				took := 4 * time.Millisecond
				if e.Backend == "slow:1" {
					took *= 2
				}
				running = append(running, done{now.Add(took), dispatch.Done{Proxy: e.Proxy, Grant: e.Grant, Outcome: fleet.OK, Latency: took}})
			}
		}
	}
	step(1, &dispatch.SessionUp{Proxy: 1})
	for _, name := range []fleet.BackendName{"a:1", "b:1", "slow:1"} {
		step(1, &dispatch.Join{Spec: fleet.BackendSpec{Name: name}})
		step(1, &dispatch.Health{Backend: name, Up: true})
	}
	for i := range 1000 {
		now := fleet.Time(time.Duration(i+1) * time.Millisecond)
		for len(running) > 0 && running[0].at <= now {
			d := running[0]
			running = running[1:]
			step(now, &d.in)
		}
		if i%3 != 0 {
			step(now, &dispatch.Ask{Proxy: 1, ID: fleet.AskID(i + 1)})
		}
	}
	return b
}

func TestReplay(t *testing.T) {
	s, err := replay.Run(bytes.NewReader(day(t)))
	if err != nil {
		t.Fatal(err)
	}
	p := s.Pools[0]
	if p.Differs != "" || p.Lost != 0 || p.Granted < 300 || len(p.Refused) == 0 || p.WaitMean <= 0 || p.WaitP99 > p.WaitMost || p.Span < 900*time.Millisecond {
		t.Errorf("granted %d, refused %v, lost %d, differs %q, waits %v %v %v, in %v", p.Granted, p.Refused, p.Lost, p.Differs, p.WaitMean, p.WaitP99, p.WaitMost, p.Span)
	}
	sc, err := p.Scenario()
	if err != nil {
		t.Fatal(err)
	}
	if sc.Requests != 666 || len(sc.Arrivals.Sizes) != 666 || len(sc.Backends) != 3 || sc.Backends[0].Servers != 1 || sc.Proxies[0].Count != 1 {
		t.Errorf("%d requests, %d backends, %d proxies", sc.Requests, len(sc.Backends), sc.Proxies[0].Count)
	}
	// Every request is the same work; the slow backend needs twice the time for it.
	if fast, slow := sc.Backends[0].Speed, sc.Backends[2].Speed; fast < 1.9*slow || fast > 2.1*slow {
		t.Errorf("speeds %v and %v", fast, slow)
	}
	for _, size := range sc.Arrivals.Sizes {
		if size < sc.Service.Mean*9/10 || size > sc.Service.Mean*11/10 {
			t.Fatalf("a request's work is %v, on average %v", size, sc.Service.Mean)
		}
	}
}

// TestReplayTellsTheTruth changes a log: a replay has to notice.
func TestReplayTellsTheTruth(t *testing.T) {
	log := string(day(t))
	run := func(log string) (*replay.Pool, error) {
		s, err := replay.Run(strings.NewReader(log))
		if err != nil {
			return nil, err
		}
		return s.Pools[0], nil
	}
	at := strings.Index(log, `{"p":1,"t":500`)
	lossy, err := run(log[:at] + `{"p":1,"lost":5}` + "\n" + log[at:])
	if err != nil || lossy.Lost != 5 || lossy.LostAt == 0 {
		t.Fatalf("it lacks nothing: %v", err)
	}
	if _, err := lossy.Scenario(); err == nil || !strings.Contains(err.Error(), "lacks 5 steps") {
		t.Errorf("%v", err)
	}
	i := at + strings.Index(log[at:], `,"e":"`) + len(`,"e":"`)
	other, err := run(log[:i] + "zzz" + log[i+3:])
	if err != nil || !strings.Contains(other.Differs, "line ") {
		t.Errorf("another digest is not seen: %v", err)
	}
	swapped := strings.Replace(log, `"k":"health","in":{"Backend":"a:1","Up":true}`, `"k":"health","in":{"Backend":"a:1"}`, 1)
	if p, err := run(swapped); err != nil || p.Differs == "" {
		t.Errorf("another input makes no difference: %v", err)
	}
	if _, err := run(fmt.Sprintf("%sx", log[:at])); err != nil {
		t.Errorf("a log that a crash ended: %v", err)
	}
	if _, err := run("pools:\n"); err == nil {
		t.Error("a config is replayed")
	}
}

// FuzzRun feeds logs that no controller wrote: they may be refused, and nothing else.
func FuzzRun(f *testing.F) {
	log := day(f)
	f.Add([]byte("pools:\n"))
	f.Add(log[:4000])
	f.Add(bytes.ReplaceAll(log[:3000], []byte(`"k":"tick"`), []byte(`"k":"arrival"`)))
	f.Fuzz(func(t *testing.T, log []byte) {
		s, err := replay.Run(bytes.NewReader(log))
		if err != nil {
			return
		}
		for _, p := range s.Pools {
			if sc, err := p.Scenario(); err == nil && (sc.Requests != len(sc.Arrivals.Trace) || len(sc.Backends) == 0 || sc.Service.Mean <= 0) {
				t.Errorf("%d requests, %d backends, %v", sc.Requests, len(sc.Backends), sc.Service.Mean)
			}
		}
	})
}
