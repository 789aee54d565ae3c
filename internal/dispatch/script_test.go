package dispatch

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Inputs and effects as prose. The golden scripts are written in it, and a random
// scenario that fails is told in it, so that the one can become the other: copy the
// lines into testdata.
//
//	pool epoch=1 slots=1 queue=10 timeout=1s limit=0s grace=3s lost=0s
//	10ms session p1 [0.7@a:2s ...]      connected, with what it still uses and for how long
//	10ms ask p1 #1 [waited 5ms] [except a,b] [zone z] [about /path] [class critical]
//	         [flow f] [labels x=1,y=2] [affinity k] [deadline 1s] [trip 500us] [saw a:latency=5ms:errors=1:inflight=2:cpu=0.5]
//	20ms done p1 1.1 ok [after 9ms] [saw ...]
//	10ms join a [slots 2] [workers 2] [weight 0.5] [labels x=1] [zone z] [by agent [as p101] [assigns] [directs] [live 0.7@a:2s ...]]
//	20ms answer a 1.1 accepted|full|draining|epoch|other
//	20ms arrival a 1.1
//	20ms ended a 1.1 ok [after 9ms]
//
// and likewise withdraw, report, leave, agent-lost, up, down, drain, undrain,
// disconnect and tick. A pool may also say assign=notify|confirm answer=500ms, direct
// ticket=5s, prefer=zone spill=50ms, workers=4, learn, slow=10s, eject=5:10s:0.1,
// budget=0.2:10, class=sheddable:10:50ms and weight=flow:2.

func proseSpec(s fleet.PoolSpec, epoch uint64) string {
	line := fmt.Sprintf("pool epoch=%d slots=%d queue=%d timeout=%v limit=%v grace=%v lost=%v",
		epoch, s.Slots, s.QueueLimit, s.QueueTimeout, s.GrantLimit, s.Grace, s.LostAfter)
	if s.Assign != fleet.AssignNone {
		line += fmt.Sprintf(" assign=%v answer=%v", s.Assign, s.AssignTimeout)
	}
	if s.Direct {
		line += fmt.Sprintf(" direct ticket=%v", s.TicketLife)
	}
	if s.PreferZone {
		line += fmt.Sprintf(" prefer=zone spill=%v", s.SpillAfter)
	}
	return line + proseMind(s)
}

// proseMind is what a spec says of who goes first and where.
func proseMind(s fleet.PoolSpec) (line string) {
	if s.Workers > 0 {
		line += fmt.Sprintf(" workers=%d", s.Workers)
	}
	if s.Learn {
		line += " learn"
	}
	if s.SlowStart > 0 {
		line += fmt.Sprintf(" slow=%v", s.SlowStart)
	}
	if e := s.Eject; e.Errors > 0 {
		line += fmt.Sprintf(" eject=%d:%v:%v", e.Errors, e.For, e.Most)
	}
	if b := s.Budget; b != (fleet.BudgetSpec{}) {
		line += fmt.Sprintf(" budget=%v:%v", b.Ratio, b.Least)
	}
	for c, of := range s.Classes {
		if of != (fleet.ClassSpec{}) {
			line += fmt.Sprintf(" class=%v:%d:%v", fleet.Class(c), of.Limit, of.Timeout)
		}
	}
	for _, flow := range slices.Sorted(maps.Keys(s.FlowWeights)) {
		line += fmt.Sprintf(" weight=%s:%v", flow, s.FlowWeights[flow])
	}
	return line
}

func proseAbout(a *fleet.About) string {
	if a == nil {
		return ""
	}
	s := word("about", a.Path)
	if a.Class != fleet.NoClass {
		s += word("class", a.Class.String())
	}
	return s + word("flow", a.Flow) + word("labels", strings.Join(a.Labels, ",")) +
		word("affinity", a.Affinity) + option("deadline", a.Deadline)
}

func prose(now fleet.Time, in Input) string {
	return time.Duration(now).String() + " " + proseInput(in)
}

