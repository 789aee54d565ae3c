package backend

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

func (c *conversation) assign(confirm bool, numbers ...uint64) {
	m := &fairleadv1.BackendMessage{}
	for _, n := range numbers {
		m.Assignments = append(m.Assignments, &fairleadv1.Assignment{Grant: grantOf(n), Proxy: "p1", Confirm: confirm})
	}
	c.say(m)
}

func answers(of ...*fairleadv1.Answer) *fairleadv1.AgentMessage {
	return &fairleadv1.AgentMessage{Answers: of}
}

func TestAnswersToAssignments(t *testing.T) {
	say := func(err error) func(Assignment) error { return func(Assignment) error { return err } }
	for name, c := range map[string]struct {
		on   func(Assignment) error
		want fairleadv1.Rejection
	}{
		"nobody asks":       {nil, fairleadv1.Rejection_REJECTION_UNSPECIFIED},
		"yes":               {say(nil), fairleadv1.Rejection_REJECTION_UNSPECIFIED},
		"full":              {say(ErrFull), fairleadv1.Rejection_REJECTION_FULL},
		"full, of the disk": {say(fmt.Errorf("the disk: %w", ErrFull)), fairleadv1.Rejection_REJECTION_FULL},
		"draining":          {say(ErrDraining), fairleadv1.Rejection_REJECTION_DRAINING},
		"another no":        {say(errors.New("no licence")), fairleadv1.Rejection_REJECTION_OTHER},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t)
				cfg := m.config()
				cfg.OnAssign = c.on
				start(t, cfg)
				talk := await(t, "a session", m.sessions)
				talk.report(t)
				begun := time.Now()
				talk.assign(true, 41)
				want := answers(&fairleadv1.Answer{Grant: grantOf(41), Rejection: c.want})
				if got := talk.word(t); !proto.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
				if took := time.Since(begun); took != 0 {
					t.Errorf("the answer took %v", took)
				}
				talk.assign(false, 42)
				synctest.Wait()
				if got := talk.words(); got != nil {
					t.Errorf("nobody asked, and the answer is %v", got)
				}
			})
		})
	}
}

func TestWhatAnAssignmentSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		cfg := m.config()
		heard := make(chan Assignment, 2)
		cfg.OnAssign = func(a Assignment) error { heard <- a; return nil }
		start(t, cfg)
		talk := await(t, "a session", m.sessions)
		talk.say(&fairleadv1.BackendMessage{Assignments: []*fairleadv1.Assignment{
			{Grant: grantOf(41), Proxy: "p1", LimitMs: 1500, About: &fairleadv1.About{
				Client: "192.0.2.1", Method: "GET", Host: "a.example", Path: "/x",
				Class: fairleadv1.Class_CLASS_SHEDDABLE, Flow: "tenant-1", DeadlineMs: 250,
				Labels: []string{"gpu=a100"}, Affinity: "k1",
			}},
			{Grant: grantOf(42), LimitMs: 1 << 63, About: &fairleadv1.About{Class: 99}, Confirm: true},
		}})
		want := Assignment{
			Grant: "7.41", Proxy: "p1", Client: "192.0.2.1", Method: "GET", Host: "a.example", Path: "/x",
			Class: "sheddable", Flow: "tenant-1", Labels: []string{"gpu=a100"}, Affinity: "k1", Deadline: time.Now().Add(250 * time.Millisecond),
			Limit: 1500 * time.Millisecond,
		}
		if got := await(t, "an assignment", heard); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		want = Assignment{Grant: "7.42", Limit: 365 * 24 * time.Hour, Confirm: true}
		if got := await(t, "an assignment", heard); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestAssignmentsThatNobodyIsAskedAbout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		cfg := m.config()
		var heard []string
		cfg.OnAssign = func(a Assignment) error { heard = append(heard, a.Grant); return nil }
		r, stop := start(t, cfg)
		talk := await(t, "a session", m.sessions)
		void := &fairleadv1.GrantID{Epoch: 6, Number: 1}
		talk.say(&fairleadv1.BackendMessage{Assignments: []*fairleadv1.Assignment{{Grant: void, Confirm: true}, {Grant: void}}})
		want := answers(&fairleadv1.Answer{Grant: void, Rejection: fairleadv1.Rejection_REJECTION_WRONG_EPOCH})
		if got := talk.word(t); !proto.Equal(got, want) {
			t.Errorf("of an earlier epoch: %v, want %v", got, want)
		}
		left, cancel := context.WithCancel(context.Background())
		cancel()
		_ = r.Drain(left)
		if got := talk.word(t); !got.Drain {
			t.Errorf("got %v, want drain", got)
		}
		talk.assign(true, 41)
		talk.assign(false, 42) // it comes, whatever we say
		want = answers(&fairleadv1.Answer{Grant: grantOf(41), Rejection: fairleadv1.Rejection_REJECTION_DRAINING})
		if got := talk.word(t); !proto.Equal(got, want) {
			t.Errorf("while draining: %v, want %v", got, want)
		}
		synctest.Wait()
		if err := stop(); err != nil || len(heard) != 1 || heard[0] != "7.42" {
			t.Errorf("OnAssign was called for %v, want 7.42 alone; Run: %v", heard, err)
		}
	})
}

