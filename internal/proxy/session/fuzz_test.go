package session

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// FuzzControllerMessage: whatever a controller says, the proxy's session lives on, what it
// sends can be sent, and who asked is answered once.
func FuzzControllerMessage(f *testing.F) {
	id := &fairleadv1.GrantID{Epoch: 7, Number: 1 << 40}
	for _, m := range []*fairleadv1.ControllerMessage{
		{},
		{Welcome: &fairleadv1.Welcome{Version: 1, MaxOutstanding: 1}, Table: &fairleadv1.Table{
			Pools: []*fairleadv1.PoolEntry{{Number: 1, Name: "work", Retries: math.MaxUint32, ConnectTimeoutMs: math.MaxUint64, Link: 9}},
		}},
		{Grants: []*fairleadv1.Grant{{Ask: 1, Id: id, Backend: "b", LimitMs: math.MaxUint64, Ticket: "t", TicketMs: math.MaxUint64}, {Ask: 1, Id: id}, {}}},
		{Refusals: []*fairleadv1.Refusal{{Ask: 2, Reason: 99, RetryAfterMs: math.MaxUint64}}, Revokes: []*fairleadv1.Revoke{{Grant: id, Reason: -1}, {}}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, true)
		f.Add(b, false)
	}
	f.Fuzz(func(t *testing.T, b []byte, direct bool) {
		m := &fairleadv1.ControllerMessage{}
		if proto.Unmarshal(b, m) != nil {
			return
		}
		s := New(Config{
			Controllers: []Controller{{Name: "controller"}},
			Logger:      slog.New(slog.DiscardHandler), Patience: time.Minute,
			OnTable: func(*fairleadv1.Table, map[uint32]*link.Pool) {},
			Status:  func() *fairleadv1.ProxyStatus { return &fairleadv1.ProxyStatus{} },
		})
		p := s.peers[0]
		p.up(&fairleadv1.ControllerMessage{Welcome: &fairleadv1.Welcome{Version: 1}, Table: &fairleadv1.Table{
			Pools: []*fairleadv1.PoolEntry{{Number: 1, Name: "work"}},
		}})
		answers := make(chan error, 2)
		for range cap(answers) {
			go func() {
				g, err := s.Ask(context.Background(), link.Request{
					Pool: &link.Pool{Number: 1, Name: "work", Direct: direct}, About: &fleet.About{Path: "/\xff"},
				})
				if g != nil {
					g.Done(link.Result{Outcome: fleet.Unused})
				}
				answers <- err
			}()
		}
		for { // both have asked
			s.mu.Lock()
			n := s.lastAsk
			s.mu.Unlock()
			if n == uint64(cap(answers)) {
				break
			}
		}
		if tab := m.GetTable(); tab != nil {
			s.takeTable(p, tab)
		}
		p.take(m)
		p.take(m)
		s.abandon()
		for range cap(answers) {
			var no *link.Refused
			if err := <-answers; err != nil && !errors.Is(err, link.ErrNoController) && !errors.As(err, &no) {
				t.Errorf("an ask ended with %v", err)
			}
		}
		for out, more := p.out.take(); out != nil || more; out, more = p.out.take() {
			if _, err := proto.Marshal(out); err != nil {
				t.Errorf("a message that cannot be sent: %v", err)
			}
		}
	})
}