func proseInput(in Input) string {
	switch in := in.(type) {
	case *Ask:
		s := fmt.Sprintf("ask p%d #%d", in.Proxy, in.ID) + option("waited", in.Waited)
		if len(in.Exclude) > 0 {
			s += " except " + joined(in.Exclude)
		}
		s += word("zone", in.Zone) + proseAbout(in.About) + option("trip", in.RoundTrip)
		for _, seen := range in.Seen {
			s += proseSeen(seen)
		}
		return s
	case *Withdraw:
		return fmt.Sprintf("withdraw p%d #%d", in.Proxy, in.Ask)
	case *Done:
		s := fmt.Sprintf("done p%d %v %v", in.Proxy, in.Grant, in.Outcome) + option("after", in.Latency)
		if in.Seen.Backend != "" {
			s += proseSeen(in.Seen)
		}
		return s
	case *SessionUp:
		return fmt.Sprintf("session p%d", in.Proxy) + proseLive(in.Live)
	case *SessionLost:
		return fmt.Sprintf("disconnect p%d", in.Proxy)
	case *Tick:
		return "tick"
	}
	return proseOfBackend(in)
}

func proseOfBackend(in Input) string {
	by := func(s Source) string { return []string{"", " by agent"}[s] }
	switch in := in.(type) {
	case *Report:
		return "report " + string(in.Backend) + proseLoad(in.Load)
	case *Join:
		return proseJoin(in) + by(in.Source) + proseAgent(in)
	case *Leave:
		return fmt.Sprintf("leave %s%s", in.Backend, by(in.Source))
	case *AgentLost:
		return fmt.Sprintf("agent-lost %s", in.Backend)
	case *Health:
		return fmt.Sprintf("%s %s", map[bool]string{true: "up", false: "down"}[in.Up], in.Backend)
	case *Override:
		return fmt.Sprintf("%s %s%s", map[bool]string{true: "drain", false: "undrain"}[in.Drain], in.Backend, by(in.Source))
	case *Answer:
		return fmt.Sprintf("answer %s %v %s", in.Backend, in.Grant, rejections[in.Rejection])
	case *Arrival:
		return fmt.Sprintf("arrival %s %v", in.Backend, in.Grant)
	case *Ended:
		return fmt.Sprintf("ended %s %v %v", in.Backend, in.Grant, in.Outcome) + option("after", in.Latency)
	}
	return fmt.Sprintf("%T", in)
}

// rejections are the words for what a backend answers.
var rejections = []string{"accepted", "full", "draining", "epoch", "other"}

func proseJoin(in *Join) string {
	s := "join " + string(in.Spec.Name)
	if in.Spec.Slots > 0 {
		s += fmt.Sprintf(" slots %d", in.Spec.Slots)
	}
	if in.Spec.Workers > 0 {
		s += fmt.Sprintf(" workers %d", in.Spec.Workers)
	}
	if in.Spec.Weight > 0 {
		s += fmt.Sprintf(" weight %v", in.Spec.Weight)
	}
	return s + word("labels", strings.Join(in.Spec.Labels, ",")) + word("zone", in.Spec.Zone)
}

// proseAgent is what only an agent says.
func proseAgent(in *Join) (s string) {
	if in.Agent != 0 {
		s += fmt.Sprintf(" as p%d", in.Agent)
	}
	if in.Assigns {
		s += " assigns"
	}
	if in.Directs {
		s += " directs"
	}
	if len(in.Live) > 0 {
		s += " live" + proseLive(in.Live)
	}
	return s
}

func proseLive(live []fleet.LiveGrant) (s string) {
	for _, l := range live {
		s += fmt.Sprintf(" %v@%s:%v", l.ID, l.Backend, l.Held)
	}
	return s
}

func word(name, value string) string {
	if value == "" {
		return ""
	}
	return " " + name + " " + value
}

func option(name string, d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf(" %s %v", name, d)
}

func joined(names []fleet.BackendName) string {
	s := make([]string, len(names))
	for i, n := range names {
		s[i] = string(n)
	}
	return strings.Join(s, ",")
}

func proseLoad(l fleet.LoadReport) string {
	s := fmt.Sprintf(" cpu=%v", l.CPU)
	if l.HasInFlight {
		s += fmt.Sprintf(" inflight=%v", l.InFlight)
	}
	return s
}

func proseSeen(s fleet.Seen) string {
	t := " saw " + string(s.Backend)
	if s.Latency != 0 {
		t += fmt.Sprintf(":latency=%v", s.Latency)
	}
	if s.Errors != 0 {
		t += fmt.Sprintf(":errors=%d", s.Errors)
	}
	if s.Reported {
		t += strings.ReplaceAll(proseLoad(s.Report), " ", ":")
	}
	return t
}

