package ticket

import "fmt"

// Reason is why a ticket was refused, as metrics and answers name it.
type Reason string

// Reasons.
const (
	Missing    Reason = "missing"     // there is no ticket
	Malformed  Reason = "malformed"   // no JWT, or not one of ours
	Algorithm  Reason = "algorithm"   // not signed with EdDSA
	UnknownKey Reason = "unknown_key" // signed with a key that the verifier does not have
	Signature  Reason = "signature"   // not signed by that key
	Expired    Reason = "expired"
	Pool       Reason = "pool"    // for another pool
	Backend    Reason = "backend" // for another backend
	Epoch      Reason = "epoch"   // of an earlier controller
	Replayed   Reason = "replayed"
	Full       Reason = "full" // the verifier cannot remember more tickets
)

var advice = map[Reason]string{
	Missing:    "send the request through a proxy of Fairlead, which adds one",
	Malformed:  "hand on the ticket as the proxy gave it, whole and unchanged",
	Algorithm:  "only tickets that the controller signed with EdDSA are taken; get one from a proxy",
	UnknownKey: "it may be of another controller, or too old; get a new one from a proxy",
	Signature:  "hand on the ticket as the proxy gave it, whole and unchanged",
	Expired:    "get a new one from a proxy, and use it at once; if it is new, set the clocks of the controller and the backend",
	Pool:       "get one for this pool from a proxy",
	Backend:    "send it to the backend that it names, or get a new one from a proxy",
	Epoch:      "the controller has restarted since; get a new one from a proxy",
	Replayed:   "a ticket is good for one request; get a new one from a proxy",
	Full:       "the backend remembers as many tickets as it can; try again when some have expired, or give the pool's tickets a shorter life",
}

// Reasons returns every reason.
func Reasons() []Reason {
	return []Reason{Missing, Malformed, Algorithm, UnknownKey, Signature, Expired, Pool, Backend, Epoch, Replayed, Full}
}

// Error says why a ticket was refused. It holds nothing that would let its reader use
// the ticket.
type Error struct {
	Reason Reason
	Detail string // a plain clause
}

// Error says in a sentence what is wrong and what to do about it.
func (e *Error) Error() string { return fmt.Sprintf("ticket: %s: %s", e.Detail, advice[e.Reason]) }

func refuse(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
