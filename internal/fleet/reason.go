package fleet

// Reason says why an ask was refused or a grant was revoked. The numbers are those of
// the wire.
type Reason uint8

// Reasons.
const (
	NoReason     Reason = iota
	NoBackend           // none is up and not draining
	AllExcluded         // each one that could serve was tried
	QueueFull           // shed: the queue's limit
	QueueTimeout        // shed: waited as long as the pool allows
	UnknownPool         // not in the table
	OverLimit           // more asks outstanding than allowed
	BackendLost
	TimeLimit
	NotComing   // of an assignment: its request will not come
	TooLate     // it cannot be finished by its deadline
	RetryBudget // too many requests of the pool are tried again
	NoMatch     // no backend has the labels that it requires
	reasons
)

var reasonNames = [reasons]string{
	"none", "no_backend", "all_excluded", "queue_full", "queue_timeout",
	"unknown_pool", "over_limit", "backend_lost", "time_limit", "not_coming",
	"too_late", "retry_budget", "no_match",
}

var reasonTexts = [reasons]string{
	"no reason was given",
	"no backend of the pool is up and takes requests",
	"every backend of the pool that takes requests was tried, and none could be reached",
	"the pool's queue is full",
	"the request waited as long as the pool allows, and no slot became free",
	"the controller does not know the pool",
	"this proxy has too many requests waiting for an answer",
	"the backend was lost",
	"the request ran as long as the pool allows",
	"the request that was assigned will not come",
	"the request cannot be finished by its deadline",
	"too many requests of the pool are being tried again",
	"no backend of the pool has the labels that the request requires",
}

// String returns the name that metrics and logs use.
func (r Reason) String() string {
	if r >= reasons {
		return "unknown"
	}
	return reasonNames[r]
}

// Text returns a sentence for people, without capital or full stop.
func (r Reason) Text() string {
	if r >= reasons {
		return "for a reason that this version does not know"
	}
	return reasonTexts[r]
}

// Shed tells whether a request was turned away to protect the others (answer 429),
// rather than because nobody could serve it (503).
func (r Reason) Shed() bool {
	return r == QueueFull || r == QueueTimeout || r == OverLimit || r == TooLate || r == RetryBudget
}

// Reasons returns every reason but NoReason.
func Reasons() []Reason {
	all := make([]Reason, 0, reasons-1)
	for r := NoReason + 1; r < reasons; r++ {
		all = append(all, r)
	}
	return all
}

// Outcome says how a grant ended. The numbers are those of the wire.
type Outcome uint8

// Outcomes.
const (
	NoOutcome   Outcome = iota
	OK                  // served
	Failed              // the backend broke off
	Unreachable         // no connection was established
	Cancelled           // the client went away
	Unused              // given back: never linked
	Revoked             // cut because the controller said so
	outcomes
)

var outcomeNames = [outcomes]string{
	"none", "ok", "failed", "unreachable", "cancelled", "unused", "revoked",
}

// String returns the name that metrics and logs use.
func (o Outcome) String() string {
	if o >= outcomes {
		return "unknown"
	}
	return outcomeNames[o]
}

// Valid tells whether o is one of the outcomes a grant can end with.
func (o Outcome) Valid() bool { return o > NoOutcome && o < outcomes }

// Error tells whether o counts against the backend.
func (o Outcome) Error() bool { return o == Failed || o == Unreachable }