func proseEffect(e Effect) string {
	switch e.Kind {
	case Granted:
		return fmt.Sprintf("grant p%d #%d: %v on %s", e.Proxy, e.Ask, e.Grant, e.Backend) +
			option("waited", e.Waited) + option("limit", e.Limit) + map[bool]string{true: ", moved"}[e.Moved]
	case Refused:
		return fmt.Sprintf("refuse p%d #%d: %v, retry after %v", e.Proxy, e.Ask, e.Reason, e.RetryAfter.Round(time.Millisecond))
	case Revoked:
		return fmt.Sprintf("revoke p%d %v on %s: %v", e.Proxy, e.Grant, e.Backend, e.Reason)
	case Changed:
		s := fmt.Sprintf("tell %s: slots %d", e.Backend, e.Slots)
		if e.Draining {
			s += ", draining"
		}
		if e.Drained {
			s += ", drained"
		}
		return s
	case Gone:
		return fmt.Sprintf("gone %s", e.Backend)
	case Assigned:
		s := fmt.Sprintf("assign p%d #%d: %v on %s", e.Proxy, e.Ask, e.Grant, e.Backend) + option("limit", e.Limit)
		return s + proseAbout(e.About)
	case Recalled:
		return fmt.Sprintf("recall %v on %s: %v", e.Grant, e.Backend, e.Reason)
	}
	return fmt.Sprintf("effect %d", e.Kind)
}

// words are what is left of a line to be read.
type words struct {
	left []string
	err  error
}

// next takes the first word off.
func (w *words) next() string {
	if len(w.left) == 0 {
		w.fail("a word is missing")
		return ""
	}
	s := w.left[0]
	w.left = w.left[1:]
	return s
}

// after takes "name value" off, wherever it is.
func (w *words) after(name string) (string, bool) {
	for i, s := range w.left {
		if s == name && i+1 < len(w.left) {
			value := w.left[i+1]
			w.left = append(append([]string{}, w.left[:i]...), w.left[i+2:]...)
			return value, true
		}
	}
	return "", false
}

// flag takes a word off, wherever it is, and tells whether it was there.
func (w *words) flag(name string) bool {
	for i, s := range w.left {
		if s == name {
			w.left = append(append([]string{}, w.left[:i]...), w.left[i+1:]...)
			return true
		}
	}
	return false
}

func (w *words) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

func (w *words) number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		w.fail("%q is no number", s)
	}
	return n
}

func (w *words) float(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		w.fail("%q is no number", s)
	}
	return f
}

func (w *words) list(name string) []string {
	if s, ok := w.after(name); ok {
		return strings.Split(s, ",")
	}
	return nil
}

func (w *words) class(s string) fleet.Class {
	for c := fleet.Critical; c < fleet.Classes; c++ {
		if c.String() == s {
			return c
		}
	}
	w.fail("%q is no class", s)
	return 0
}

func (w *words) span(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		w.fail("%q is no duration", s)
	}
	return d
}

func (w *words) optionalSpan(name string) time.Duration {
	if s, ok := w.after(name); ok {
		return w.span(s)
	}
	return 0
}

func (w *words) proxy() fleet.ProxyID {
	return fleet.ProxyID(w.number(strings.TrimPrefix(w.next(), "p")))
}

func (w *words) askID() fleet.AskID {
	return fleet.AskID(w.number(strings.TrimPrefix(w.next(), "#")))
}

func (w *words) grant(s string) fleet.GrantID {
	epoch, number, _ := strings.Cut(s, ".")
	return fleet.GrantID{Epoch: uint64(w.number(epoch)), Number: uint64(w.number(number))}
}

func (w *words) backend() fleet.BackendName { return fleet.BackendName(w.next()) }

func (w *words) source() Source {
	if s, _ := w.after("by"); s == "agent" {
		return FromAgent
	}
	return FromConfig
}

func (w *words) outcome() fleet.Outcome {
	s := w.next()
	for o := fleet.NoOutcome; o.String() != "unknown"; o++ {
		if o.String() == s {
			return o
		}
	}
	w.fail("%q is no outcome", s)
	return 0
}
