package backend

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"testing"

	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// FuzzBackendMessage: whatever a controller says, the reporter lives on, and what it would
// say next can be sent.
func FuzzBackendMessage(f *testing.F) {
	id := &fairleadv1.GrantID{Epoch: 7, Number: 1}
	for _, m := range []*fairleadv1.BackendMessage{
		{}, {Welcome: &fairleadv1.BackendWelcome{Version: 1, Epoch: math.MaxUint64}},
		{State: &fairleadv1.BackendState{Slots: math.MaxUint32, Draining: true, Drained: true}},
		{Assignments: []*fairleadv1.Assignment{
			{Grant: id, Confirm: true, About: &fairleadv1.About{Class: 99, DeadlineMs: math.MaxUint64}}, {Grant: id, LimitMs: math.MaxUint64}, {Confirm: true},
		}},
		{Revokes: []*fairleadv1.Revoke{{Grant: id, Reason: -1}, {}}},
		{Keys: &fairleadv1.Keys{Keys: []*fairleadv1.Key{{Id: "a", Public: make([]byte, 32)}, {Id: "b", Public: []byte{1}}, {}}}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, true)
		f.Add(b[:len(b)/2], false)
	}
	f.Fuzz(func(t *testing.T, b []byte, asks bool) {
		m := &fairleadv1.BackendMessage{}
		if proto.Unmarshal(b, m) != nil {
			return
		}
		cfg := Config{Controller: "127.0.0.1:7400", Pool: "p", Address: "127.0.0.1:9101", Logger: slog.New(slog.DiscardHandler)}
		if asks {
			cfg.OnAssign = func(Assignment) error { return errors.New("no") }
			cfg.OnRevoke = func(string) {}
		}
		r, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.callBack(stop)
		}()
		sent := &deaf{t: t}
		s := r.contacts[0].begin(sent, m)
		s.hear(m)
		s.hear(m)
		if err := s.report(); err != nil {
			t.Errorf("a report after that: %v", err)
		}
		close(stop)
		<-done
		if _, err := proto.Marshal(&fairleadv1.AgentMessage{Hello: r.contacts[0].hello()}); err != nil {
			t.Errorf("a hello that cannot be sent: %v", err)
		}
	})
}

// deaf is a stream whose words nobody reads, but which have to be words.
type deaf struct {
	agentStream // nil: nothing else of it is used
	t           *testing.T
}

func (d *deaf) Context() context.Context { return d.t.Context() }

func (d *deaf) Send(m *fairleadv1.AgentMessage) error {
	if _, err := proto.Marshal(m); err != nil {
		d.t.Errorf("a message that cannot be sent: %v", err)
	}
	return nil
}

// FuzzControllers: of what is taken as a list of controllers each can be dialled, once, and
// none is spoken to in plain text on another host.
func FuzzControllers(f *testing.F) {
	for _, seed := range []string{"127.0.0.1:7400", "127.0.0.1:7400, [::1]:7400", ",", "a:1,a:1", "10.0.0.9:7400,localhost:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		cfg := Config{Controller: list}
		if len(cfg.checkController()) > 0 {
			return
		}
		seen := map[string]bool{}
		for _, address := range cfg.controllers() {
			if checkAddress(address) != nil || !isLoopback(address) || seen[address] || len(seen) == maxControllers {
				t.Fatalf("%q is taken, with %q", list, address)
			}
			seen[address] = true
		}
	})
}
