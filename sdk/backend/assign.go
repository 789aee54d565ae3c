package backend

import (
	"errors"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
)

// What Config.OnAssign may return to turn an assignment away, alone or wrapped.
var (
	// ErrFull says that the backend has as much to do as it can.
	ErrFull = errors.New("this backend is full")
	// ErrDraining says that the backend is about to leave.
	ErrDraining = errors.New("this backend is draining")
)

// maxCalls is how many assignments and revokes may wait for OnAssign and OnRevoke.
const maxCalls = 1024

// Assignment is the controller's word that a request is to be processed here, before the
// request comes. It is a value; whoever gets it may keep it.
type Assignment struct {
	Grant string // "epoch.number", as in a ticket's jti and in Config.OnRevoke
	Proxy string // the name of the proxy that asked

	// What the request is, as far as it is known and the pool has it told.
	Client string // IP address
	Method string // HTTP
	Host   string // HTTP's authority, or the TLS server name
	Path   string // HTTP, without the query
	Class  string // "critical", "normal" or "sheddable"; empty: not said
	Flow   string // whose it is

	Labels   []string // "name=value" that it requires of its backend, which has them
	Affinity string   // requests with the same one come to the same backend; empty: none
	// Deadline is when the client gives up; zero: not known.
	Deadline time.Time

	Limit   time.Duration // how long the request may run; 0: any time
	Confirm bool          // the controller awaits a yes or no, and then grants or asks another
}

func newAssignment(m *fairleadv1.Assignment, now time.Time) Assignment {
	about := m.GetAbout()
	a := Assignment{
		Grant: grantID(m.GetGrant()).String(), Proxy: m.GetProxy(),
		Client: about.GetClient(), Method: about.GetMethod(), Host: about.GetHost(), Path: about.GetPath(),
		Class: className(about.GetClass()), Flow: about.GetFlow(), Labels: about.GetLabels(), Affinity: about.GetAffinity(),
		Limit: millis(m.GetLimitMs()), Confirm: m.GetConfirm(),
	}
	if about.GetDeadlineMs() > 0 {
		a.Deadline = now.Add(millis(about.GetDeadlineMs()))
	}
	return a
}

// millis converts a time of the wire, and takes more than a year for a year.
func millis(n uint64) time.Duration {
	const year = 365 * 24 * time.Hour
	return time.Duration(min(n, uint64(year.Milliseconds()))) * time.Millisecond
}

func className(c fairleadv1.Class) string {
	switch c {
	case fairleadv1.Class_CLASS_CRITICAL:
		return "critical"
	case fairleadv1.Class_CLASS_NORMAL:
		return "normal"
	case fairleadv1.Class_CLASS_SHEDDABLE:
		return "sheddable"
	}
	return ""
}

// call is one call of OnAssign, or of OnRevoke.
type call struct {
	from    *outbox // of the controller that sent it
	session uint64
	id      fleet.GrantID
	assign  *Assignment // nil: a revoke
}

// assigned takes an assignment in: it answers, or has OnAssign do so.
func (s *session) assigned(m *fairleadv1.Assignment) {
	r, id := s.r, grantID(m.GetGrant())
	switch {
	case r.grants.void(id):
		s.answer(m, fairleadv1.Rejection_REJECTION_WRONG_EPOCH)
	case m.GetConfirm() && r.draining():
		s.answer(m, fairleadv1.Rejection_REJECTION_DRAINING)
	case r.cfg.OnAssign == nil:
		s.answer(m, fairleadv1.Rejection_REJECTION_UNSPECIFIED)
	default:
		a := newAssignment(m, time.Now())
		if !r.enqueue(call{from: s.c.outbox, session: s.number, id: id, assign: &a}) {
			s.answer(m, fairleadv1.Rejection_REJECTION_FULL)
		}
	}
}

func (s *session) answer(m *fairleadv1.Assignment, no fairleadv1.Rejection) {
	if m.GetConfirm() {
		s.c.outbox.answer(s.number, grantID(m.GetGrant()), no)
	}
}

// revoked takes back a grant that runs, or an assignment.
func (s *session) revoked(id fleet.GrantID) {
	s.r.grants.revoke(id)
	if s.r.cfg.OnRevoke != nil {
		s.r.enqueue(call{from: s.c.outbox, session: s.number, id: id})
	}
}

// enqueue hands a call on without waiting. False: too many wait.
func (r *Reporter) enqueue(c call) bool {
	select {
	case r.calls <- c:
		return true
	default:
		r.slow.warn(r.cfg.Logger, time.Now(), "OnAssign or OnRevoke is too slow, and is not called for a grant; have it return sooner",
			"grant", c.id.String())
		return false
	}
}

// callBack calls OnAssign and OnRevoke until stop.
func (r *Reporter) callBack(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case c := <-r.calls:
			if c.assign == nil {
				r.cfg.OnRevoke(c.id.String())
				continue
			}
			err := r.cfg.OnAssign(*c.assign)
			if c.assign.Confirm {
				c.from.answer(c.session, c.id, rejectionOf(err))
			}
		}
	}
}

// rejectionOf says on the wire what OnAssign returned.
func rejectionOf(err error) fairleadv1.Rejection {
	switch {
	case err == nil:
		return fairleadv1.Rejection_REJECTION_UNSPECIFIED
	case errors.Is(err, ErrFull):
		return fairleadv1.Rejection_REJECTION_FULL
	case errors.Is(err, ErrDraining):
		return fairleadv1.Rejection_REJECTION_DRAINING
	}
	return fairleadv1.Rejection_REJECTION_OTHER
}
