package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/record"
)

// logRig is a recorder that runs, and one pool that is logged.
type logRig struct {
	out  io.Writer
	said bytes.Buffer // by the logger
	l    *recorder
	p    *poolLog
	end  func()
}

func newLogRig(t *testing.T, out io.Writer, most int64) *logRig {
	t.Helper()
	rig := &logRig{out: out}
	rig.l = newRecorder(out, slog.New(slog.NewTextHandler(&rig.said, nil)))
	rig.l.most = most
	rig.p = rig.l.pool(1, fleet.PoolSpec{Slots: 1, QueueTimeout: time.Second}, 7)
	return rig
}

func (rig *logRig) run() {
	ctx, stop := context.WithCancel(context.Background())
	r := &runner{stopped: make(chan struct{})}
	done := make(chan struct{})
	go func() { rig.l.run(ctx, []*runner{r}); close(done) }()
	rig.end = func() {
		stop()
		rig.p.close()
		close(r.stopped)
		<-done
	}
}

// counts returns what a log holds.
func counts(t *testing.T, log []byte) (steps, lost int, ended string) {
	t.Helper()
	r, err := record.NewReader(bytes.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	for {
		e, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return steps, lost, ended
		case err != nil:
			t.Fatal(err)
		case e.Input != nil:
			steps++
		}
		lost += int(e.Lost)
		if e.Ended != "" {
			ended = e.Ended
		}
	}
}

func TestRecord(t *testing.T) {
	var out bytes.Buffer
	rig := newLogRig(t, &out, maxLog)
	rig.run()
	for i := range 5000 {
		rig.p.step(fleet.Time(i), &dispatch.Ask{ID: fleet.AskID(i)}, nil)
		if i%7 == 0 {
			rig.p.hand()
		}
	}
	rig.end()
	if steps, lost, ended := counts(t, out.Bytes()); steps+lost != 5000 || ended != "" {
		t.Errorf("%d steps, %d lost, ended %q", steps, lost, ended)
	}
}

// TestRecordCountsWhatItDrops has nobody write while steps come in.
func TestRecordCountsWhatItDrops(t *testing.T) {
	var out bytes.Buffer
	rig := newLogRig(t, &out, maxLog)
	const all = 60_000
	for i := range all {
		rig.p.step(fleet.Time(i), &dispatch.Ask{ID: fleet.AskID(i), Zone: strings.Repeat("z", 60)}, nil)
		rig.p.hand()
	}
	rig.run()
	rig.end()
	steps, lost, _ := counts(t, out.Bytes())
	if lost == 0 || steps < chunks || steps+lost != all {
		t.Errorf("%d steps and %d lost of %d", steps, lost, all)
	}
}

func TestRecordEndsAtItsSize(t *testing.T) {
	var out bytes.Buffer
	rig := newLogRig(t, &out, 10_000)
	rig.run()
	for i := range 1000 {
		rig.p.step(fleet.Time(i), &dispatch.Ask{ID: fleet.AskID(i)}, nil)
		rig.p.hand()
	}
	rig.end()
	if steps, _, ended := counts(t, out.Bytes()); ended != "size" || steps == 0 || out.Len() > 10_100 || !strings.Contains(rig.said.String(), "is full") {
		t.Errorf("%d steps in %d bytes, ended %q; it says %s", steps, out.Len(), ended, rig.said.String())
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestRecordOnAFullDisk(t *testing.T) {
	rig := newLogRig(t, fullDisk{}, maxLog)
	rig.run()
	rig.p.step(1, &dispatch.Tick{}, nil)
	rig.p.hand()
	rig.end()
	if said := rig.said.String(); strings.Count(said, "no space left") != 1 {
		t.Errorf("it says %q", said)
	}
}
