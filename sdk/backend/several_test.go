package backend

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
)

// several makes controllers, and the config of a backend that reports to each.
func several(t *testing.T, n int) ([]*memory, Config) {
	all := make([]*memory, n)
	at := map[string]*memory{}
	var list []string
	for i := range all {
		all[i] = newMemory(t)
		address := fmt.Sprintf("127.0.0.1:%d", 7400+i)
		at[address] = all[i]
		list = append(list, address)
	}
	cfg := all[0].config()
	cfg.Controller = strings.Join(list, ", ")
	cfg.DialOptions = []grpc.DialOption{grpc.WithContextDialer(
		func(ctx context.Context, address string) (net.Conn, error) {
			return at[address].listener.DialContext(ctx)
		})}
	return all, cfg
}

func TestReportsReachEveryController(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, cfg := several(t, 3)
		samples := 0
		cfg.Load = func() Load { samples++; return Load{CPU: 0.5} }
		r, stop := start(t, cfg)
		for _, m := range all {
			talk := await(t, "a session", m.sessions)
			for range 4 {
				if got := talk.report(t).GetCpuUtilization(); got != 0.5 {
					t.Errorf("CPU %v, want 0.5", got)
				}
			}
		}
		if !r.State().Connected {
			t.Error("not connected")
		}
		if err := stop(); err != nil || samples != 4 {
			t.Errorf("Run: %v; %d samples for 4 intervals", err, samples)
		}
	})
}

func TestALostControllerDisturbsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, cfg := several(t, 2)
		states := make(chan State, 16)
		cfg.OnState = func(s State) { states <- s }
		r, _ := start(t, cfg)
		first, second := await(t, "a session", all[0].sessions), await(t, "a session", all[1].sessions)
		synctest.Wait()
		first.silence() // it is left after three seconds
		for range 60 {
			second.report(t)
		}
		if !r.State().Connected || len(all[1].sessions) > 0 || len(all[0].sessions) == 0 {
			t.Errorf("state %+v; %d new sessions with the good controller, %d with the bad", r.State(), len(all[1].sessions), len(all[0].sessions))
		}
		if got := len(states); got != 1 {
			t.Errorf("%d changes of state, want one", got)
		}
	})
}

func TestTicketsOfEveryControllerAreTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, cfg := several(t, 2)
		all[1].epoch = 0 // it leads nothing
		r, _ := start(t, cfg)
		first, second := await(t, "a session", all[0].sessions), await(t, "a session", all[1].sessions)
		synctest.Wait()
		check := func(m *memory, epoch, number uint64, good bool) {
			t.Helper()
			_, err := r.tickets.Check(time.Now(), sign(t, m.keyring, fleet.GrantID{Epoch: epoch, Number: number}))
			if (err == nil) != good {
				t.Errorf("a ticket of epoch %d: %v", epoch, err)
			}
		}
		check(all[0], 7, 1, true)
		check(all[1], 7, 2, true)
		check(all[1], 6, 3, false)

		second.say(&fairleadv1.BackendMessage{Epoch: 8}) // it takes over
		synctest.Wait()
		check(all[0], 7, 4, false)
		check(all[0], 8, 5, true)
		check(all[1], 8, 6, true)
		first.say(&fairleadv1.BackendMessage{Epoch: 7}) // late
		synctest.Wait()
		check(all[0], 7, 7, false)

		all[0].listener.Close()
		first.finish <- status.Error(codes.Unavailable, "gone")
		second.report(t)
		synctest.Wait()
		check(all[0], 8, 8, true) // its keys stay
	})
}

func TestDirectGrantsAreToldToEveryController(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, cfg := several(t, 2)
		cfg.Direct = true
		r, _ := start(t, cfg)
		var talks []*conversation
		for _, m := range all {
			talks = append(talks, await(t, "a session", m.sessions))
		}
		synctest.Wait()
		run := &running{of: r.grants, id: fleet.GrantID{Epoch: 7, Number: 1}, since: time.Now(), end: func() {}}
		run.enter()
		for _, talk := range talks {
			if m := talk.word(t); len(m.Arrivals) != 1 || m.Arrivals[0].Number != 1 {
				t.Errorf("%v is no arrival of grant 1", m)
			}
		}
		for i, talk := range talks {
			talk.finish <- status.Error(codes.Unavailable, "gone")
			talks[i] = await(t, "a session", all[i].sessions)
			if live := talks[i].hello.GetHello().GetLive(); len(live) != 1 || live[0].GetId().GetNumber() != 1 {
				t.Errorf("the hello lists %v", live)
			}
		}
		synctest.Wait()
		run.leave(fairleadv1.Outcome_OUTCOME_OK, time.Second)
		for _, talk := range talks {
			if m := talk.word(t); len(m.Dones) != 1 || m.Dones[0].GetGrant().GetNumber() != 1 {
				t.Errorf("%v is no done of grant 1", m)
			}
		}
	})
}

