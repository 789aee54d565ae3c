package dispatch

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

var update = flag.Bool("update", false, "write what happens into the golden scripts")

// TestGolden runs the scripts in testdata. A script is a list of inputs, each at its
// moment, with the effects that it has below it, behind a tab. Three commands are no
// inputs: "until T" lets time pass, with a tick whenever one is due; "show" tells the
// state; "explain [except a,b] [zone z]" tells what an ask would get, and of a zone, why.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := rewrite(t, string(want))
			if got == string(want) {
				return
			}
			if !*update {
				t.Fatalf("differs (-update accepts it):\n%s", difference(string(want), got))
			}
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// script is one that runs. Beside the golden effects, the model watches every step.
type script struct {
	t     *testing.T
	pool  *Pool
	model *model
	now   fleet.Time
	out   strings.Builder
}

// rewrite returns a script with the effects that its inputs have.
func rewrite(t *testing.T, text string) string {
	s := &script{t: t}
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if strings.HasPrefix(line, "\t") {
			continue // what was expected
		}
		s.out.WriteString(line + "\n")
		if line != "" && !strings.HasPrefix(line, "# ") {
			s.command(line)
		}
	}
	return s.out.String()
}

func (s *script) command(line string) {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "pool":
		spec, epoch, err := parseSpec(line)
		if err != nil {
			s.t.Fatalf("%s: %v", line, err)
		}
		s.pool, s.model = New(spec, epoch), &model{spec: spec, epoch: epoch}
	case "until":
		s.until(s.moment(rest))
	case "show":
		s.show()
	case "explain":
		s.explain(rest)
	default:
		in, err := parseInput(rest)
		if err != nil {
			s.t.Fatal(err)
		}
		s.until(s.moment(verb))
		for _, e := range s.step(in) {
			s.printf("%s", proseEffect(e))
		}
	}
}

func (s *script) explain(rest string) {
	w := &words{left: strings.Fields(rest)}
	var except []fleet.BackendName
	if names, ok := w.after("except"); ok {
		for _, name := range strings.Split(names, ",") {
			except = append(except, fleet.BackendName(name))
		}
	}
	zone, zoned := w.after("zone")
	if len(w.left) > 0 {
		s.t.Fatalf("explain %s: %q was not understood", rest, w.left)
	}
	e := s.pool.Explain(Hypothetical{Exclude: except, Zone: zone}, 0)
	s.printf("%s", e.Verdict)
	for _, c := range e.Candidates {
		if !zoned {
			break
		}
		line := fmt.Sprintf("%s in %s scores %.3f, of which zone %.3f", c.Backend, c.Zone, c.Score.Sum(), c.Score.Zone)
		if !c.Free {
			line += ": " + c.WhyNot
		}
		s.printf("%s", line)
	}
}

func (s *script) printf(format string, args ...any) {
	fmt.Fprintf(&s.out, "\t"+format+"\n", args...)
}

func (s *script) moment(text string) fleet.Time {
	d, err := time.ParseDuration(text)
	if err != nil || fleet.Time(d) < s.now {
		s.t.Fatalf("%q is no moment from %v on", text, time.Duration(s.now))
	}
	return fleet.Time(d)
}

func (s *script) step(in Input) []Effect {
	s.model.read(s.pool)
	effects := s.pool.Step(s.now, in)
	err := checkInside(s.pool)
	// The model knows neither ejection nor a budget.
	if spec := &s.model.spec; err == nil && spec.Eject.Errors == 0 && spec.Budget == (fleet.BudgetSpec{}) {
		err = s.model.step(s.pool, s.now, in, effects)
	}
	if err != nil {
		s.t.Fatalf("%s: %v", prose(s.now, in), err)
	}
	return effects
}

// until ticks whenever it is due, up to at, and tells what that brings and when.
func (s *script) until(at fleet.Time) {
	for {
		next, any := s.pool.Next()
		if !any || next > at {
			break
		}
		s.now = next
		for _, e := range s.step(&Tick{}) {
			s.printf("%v: %s", time.Duration(s.now).Round(time.Millisecond), proseEffect(e))
		}
	}
	s.now = at
}

func (s *script) show() {
	state := s.pool.State(s.now)
	for _, b := range state.Backends {
		line := fmt.Sprintf("%s %s %d/%d", b.Name, b.State, b.InFlight, b.Slots)
		if b.Latency > 0 {
			line += fmt.Sprintf(" latency %v", b.Latency.Round(10*time.Microsecond))
		}
		if b.Foreign > 0 {
			line += fmt.Sprintf(" foreign %.2f", b.Foreign)
		}
		if b.Why != "" {
			line += ": " + b.Why
		}
		s.printf("%s", line)
	}
	s.printf("%d wait, %d of %d slots taken", state.Waiting, state.InFlight, state.Slots)
}

// difference shows the first line in which two texts differ, and what is around it.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	i := 0
	for i < len(w) && i < len(g) && w[i] == g[i] {
		i++
	}
	part := func(lines []string) string {
		return strings.Join(lines[min(max(i-4, 0), len(lines)):min(i+4, len(lines))], "\n")
	}
	return fmt.Sprintf("line %d\nwant:\n%s\n\ngot:\n%s", i+1, part(w), part(g))
}
