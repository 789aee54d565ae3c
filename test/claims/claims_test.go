//go:build unix

package claims

import (
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m) }

// soon is how long anything awaited may take.
const soon = 20 * time.Second

// The fleet that most rows share. The queue is short so that it can be filled.
const (
	slots      = 2 // of each backend
	queueLimit = 4
)

// row is one claim and its proof.
type row struct {
	name   string
	shared func(*testing.T, *fleet) // on the shared fleet, which it leaves idle
	alone  func(*testing.T)         // on fleets of its own
}

var rows = []row{
	{name: "C1.a", alone: proxyIsChosenFirst},
	{name: "C1.b", shared: requestCausesAsk},
	{name: "C1.c", shared: loadOfEachIsKnown},
	{name: "C1.d", shared: choiceByLoad},
	{name: "C1.e", shared: grantNamesBackend},
	{name: "C1.f", shared: linkIsMade},
	{name: "C2", shared: linkRunsThroughProxy},
	{name: "C3", shared: severalMetricsEach},
	{name: "C4", alone: askCarriesLoad},
	{name: "C5.a", alone: bothWays(assigningPoolDecides)},
	{name: "C5.b", alone: bothWays(selectedIsAssigned)},
	{name: "C6", alone: bothWays(assignmentGoesFirst)},
	{name: "C7", alone: loadComesFromBackends},
	{name: "C8", shared: askTellsInFlight},
	{name: "C9", shared: controllerIsObeyed},
	{name: "C9 with permits", alone: keptSlotsAreGranted},
	{name: "C10", alone: placeCounts},
}

func TestClaims(t *testing.T) {
	shared := start(t, plan{proxies: 2, backends: 3, slots: slots, queue: queueLimit, reports: byAgent})
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if r.alone != nil {
				r.alone(t)
				return
			}
			t.Cleanup(func() { shared.awaitLoads(t, 0, 0, 0) }) // after the row's own clean-ups
			shared.awaitLoads(t, 0, 0, 0)
			r.shared(t, shared)
		})
	}
}
