package probe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errIll     = errors.New("it is ill")
	errRefused = fmt.Errorf("cannot connect: %w", syscall.ECONNREFUSED)
)

// news is one report, or one check, with the moment of it.
type news struct {
	pool    fleet.PoolName
	backend string
	up      bool
	at      time.Duration // since the world began
}

// world is a Prober within a synctest bubble, with checks that the test answers.
type world struct {
	*Prober
	t       *testing.T
	begun   time.Time
	reports chan news
	checks  chan news

	mu     sync.Mutex // guards what is below
	health map[string]error
	hold   map[string]chan struct{} // a check of it waits for this
}

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, begun: time.Now(),
		reports: make(chan news, 4096), checks: make(chan news, 4096),
		health: map[string]error{}, hold: map[string]chan struct{}{},
	}
	w.Prober = New(func(target Target, v Verdict) {
		if !v.Since.Equal(time.Now()) && v.Since.After(time.Now()) || v.Why == "" {
			t.Errorf("verdict %+v", v)
		}
		w.reports <- news{target.Pool, string(target.Backend), v.Up, time.Since(w.begun)}
	}, nil)
	w.check = func(ctx context.Context, address string, _ config.Health) error {
		w.checks <- news{backend: address, at: time.Since(w.begun)}
		w.mu.Lock()
		hold, err := w.hold[address], w.health[address]
		w.mu.Unlock()
		if hold != nil {
			select {
			case <-hold:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-result; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return w
}

func (w *world) set(backend string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.health[backend] = err
}

// none fails if something has come that should not have.
func none(t *testing.T, what string, ch chan news) {
	t.Helper()
	synctest.Wait()
	if len(ch) > 0 {
		t.Fatalf("%s: %+v", what, <-ch)
	}
}

func tcp() config.Health { return config.DefaultHealth() }

func target(pool, backend string) Target {
	return Target{fleet.PoolName(pool), fleet.BackendName(backend), tcp()}
}

func TestTheFirstCheckDecidesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.set("b:1", errIll)
		w.Set([]Target{target("p", "a:1"), target("p", "b:1")})
		up := map[string]bool{}
		for range 2 {
			r := <-w.reports
			up[r.backend] = r.up
			if r.at != 0 {
				t.Errorf("reported after %v", r.at)
			}
		}
		if !up["a:1"] || up["b:1"] {
			t.Errorf("verdicts %v", up)
		}
	})
}

// TestABackendThatStarts: until it was up for the first time a backend is checked often,
// and up at the first success; but not for ever.
func TestABackendThatStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.set("a:1", errRefused)
		w.set("b:1", errRefused)
		w.Set([]Target{target("p", "a:1")})
		if r := <-w.reports; r.up {
			t.Fatalf("report %+v", r)
		}
		w.set("a:1", nil)
		if r := <-w.reports; !r.up || r.at > 300*time.Millisecond {
			t.Errorf("report %+v, want up within 300 ms", r)
		}
		w.set("a:1", errRefused)
		<-w.reports // down: from now on it takes all of Rise
		w.set("a:1", nil)
		down := time.Since(w.begun)
		if r := <-w.reports; !r.up || r.at-down < 1800*time.Millisecond {
			t.Errorf("report %+v after %v, want up after two checks", r, r.at-down)
		}
		w.Set([]Target{target("p", "b:1")})
		<-w.reports
		time.Sleep(20 * time.Second) // of the bubble's clock
		for len(w.checks) > 0 {
			<-w.checks
		}
		first := <-w.checks
		if second := <-w.checks; second.at-first.at < 1800*time.Millisecond {
			t.Errorf("after 20 s in vain it is checked each %v", second.at-first.at)
		}
	})
}

func TestFallAndRise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Set([]Target{target("p", "a:1")})
		<-w.reports
		<-w.checks
		w.set("a:1", errRefused) // unsuspected, it takes all of Fall
		var last news
		for range 3 {
			none(t, "a report before Fall", w.reports)
			c := <-w.checks
			if gap := c.at - last.at; gap < 1800*time.Millisecond || gap > 2200*time.Millisecond {
				t.Errorf("checked after %v, want 2 s and at most 10 %% beside", gap)
			}
			last = c
		}
		if r := <-w.reports; r.up || r.at != last.at {
			t.Errorf("report %+v, want down at %v", r, last.at)
		}
		w.set("a:1", nil)
		<-w.checks
		none(t, "a report before Rise", w.reports)
		if r := <-w.reports; !r.up {
			t.Errorf("report %+v, want up", r)
		}
	})
}

func TestASuccessBetweenFailuresStartsTheCountAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Set([]Target{target("p", "a:1")})
		<-w.checks
		for _, err := range []error{errIll, errIll, nil, errIll, errIll, nil} {
			synctest.Wait()
			w.set("a:1", err)
			<-w.checks
		}
		<-w.reports
		none(t, "a second report", w.reports)
	})
}

func TestARefusedSuspectIsDownAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Set([]Target{target("p", "a:1")})
		<-w.reports
		w.set("a:1", errRefused)
		w.Suspect("p", "a:1")
		if r := <-w.reports; r.up || r.at != 0 {
			t.Errorf("report %+v, want down at once", r)
		}
		for len(w.checks) > 0 {
			<-w.checks
		}
		w.Suspect("p", "a:1")
		w.Suspect("p", "unknown:1")
		none(t, "a check of what is down or unknown", w.checks)
	})
}