func TestAnAssignmentIsAnsweredWhereItCameFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, cfg := several(t, 2)
		cfg.OnAssign = func(Assignment) error { return ErrFull }
		start(t, cfg)
		first, second := await(t, "a session", all[0].sessions), await(t, "a session", all[1].sessions)
		second.say(&fairleadv1.BackendMessage{Assignments: []*fairleadv1.Assignment{{Grant: grantOf(3), Confirm: true}}})
		if m := second.word(t); len(m.Answers) != 1 || m.Answers[0].GetRejection() != fairleadv1.Rejection_REJECTION_FULL {
			t.Errorf("%v is no answer", m)
		}
		synctest.Wait()
		if words := first.words(); len(words) > 0 {
			t.Errorf("the other is told %v", words)
		}
	})
}

// drains begins a drain, and has every conversation hear of it.
func drains(t *testing.T, r *Reporter, talks ...*conversation) <-chan error {
	t.Helper()
	drained := make(chan error, 1)
	go func() { drained <- r.Drain(context.Background()) }()
	for _, talk := range talks {
		if m := talk.word(t); !m.Drain {
			t.Errorf("got %v, want drain", m)
		}
	}
	return drained
}

func TestADrainWaitsForEveryController(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, cfg := several(t, 3)
		all[2].listener.Close() // never there
		r, _ := start(t, cfg)
		first, second := await(t, "a session", all[0].sessions), await(t, "a session", all[1].sessions)
		drained := drains(t, r, first, second)
		first.state(4, true, true)
		synctest.Wait()
		if s := r.State(); len(drained) > 0 || s.Drained || !s.Draining {
			t.Fatalf("drained by one of two; state %+v", s)
		}
		second.state(4, true, true)
		if err := await(t, "drained", drained); err != nil || !r.State().Drained {
			t.Errorf("%v, state %+v", err, r.State())
		}
	})
}

func TestADrainWaitsForALeaderThatComesBack(t *testing.T) {
	for _, back := range []bool{true, false} {
		t.Run(fmt.Sprintf("back %v", back), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all, cfg := several(t, 2)
				all[1].epoch = 0
				r, _ := start(t, cfg)
				leader, other := await(t, "a session", all[0].sessions), await(t, "a session", all[1].sessions)
				drained := drains(t, r, leader, other)
				synctest.Wait()
				if !back {
					all[0].listener.Close()
				}
				leader.finish <- status.Error(codes.Unavailable, "gone")
				begun := time.Now()
				synctest.Wait()
				other.state(4, true, true)
				synctest.Wait()
				if len(drained) > 0 {
					t.Fatal("drained without the leader")
				}
				if back {
					again := await(t, "another session", all[0].sessions)
					again.word(t)
					again.state(4, true, true)
				}
				if err := await(t, "drained", drained); err != nil {
					t.Error(err)
				}
				if took := time.Since(begun); !back && took != leaderAway {
					t.Errorf("gave the leader up after %v, want %v", took, leaderAway)
				}
			})
		})
	}
}

// Who has just taken over may have said before that nothing runs here, as it knew of nothing.
func TestADrainGivesANewLeaderTimeToLearn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, cfg := several(t, 2)
		all[1].epoch = 0
		r, _ := start(t, cfg)
		old, next := await(t, "a session", all[0].sessions), await(t, "a session", all[1].sessions)
		drained := drains(t, r, old, next)
		next.state(4, true, true)
		synctest.Wait()
		all[0].listener.Close()
		old.finish <- status.Error(codes.Unavailable, "gone")
		next.say(&fairleadv1.BackendMessage{Epoch: 8})
		synctest.Wait()
		if len(drained) > 0 {
			t.Fatal("drained before the new leader has learnt")
		}
		next.state(4, true, false)
		for range 10 { // seconds
			next.report(t)
		}
		if len(drained) > 0 {
			t.Fatal("drained while the new leader says no")
		}
		next.state(4, true, true)
		if err := await(t, "drained", drained); err != nil {
			t.Error(err)
		}
	})
}

func TestOnlyARejectionByAllEndsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, cfg := several(t, 2)
		no := func(*fairleadv1.AgentHello) error { return status.Error(codes.NotFound, "no such pool") }
		all[0].refuse = no
		r, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		result := make(chan error, 1)
		go func() { result <- r.Run(context.Background()) }()
		talk := await(t, "a session", all[1].sessions)
		for range 30 { // seconds
			talk.report(t)
		}
		if len(result) > 0 {
			t.Fatalf("Run: %v", <-result)
		}
		talk.finish <- status.Error(codes.NotFound, "no such pool any more")
		var rejected *RejectedError
		if err := await(t, "the end of Run", result); !errors.As(err, &rejected) || rejected.Code != codes.NotFound {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestBadListsOfControllers(t *testing.T) {
	for list, words := range map[string]string{
		"127.0.0.1:7400,":                "no host:port",
		",":                              "no host:port",
		"127.0.0.1:7400,nowhere":         `"nowhere" is no host:port`,
		"127.0.0.1:7400, 127.0.0.1:7400": "twice",
		"127.0.0.1:7400,10.0.0.9:7400":   "10.0.0.9:7400 is not on this host",
		strings.Repeat("127.0.0.1:1,", 16) + "[::1]:1": "at most 16",
	} {
		_, err := New(Config{Controller: list, Pool: "render", Address: "10.0.0.1:9101"})
		if err == nil || !strings.Contains(err.Error(), "Config.Controller") || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: %v", list, err)
		}
	}
}
