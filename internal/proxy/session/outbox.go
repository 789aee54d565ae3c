package session

import (
	"strings"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/report"
)

// outbox gathers what the next message says, while the last one is being sent. The
// session's mutex guards it.
type outbox struct {
	full []*fairleadv1.ProxyMessage // before next
	next *fairleadv1.ProxyMessage
	size int          // entries of next
	seen []fleet.Seen // scratch
}

// maxEntries bounds one message, far below the limit of the wire.
const maxEntries = 1000

// message returns the message that takes the next entry.
func (o *outbox) message() *fairleadv1.ProxyMessage {
	if o.size >= maxEntries {
		o.full = append(o.full, o.next)
		o.next = nil
	}
	if o.next == nil {
		o.next, o.size = &fairleadv1.ProxyMessage{}, 0
	}
	o.size++
	return o.next
}

// take returns the message to send, or nil, and whether there is another.
func (o *outbox) take() (m *fairleadv1.ProxyMessage, more bool) {
	if len(o.full) > 0 {
		m, o.full = o.full[0], o.full[1:]
		return m, true
	}
	m, o.next, o.size = o.next, nil, 0
	return m, false
}

func (o *outbox) ask(w *waiter, pool uint32, waited time.Duration, inFlight int, roundTrip time.Duration) {
	m := o.message()
	a := &fairleadv1.Ask{
		Id: w.id, Pool: pool, WaitedUs: uint64(max(waited, 0) / time.Microsecond), InFlight: uint32(inFlight),
		RoundTripUs: uint64((roundTrip + time.Microsecond - 1) / time.Microsecond),
	}
	for _, name := range w.exclude {
		a.Exclude = append(a.Exclude, string(name))
	}
	for i := range o.seen {
		a.Seen = append(a.Seen, seenMessage(&o.seen[i]))
	}
	if w.about != nil {
		a.About = aboutMessage(w.about, waited)
	}
	m.Asks = append(m.Asks, a)
}

// Caps of the wire on what an ask says of its request, in bytes.
const (
	maxText   = 255
	maxPath   = 1 << 10
	maxMethod = 64
)

// aboutMessage cuts what a client made too long, and drops what is not UTF-8: the wire
// takes neither. Of its deadline the time that the request has waited is gone.
func aboutMessage(about *fleet.About, waited time.Duration) *fairleadv1.About {
	deadline := about.Deadline
	if deadline > 0 {
		deadline = max(deadline-max(waited, 0), time.Millisecond)
	}
	return &fairleadv1.About{
		Client: cut(about.Client, maxText), Method: cut(about.Method, maxMethod),
		Host: cut(about.Host, maxText), Path: cut(about.Path, maxPath),
		Class: fairleadv1.Class(about.Class), Flow: cut(about.Flow, maxText),
		DeadlineMs: uint64((max(deadline, 0) + time.Millisecond - 1) / time.Millisecond),
		Labels:     about.Labels, Affinity: cut(about.Affinity, maxText),
	}
}

func cut(s string, most int) string {
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}

// hello comes before what is told later.
func (o *outbox) hello(h *fairleadv1.PoolHello) {
	if o.next != nil {
		o.full = append(o.full, o.next)
	}
	o.full = append(o.full, &fairleadv1.ProxyMessage{PoolHellos: []*fairleadv1.PoolHello{h}})
	o.next, o.size = nil, 0
}

func (o *outbox) withdraw(pool uint32, ask uint64) {
	m := o.message()
	m.Withdrawals = append(m.Withdrawals, &fairleadv1.Withdrawal{Pool: pool, Ask: ask})
}

// use tells of a request on a kept slot. Uses and dones of one slot come in their order.
func (o *outbox) use(pool uint32, id fleet.GrantID, uses uint32, about *fleet.About) {
	m := o.message()
	u := &fairleadv1.Use{Grant: grantID(id), Pool: pool, After: uint32(len(m.Dones)), Uses: uses}
	if about != nil {
		u.About = &fairleadv1.About{Class: fairleadv1.Class(about.Class), Flow: cut(about.Flow, maxText)}
	}
	m.Uses = append(m.Uses, u)
}

func (o *outbox) done(pool uint32, id fleet.GrantID, r link.Result, seen fleet.Seen, kept bool, uses uint32) {
	m := o.message()
	m.Dones = append(m.Dones, &fairleadv1.Done{
		Grant: grantID(id), Pool: pool, Outcome: fairleadv1.Outcome(r.Outcome),
		LatencyUs: uint64(max(r.Latency, 0) / time.Microsecond), Kept: kept, Uses: uses,
	})
	// A done's own latency says what there is to say, unless something went wrong or the
	// backend had a word.
	if seen.Reported || seen.Errors > 0 || r.Outcome.Error() {
		m.Dones[len(m.Dones)-1].Seen = seenMessage(&seen)
	}
}

func grantID(id fleet.GrantID) *fairleadv1.GrantID {
	return &fairleadv1.GrantID{Epoch: id.Epoch, Number: id.Number}
}

func seenMessage(s *fleet.Seen) *fairleadv1.BackendSeen {
	m := &fairleadv1.BackendSeen{
		Backend: string(s.Backend), InFlight: uint32(max(s.InFlight, 0)),
		LatencyUs: uint64(s.Latency / time.Microsecond), Errors: uint32(s.Errors),
	}
	if s.Reported {
		m.Load = report.ToORCA(s.Report)
	}
	return m
}
