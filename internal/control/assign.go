package control

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

// maxUntaken is how many assignments and revokes may wait for an agent to read them.
const maxUntaken = 1 << 16

// assign has an agent told that a grant is about to name its backend.
func (g *agentRegistry) assign(pool fleet.PoolName, e *dispatch.Effect, proxy string) {
	a := g.of(pool, e.Backend)
	if a == nil {
		return // it has left, and the mind is about to hear of it
	}
	m := &fairleadv1.Assignment{
		Grant: &fairleadv1.GrantID{Epoch: e.Grant.Epoch, Number: e.Grant.Number}, Proxy: proxy,
		About: aboutMessage(e.About), LimitMs: uint64(e.Limit.Milliseconds()),
		Confirm: a.r.conf().Assign == fleet.AssignConfirm,
	}
	a.write(func(next *fairleadv1.BackendMessage) {
		next.Assignments = append(next.Assignments, m)
		if !m.Confirm {
			a.notified = append(a.notified, e.Grant)
		}
	})
}

// recall has an agent told that a grant is not coming, or must end.
func (g *agentRegistry) recall(pool fleet.PoolName, e *dispatch.Effect) {
	if a := g.of(pool, e.Backend); a != nil {
		a.write(func(next *fairleadv1.BackendMessage) {
			next.Revokes = append(next.Revokes, &fairleadv1.Revoke{
				Grant:  &fairleadv1.GrantID{Epoch: e.Grant.Epoch, Number: e.Grant.Number},
				Reason: fairleadv1.Reason(e.Reason),
			})
		})
	}
}

// write changes the next message to an agent, and has it sent.
func (a *agentSession) write(change func(next *fairleadv1.BackendMessage)) {
	a.mu.Lock()
	if a.next == nil {
		a.next = &fairleadv1.BackendMessage{}
	}
	change(a.next)
	n := len(a.next.GetAssignments()) + len(a.next.GetRevokes())
	a.mu.Unlock()
	if n > maxUntaken {
		a.cancel(status.Errorf(codes.ResourceExhausted, "%d assignments and revokes wait to be read; read them as they come", n))
	}
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// maxAssignments is how many one message holds: each has up to some 2 KiB.
const maxAssignments = 1000

// sendSplit sends a message, in several where it has more assignments than one can hold.
func sendSplit(st agentStream, m *fairleadv1.BackendMessage) error {
	for len(m.GetAssignments()) > maxAssignments {
		part := &fairleadv1.BackendMessage{
			Welcome: m.Welcome, State: m.State, Keys: m.Keys, Epoch: m.Epoch, Assignments: m.Assignments[:maxAssignments],
		}
		m.Welcome, m.State, m.Keys, m.Epoch, m.Assignments = nil, nil, nil, 0, m.Assignments[maxAssignments:]
		if err := st.Send(part); err != nil {
			return err
		}
	}
	return st.Send(m)
}

// flushTime is how long written assignments may take to leave. A connection that takes
// longer carries something else that nobody reads.
const flushTime = time.Second

// onTheirWay waits until what was sent is written to the agent's connection, and answers
// the assignments in its place: only from then on may their grants be told to proxies.
func (a *agentSession) onTheirWay(ctx context.Context, grants []fleet.GrantID) error {
	if len(grants) == 0 {
		return nil
	}
	if w := wireOf(ctx); w != nil {
		limit, cancel := context.WithTimeoutCause(ctx, flushTime,
			status.Errorf(codes.DeadlineExceeded, "assignments were not read for %s", flushTime))
		defer cancel()
		if err := w.flushed(limit); err != nil {
			return err
		}
	}
	a.handAll(len(grants), func(i int) dispatch.Input {
		return &dispatch.Answer{Backend: a.key.backend, Grant: grants[i]}
	})
	return nil
}

// handAll gives inputs to the pool, unless the session has ended meanwhile.
func (a *agentSession) handAll(n int, input func(i int) dispatch.Input) {
	if n == 0 {
		return
	}
	a.r.submit(work{call: func() {
		if !a.c.agents.has(a) {
			return
		}
		for i := range n {
			a.r.step(input(i))
		}
	}})
}

// maxWords bounds what one message of an agent may say of grants.
const maxWords = 4096

// grants takes in what a message says of assignments and direct grants.
func (a *agentSession) grants(m *fairleadv1.AgentMessage) error {
	answers, arrivals, dones := m.GetAnswers(), m.GetArrivals(), m.GetDones()
	if n := max(len(answers), len(arrivals), len(dones)); n > maxWords {
		return invalid("a message tells of %d grants; at most %d are taken", n, maxWords)
	}
	for _, x := range answers {
		if x.GetRejection() < 0 || x.GetRejection() > fairleadv1.Rejection_REJECTION_OTHER {
			return invalid("an answer names rejection %d, which this version does not know", x.GetRejection())
		}
	}
	for _, d := range dones {
		if how := d.GetOutcome(); how < 0 || !fleet.Outcome(min(how, 255)).Valid() {
			return invalid("done names outcome %d, which this version does not know", how)
		}
	}
	backend := a.key.backend
	a.handAll(len(answers), func(i int) dispatch.Input {
		return &dispatch.Answer{
			Backend: backend, Grant: grantID(answers[i].GetGrant()), Rejection: fleet.Rejection(answers[i].GetRejection()),
		}
	})
	a.handAll(len(arrivals), func(i int) dispatch.Input {
		return &dispatch.Arrival{Backend: backend, Grant: grantID(arrivals[i])}
	})
	a.handAll(len(dones), func(i int) dispatch.Input {
		return &dispatch.Ended{
			Backend: backend, Grant: grantID(dones[i].GetGrant()),
			Outcome: fleet.Outcome(dones[i].GetOutcome()), Latency: micros(dones[i].GetLatencyUs()),
		}
	})
	return nil
}

func aboutMessage(about *fleet.About) *fairleadv1.About {
	if about == nil {
		return nil
	}
	return &fairleadv1.About{
		Client: about.Client, Method: about.Method, Host: about.Host, Path: about.Path,
		Class: fairleadv1.Class(about.Class), Flow: about.Flow,
		DeadlineMs: uint64(about.Deadline.Milliseconds()), Labels: about.Labels, Affinity: about.Affinity,
	}
}