func TestASuspectThatIsIllIsCheckedUntilFall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Set([]Target{target("p", "a:1")})
		<-w.reports
		w.set("a:1", errIll)
		w.Suspect("p", "a:1")
		if r := <-w.reports; r.up || r.at != 2*earlyGap {
			t.Errorf("report %+v, want down after %v", r, 2*earlyGap)
		}
	})
}

func TestAProxysOwnTroubleMarksNobodyDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Set([]Target{target("p", "a:1")})
		<-w.reports
		<-w.checks
		var last news
		for i := range 20 {
			w.Suspect("p", "a:1")
			w.Suspect("p", "a:1")
			c := <-w.checks
			if i > 0 && c.at-last.at < earlyGap {
				t.Errorf("checked again after %v", c.at-last.at)
			}
			last = c
			synctest.Wait()
		}
		none(t, "a report", w.reports)
	})
}

func TestASuspicionDuringACheckIsLookedIntoAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Set([]Target{target("p", "a:1")})
		<-w.reports
		<-w.checks
		hold := make(chan struct{})
		w.mu.Lock()
		w.hold["a:1"] = hold
		w.mu.Unlock()
		begun := <-w.checks
		w.Suspect("p", "a:1")
		synctest.Wait()
		close(hold) // it finds the backend alive, as it was
		w.set("a:1", errRefused)
		if r := <-w.reports; r.up || r.at != begun.at {
			t.Errorf("report %+v, want down at %v", r, begun.at)
		}
	})
}

func TestOneAddressInSeveralPoolsIsCheckedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		b := target("b", "a:1")
		b.Health.LostAfter = time.Hour // bears on no check
		w.Set([]Target{target("a", "a:1"), b})
		pools := map[fleet.PoolName]bool{}
		for range 2 {
			r := <-w.reports
			pools[r.pool] = r.up
		}
		if !pools["a"] || !pools["b"] {
			t.Errorf("verdicts %v", pools)
		}
		<-w.checks
		none(t, "a second check", w.checks)

		// A third pool learns at once what is known.
		w.Set([]Target{target("a", "a:1"), b, target("c", "a:1")})
		if r := <-w.reports; r.pool != "c" || !r.up || r.at != 0 {
			t.Errorf("report %+v", r)
		}
		none(t, "a check of what is known", w.checks)

		// Another kind of check is another check.
		other := target("d", "a:1")
		other.Health.Type, other.Health.Path = config.HealthHTTP, "/healthz"
		w.Set([]Target{target("a", "a:1"), other})
		if r := <-w.reports; r.pool != "d" {
			t.Errorf("report %+v", r)
		}
		<-w.checks
	})
}

func TestSetKeepsWhatIsUnchanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Set([]Target{target("p", "a:1"), target("p", "b:1")})
		<-w.reports
		<-w.reports
		<-w.checks
		<-w.checks
		w.Set([]Target{target("p", "b:1"), target("p", "b:1")})
		none(t, "a report", w.reports)
		for range 5 {
			if c := <-w.checks; c.backend != "b:1" {
				t.Errorf("%s is still checked", c.backend)
			}
		}
		w.Set([]Target{target("p", "a:1"), target("p", "b:1")})
		if r := <-w.reports; r.backend != "a:1" || !r.up {
			t.Errorf("report %+v", r)
		}
	})
}

func TestWhatACheckFindsOfADismissedTargetIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		hold := make(chan struct{})
		w.hold["a:1"] = hold
		w.Set([]Target{target("p", "a:1")})
		<-w.checks
		w.Set(nil)
		synctest.Wait()
		close(hold)
		none(t, "a report", w.reports)
		none(t, "a check", w.checks)
	})
}

func TestUncheckedIsUpAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := target("p", "a:1")
		a.Health = config.Health{Type: config.HealthNone}
		w.Set([]Target{a})
		if r := <-w.reports; !r.up {
			t.Errorf("report %+v", r)
		}
		w.Suspect("p", "a:1")
		none(t, "a check", w.checks)
	})
}

func TestChecksAtOnceAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		const many = 3 * maxAtOnce
		hold := make(chan struct{})
		var targets []Target
		for i := range many {
			name := fmt.Sprintf("a:%d", i)
			w.hold[name] = hold
			targets = append(targets, target("p", name))
		}
		w.Set(targets)
		synctest.Wait()
		if got := len(w.checks); got != maxAtOnce {
			t.Errorf("%d checks at once, want %d", got, maxAtOnce)
		}
		close(hold)
		for range many {
			if r := <-w.reports; !r.up || r.at != 0 {
				t.Errorf("report %+v", r)
			}
		}
	})
}

func TestACheckIsEndedByItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.hold["a:1"] = make(chan struct{})
		w.Set([]Target{target("p", "a:1")})
		if r := <-w.reports; r.up || r.at != config.DefaultHealthTimeout {
			t.Errorf("report %+v, want down after the timeout", r)
		}
	})
}

func TestRunRunsOnce(t *testing.T) {
	p := New(func(Target, Verdict) {}, nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.Run(ctx); err != nil {
		t.Error(err)
	}
	if err := p.Run(ctx); err == nil {
		t.Error("it ran twice")
	}
}
