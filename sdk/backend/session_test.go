package backend

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

func TestHelloComesFirstAndAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		cfg := m.config()
		cfg.Public, cfg.Direct = "https://b1.example.org:443", true
		cfg.Slots, cfg.Workers, cfg.Labels = 0, 4, map[string]string{"tier": "gold", "gpu": "a100"}
		_, stop := start(t, cfg)
		talk := await(t, "a session", m.sessions)
		hello := talk.hello.GetHello()
		want := &fairleadv1.AgentMessage{Hello: &fairleadv1.AgentHello{
			Versions: &fairleadv1.Versions{Oldest: 1, Newest: 1},
			Pool:     "render", Address: "10.0.0.1:9101", Workers: 4, Zone: "a", Labels: []string{"gpu=a100", "tier=gold"},
			Instance: hello.GetInstance(), Software: "fairlead sdk/backend (Go)",
			Public: "https://b1.example.org:443", Assignments: true, Direct: true,
		}}
		if !proto.Equal(talk.hello, want) || len(hello.GetInstance()) < 20 {
			t.Errorf("hello is %v, want %v", talk.hello, want)
		}
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		await(t, "the agent's leaving", talk.gone)
	})
}

func TestReportsEachInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		cfg := m.config()
		samples := 0
		cfg.Load = func() Load {
			samples++
			return Load{CPU: 0.5, Memory: 7, Application: math.NaN(), RPS: -1,
				Named: map[string]float64{Load1: 2, "bad": math.Inf(1)}}
		}
		_, stop := start(t, cfg)
		talk := await(t, "a session", m.sessions)
		want := &fairleadv1.OrcaLoadReport{CpuUtilization: 0.5, MemUtilization: 1,
			NamedMetrics: map[string]float64{Load1: 2}}
		begun := time.Now()
		for range 5 {
			if got := talk.report(t); !proto.Equal(got, want) {
				t.Errorf("report %v, want %v", got, want)
			}
		}
		if took := time.Since(begun); took != 4*time.Second {
			t.Errorf("5 reports took %v, want 4 s", took)
		}
		if err := stop(); err != nil || samples != 5 {
			t.Errorf("Run: %v, after %d samples", err, samples)
		}
	})
}

func TestAChangeIsReportedAtOnceButNotTooOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		r, _ := start(t, m.config())
		talk := await(t, "a session", m.sessions)
		begun := time.Now()
		if got := talk.report(t); got.NamedMetrics[InFlight] != 0 || len(got.NamedMetrics) != 0 {
			t.Errorf("who counts nothing reports %v", got)
		}
		end := r.Begin()
		if got := talk.report(t).NamedMetrics[InFlight]; got != 1 {
			t.Errorf("in flight %v, want 1", got)
		}
		end(false)
		end(false)
		if got := talk.report(t).NamedMetrics[InFlight]; got != 0 {
			t.Errorf("in flight %v, want 0", got)
		}
		if took := time.Since(begun); took != 2*reportGap {
			t.Errorf("two changes took %v, want %v", took, 2*reportGap)
		}
		r.Set(Load{CPU: 0.5})
		if got := talk.report(t).CpuUtilization; got != 0.5 {
			t.Errorf("CPU %v, want 0.5", got)
		}
		r.Set(Load{CPU: 0.52}) // less than 5 %
		if got := talk.report(t); got.CpuUtilization != 0.52 || time.Since(begun) != time.Second {
			t.Errorf("report %v after %v, want the one of the interval", got, time.Since(begun))
		}
	})
}

func TestRatesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		r, _ := start(t, m.config())
		talk := await(t, "a session", m.sessions)
		talk.report(t)
		for i := range 10 {
			r.Begin()(i < 3)
		}
		got := talk.report(t)
		for got.GetRpsFractional() == 0 { // what came before the interval knows no rate
			got = talk.report(t)
		}
		if got.GetRpsFractional() != 10 || got.GetEps() != 3 {
			t.Errorf("report %v, want rps 10 and eps 3", got)
		}
	})
}

func TestASilentControllerIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		states := make(chan State, 16)
		cfg := m.config()
		cfg.OnState = func(s State) { states <- s }
		r, _ := start(t, cfg)
		talk := await(t, "a session", m.sessions)
		talk.state(8, false, false)
		if got := await(t, "connected", states); !got.Connected {
			t.Errorf("state %+v", got)
		}
		if got := await(t, "slots", states); got != (State{Connected: true, Slots: 8}) {
			t.Errorf("state %+v", got)
		}
		synctest.Wait()
		talk.silence()
		begun := time.Now()
		if got := await(t, "lost", states); got != (State{Slots: 8}) || r.State() != got {
			t.Errorf("state %+v", got)
		}
		if took := time.Since(begun); took != silence {
			t.Errorf("noticed after %v, want %v", took, silence)
		}
		again := await(t, "another session", m.sessions)
		if again.hello.GetHello().GetInstance() != talk.hello.GetHello().GetInstance() {
			t.Error("another instance; the process is the same")
		}
	})
}

func TestDrainIsToldToEachControllerAndAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		r, _ := start(t, m.config())
		first := await(t, "a session", m.sessions)
		first.report(t)
		drained := make(chan error, 1)
		go func() { drained <- r.Drain(context.Background()) }()
		if got := await(t, "the drain", first.messages); !proto.Equal(got, &fairleadv1.AgentMessage{Drain: true}) {
			t.Errorf("got %v, want drain and nothing else", got)
		}
		first.state(4, true, false)
		synctest.Wait()
		first.finish <- status.Error(codes.Unavailable, "the controller stops")
		second := await(t, "another session", m.sessions)
		if got := await(t, "the drain again", second.messages); !got.Drain {
			t.Errorf("got %v, want drain", got)
		}
		synctest.Wait()
		if len(drained) > 0 {
			t.Fatalf("drained too early: %v", <-drained)
		}
		second.state(4, true, true)
		if err := await(t, "drained", drained); err != nil {
			t.Error(err)
		}
	})
}

// A controller may gather its first state with the welcome, and then has no more to say.
func TestTheWelcomeMayBringTheState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.early = &fairleadv1.BackendState{Slots: 6, Draining: true, Drained: true}
		r, _ := start(t, m.config())
		if err := r.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		if got := r.State(); got != (State{Connected: true, Slots: 6, Draining: true, Drained: true}) {
			t.Errorf("state %+v", got)
		}
	})
}

func TestDrainEndsWithItsContextAndWithRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		r, stop := start(t, m.config())
		await(t, "a session", m.sessions)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err := r.Drain(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "still in flight") {
			t.Errorf("Drain: %v", err)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		if err := r.Drain(context.Background()); !errors.Is(err, ErrStopped) {
			t.Errorf("Drain after Run: %v", err)
		}
		if err := r.Run(context.Background()); err == nil {
			t.Error("Run ran twice")
		}
	})
}

func TestPermanentErrorsEndRun(t *testing.T) {
	for _, code := range []codes.Code{codes.FailedPrecondition, codes.InvalidArgument, codes.NotFound} {
		t.Run(code.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t)
				m.refuse = func(*fairleadv1.AgentHello) error { return status.Error(code, "because of this") }
				r, err := New(m.config())
				if err != nil {
					t.Fatal(err)
				}
				err = r.Run(context.Background())
				var rejected *RejectedError
				if !errors.As(err, &rejected) || rejected.Code != code || rejected.Message != "because of this" {
					t.Errorf("Run: %v", err)
				}
			})
		})
	}
}

func TestAnUnknownVersionEndsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.version = 2
		r, err := New(m.config())
		if err != nil {
			t.Fatal(err)
		}
		var rejected *RejectedError
		if err := r.Run(context.Background()); !errors.As(err, &rejected) || rejected.Code != codes.FailedPrecondition {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestATakenNameIsTriedForAWhile(t *testing.T) {
	for _, c := range []struct {
		name   string
		taken  time.Duration
		joined bool
	}{{"its old session dies", 4 * time.Second, true}, {"it is another's", time.Hour, false}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t)
				free := time.Now().Add(c.taken)
				m.refuse = func(*fairleadv1.AgentHello) error {
					if time.Now().Before(free) {
						return status.Error(codes.AlreadyExists, "another has it")
					}
					return nil
				}
				r, err := New(m.config())
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				result := make(chan error, 1)
				go func() { result <- r.Run(ctx) }()
				if c.joined {
					await(t, "a session", m.sessions)
					cancel()
				}
				err = await(t, "the end of Run", result)
				if (err == nil) != c.joined {
					t.Errorf("Run: %v", err)
				}
			})
		})
	}
}

func TestRunEndsWhileTheControllerIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.listener.Close()
		r, err := New(m.config())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := r.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}
