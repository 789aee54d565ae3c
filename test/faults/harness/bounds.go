//go:build unix

package harness

// Bound is what a fault may do. It says what is true today; where more is wanted, Target
// says what.
type Bound struct {
	// Failed is how many requests may fail, in slots of a backend; beside those that were
	// on the connections of a proxy that was killed.
	Failed int
	// Wrong: as many more as the backend itself answered wrongly.
	Wrong bool
	// How they may fail, as Outcome.How says; none: in no way.
	How []string
	// Alone: a proxy that the controller does not hear uses its share of the slots, while
	// the controller may give them to others.
	Alone bool
	// Late: what was held up on its way to a backend arrives there after its slot was given
	// to another request.
	Late bool
	// Target is what is wanted instead, in a sentence; empty: nothing more.
	Target string
}

// How requests fail, as Outcome.How says.
const (
	brokeOff  = "502 backend_failed"
	lost      = "502 backend_lost"
	timeLimit = "504 time_limit"
)

// hangs is what becomes of requests on connections that one proxy had open to one backend,
// where packets are lost between these two alone: new ones go elsewhere, since nobody can
// connect, but those wait for an answer until their time is up.
var hangs = Bound{
	Late: true, Failed: 2, How: []string{timeLimit},
	Target: "a proxy gives up a connection on which nothing was acknowledged for 10 s",
}

// Beyond returns how many requests a backend may have beyond its slots.
func (b *Bound) Beyond(slots, proxies int) int {
	switch {
	case b.Late:
		return slots
	case b.Alone:
		return (slots + proxies - 1) / proxies
	}
	return 0
}

// bounds are by a fault's name. One that is not here may do nothing at all: no request
// fails, and no backend gets more requests than it has slots.
var bounds = map[string]Bound{
	"proxy frozen":                                                {Alone: true},
	"proxy cut off from the controller":                           {Alone: true},
	"proxy cut off from the controller, only what it says":        {Alone: true},
	"proxy cut off from the controller, only what it hears":       {Alone: true},
	"packets lost between a proxy and the controller, both ways":  {Alone: true},
	"packets lost between a proxy and the controller, only there": {Alone: true},
	"packets lost between a proxy and the controller, only back":  {Alone: true},
	"backend killed, restarted":                                   {Failed: 1, How: []string{brokeOff}},
	"backend frozen for longer":                                   {Failed: 1, How: []string{lost}},
	"backend accepts and never answers":                           {Failed: 1, How: []string{lost}},
	"backend cut off":                                             {Late: true, Failed: 1, How: []string{lost}},
	"backend cut off, only what it hears": {
		Late: true, Failed: 1, How: []string{lost},
	},
	"backend cut off, only what it says": {Late: true, Failed: 1, How: []string{lost}},
	// Its slots fill again after each time limit, for nobody knows that anything is wrong.
	"backend never answers, but its checks": {
		Failed: 2, How: []string{timeLimit},
		Target: "it is ejected: one slotful fails",
	},
	"backend cut off from proxies, not from checks": {
		Late: true, Failed: 2, How: []string{timeLimit},
		Target: "it is ejected: one slotful fails",
	},
	"packets lost between a proxy and a backend, both ways":  hangs,
	"packets lost between a proxy and a backend, only there": hangs,
	"packets lost between a proxy and a backend, only back":  hangs,
	"backend answers garbage":                                {Wrong: true, How: []string{brokeOff}},
	"backend answers garbage, but not its checks":            {Wrong: true, How: []string{brokeOff}},
	"backend fails at once with 500": {
		Wrong: true, How: []string{"500"},
		Target: "it does not draw requests: answers of 500 are fast, so it looks like the best backend",
	},
	"backend fails at once with 503": {Wrong: true, How: []string{"503"}},
}
