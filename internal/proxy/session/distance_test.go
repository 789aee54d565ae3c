package session

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/testproc"
)

func TestDistance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d distance
		measure := func(took time.Duration) {
			n := d.ask()
			d.answered(0) // of something else
			time.Sleep(took)
			d.answered(n)
			time.Sleep(time.Second)
			d.answered(n) // said again
		}
		if got := d.roundTrip(); got != 0 {
			t.Errorf("before any status: %v", got)
		}
		measure(8 * time.Millisecond)
		if got := d.roundTrip(); got != 8*time.Millisecond {
			t.Errorf("after one of 8 ms: %v", got)
		}
		measure(16 * time.Millisecond)
		if got := d.roundTrip(); got != 9*time.Millisecond {
			t.Errorf("after one of 16 ms: %v", got)
		}
		late := d.ask()
		time.Sleep(time.Second)
		d.ask()
		d.answered(late) // its time is not known any more
		if got := d.roundTrip(); got != 9*time.Millisecond {
			t.Errorf("after one that was late: %v", got)
		}
		d.reset()
		if got := d.roundTrip(); got != 0 {
			t.Errorf("in a new session: %v", got)
		}
		measure(0)
		if got := d.roundTrip(); got != time.Microsecond {
			t.Errorf("after one that took no time: %v", got)
		}
	})
}

// TestAskSaysHowFarAway: once the controller has answered a status, asks say how long that
// took, and all that the request is.
func TestAskSaysHowFarAway(t *testing.T) {
	r := newRig(t)
	s := r.session
	c := <-r.fake.sessions
	c.welcome(t)
	for m := range c.in {
		if n := m.GetStatus().GetNumber(); n > 0 {
			c.say(t, &fairleadv1.ControllerMessage{Status: n})
			break
		}
	}
	testproc.Await(t, 10*time.Second, "the distance", func(context.Context) error {
		if s.peers[0].distance.roundTrip() == 0 {
			return errors.New("it is not known")
		}
		return nil
	})
	about := &fleet.About{
		Class: fleet.Critical, Flow: "t1", Labels: []string{"gpu=a100"}, Affinity: "k", Deadline: 3 * time.Second,
	}
	moved := make(chan bool, 1)
	go func() {
		g, err := s.Ask(t.Context(), link.Request{Pool: r.pool, About: about, Waited: time.Second})
		if err != nil {
			t.Error(err)
			moved <- false
			return
		}
		moved <- g.Moved
		g.Done(link.Result{Outcome: fleet.Unused})
	}()
	a := c.next(t).GetAsks()[0]
	got := a.GetAbout()
	if a.GetRoundTripUs() == 0 || got.GetAffinity() != "k" || len(got.GetLabels()) != 1 || got.GetClass() != fairleadv1.Class_CLASS_CRITICAL {
		t.Errorf("the ask is %v", a)
	}
	if got.GetDeadlineMs() != 2000 {
		t.Errorf("of 3 s one is over, and the deadline is %d ms", got.GetDeadlineMs())
	}
	c.say(t, &fairleadv1.ControllerMessage{Grants: []*fairleadv1.Grant{{
		Ask: a.GetId(), Id: &fairleadv1.GrantID{Epoch: 7, Number: 1}, Backend: "b:1", Pool: 3, Moved: true,
	}}})
	if !<-moved {
		t.Error("the grant does not say that it moved")
	}
}