func TestARevokeComesAfterItsAssignment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		cfg := m.config()
		calls := make(chan string, 4)
		cfg.OnAssign = func(a Assignment) error { calls <- "assign " + a.Grant; return nil }
		cfg.OnRevoke = func(grant string) { calls <- "revoke " + grant }
		start(t, cfg)
		talk := await(t, "a session", m.sessions)
		talk.say(&fairleadv1.BackendMessage{
			Assignments: []*fairleadv1.Assignment{{Grant: grantOf(41), Confirm: true}},
			Revokes:     []*fairleadv1.Revoke{{Grant: grantOf(41), Reason: fairleadv1.Reason_REASON_NOT_COMING}},
		})
		for _, want := range []string{"assign 7.41", "revoke 7.41"} {
			if got := await(t, want, calls); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	})
}

func TestASlowOnAssignHoldsUpNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		cfg := m.config()
		called, release := make(chan struct{}), make(chan struct{})
		cfg.OnAssign = func(a Assignment) error {
			if a.Grant == "7.0" {
				close(called)
				<-release
			}
			return nil
		}
		start(t, cfg)
		talk := await(t, "a session", m.sessions)
		talk.assign(true, 0)
		await(t, "the call", called)
		many := make([]uint64, maxCalls+1)
		for i := range many {
			many[i] = uint64(i) + 1
		}
		talk.assign(true, many...)
		want := answers(&fairleadv1.Answer{Grant: grantOf(maxCalls + 1), Rejection: fairleadv1.Rejection_REJECTION_FULL})
		if got := talk.word(t); !proto.Equal(got, want) {
			t.Errorf("one too many: %v, want %v", got, want)
		}
		for range 5 {
			talk.report(t)
		}
		close(release)
		synctest.Wait()
		n := 0
		for _, word := range talk.words() {
			if proto.Size(word) > maxSent || len(word.Answers) > maxTold {
				t.Errorf("a message of %d bytes with %d answers", proto.Size(word), len(word.Answers))
			}
			n += len(word.Answers)
		}
		if n != maxCalls+1 {
			t.Errorf("%d answers, want %d", n, maxCalls+1)
		}
	})
}

func TestAnAnswerIsForItsOwnSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		cfg := m.config()
		called, release := make(chan struct{}), make(chan struct{})
		cfg.OnAssign = func(Assignment) error { close(called); <-release; return nil }
		start(t, cfg)
		first := await(t, "a session", m.sessions)
		first.assign(true, 41)
		await(t, "the call", called)
		first.finish <- status.Error(codes.Unavailable, "the controller stops")
		second := await(t, "another session", m.sessions)
		second.report(t)
		close(release)
		synctest.Wait()
		if got := second.words(); got != nil {
			t.Errorf("the second session got %v", got)
		}
	})
}
