//go:build unix

package main

import (
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m) }

// TestSmoke runs the program for a second, with Fairlead only. It says nothing of time:
// the machine may be busy.
func TestSmoke(t *testing.T) {
	o := options{
		Proxies: 2, Backends: 3, Slots: 4, Mean: 10 * time.Millisecond, Rho: 0.5, Law: "exp",
		Warmup: 100 * time.Millisecond, Duration: time.Second, Rounds: 1, Seed: 1, GoMaxProcs: 1, fairlead: testproc.Fairlead(t),
	}
	c := fairleadContestant(o)
	r, err := measure(t.Context(), t.TempDir(), o, c, o.Seed)
	if err != nil {
		t.Fatal(err)
	}
	law, err := newLaw(o.Law, o.Mean)
	if err != nil {
		t.Fatal(err)
	}
	due := ideal(newFleet(o.Backends, o.Slots, o.Seed, time.Minute), newArrivals(law, o.rate(), o.Seed), o.Warmup, o.Duration).Answered
	if r.Answered != due || due < 100 || r.Failed > 0 || r.Refused > 0 {
		t.Errorf("%d of %d answered, %d failed (%s), %d refused", r.Answered, due, r.Failed, r.FirstFailure, r.Refused)
	}
	if r.MostInFlight < 1 || r.MostInFlight > o.Slots {
		t.Errorf("%d in flight on one backend; it has %d slots", r.MostInFlight, o.Slots)
	}
}

// TestStopsWhatItStarted: a contestant that cannot start leaves nothing behind, and its
// error says why.
func TestStopsWhatItStarted(t *testing.T) {
	o := options{Proxies: 2, Backends: 1, Slots: 0, fairlead: testproc.Fairlead(t)} // no slots: refused
	s, err := startFairlead(t.TempDir(), o, []string{"127.0.0.1:1"}, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.await(t.Context()); err == nil {
		t.Error("serves without slots")
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	for _, p := range s.procs {
		select {
		case <-p.done:
		default:
			t.Errorf("%s still runs", p)
		}
	}
}
