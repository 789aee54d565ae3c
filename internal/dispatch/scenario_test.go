package dispatch

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// dice is where a scenario's choices come from: a seeded source, or a fuzzer's bytes.
type dice interface {
	roll(sides int) int // 0 to sides-1
	over() bool
}

type seededDice struct {
	*rand.Rand
	left int
}

func newDice(seed uint64, steps int) *seededDice {
	return &seededDice{Rand: rand.New(rand.NewPCG(seed, 1)), left: steps}
}

func (d *seededDice) roll(sides int) int { return d.IntN(sides) }
func (d *seededDice) over() bool         { d.left--; return d.left < 0 }

type byteDice []byte

func (d *byteDice) over() bool { return len(*d) == 0 }
func (d *byteDice) roll(sides int) int {
	if len(*d) == 0 {
		return 0
	}
	b := (*d)[0]
	*d = (*d)[1:]
	return int(b) % sides
}

// scenario drives a Pool and the model of it through inputs that dice choose.
type scenario struct {
	dice   dice
	pool   *Pool
	model  *model
	now    fleet.Time
	names  []fleet.BackendName
	nproxy int
	runs   []int // of the agents of names, how often each was started again
	asked  fleet.AskID
	ended  []fleet.GrantID // to be named again by mistake
	weight []int           // how often each kind of input comes, other in each scenario
	script []string        // what happened, in prose; nil: not kept
	before func(Input)     // the pool is told of it; nil: nothing
	record func(fleet.Time, Input, []Effect)
	steps  int

	// To break the mind: what it is told in place of an input, and what becomes of its effects.
	distort func(Input) Input
	twist   func([]Effect) []Effect
}

func newScenario(d dice) *scenario {
	pick := func(of ...int) int { return of[d.roll(len(of))] }
	ms := func(of ...int) time.Duration { return time.Duration(pick(of...)) * time.Millisecond }
	spec := fleet.PoolSpec{
		Name: "random", Slots: pick(1, 1, 2, 3), QueueLimit: pick(0, 1, 3, 8, 20), QueueTimeout: ms(1, 50, 300, 2000),
		GrantLimit: ms(0, 0, 30, 500, 5000), Grace: ms(1, 100, 3000), LostAfter: ms(0, 0, 20, 1000),
	}
	s := &scenario{dice: d, nproxy: 1 + d.roll(4), names: []fleet.BackendName{"a", "b", "c", "d", "e"}[:1+d.roll(5)]}
	if d.roll(2) == 0 {
		spec.Assign, spec.AssignTimeout = fleet.Assign(1+d.roll(2)), ms(1, 20, 100, 1000)
	}
	if d.roll(3) == 0 {
		spec.Direct, spec.TicketLife = true, ms(1, 30, 200, 2000)
	}
	spec.PreferZone = d.roll(3) == 0
	minded(d, &spec)
	s.runs = make([]int, len(s.names))
	const epoch = 7
	s.pool = New(spec, epoch)
	s.model = &model{spec: spec, epoch: epoch}
	for range kinds {
		s.weight = append(s.weight, pick(0, 1, 1, 3))
	}
	s.weight[0] += 3 // without asks and answers nothing happens
	s.weight[1] += 2
	if s.led() {
		s.weight[kindJoin] += 3 // or there is nobody to choose from
	}
	if spec.Assign != fleet.AssignNone {
		s.weight[kindAnswer] += 4
	}
	if spec.Direct {
		s.weight[kindArrival] += 2
		s.weight[kindEnded] += 2
	}
	return s
}

// run goes on until the dice are over, and then lets the pool come to rest.
func (s *scenario) run() error {
	if err := s.setUp(); err != nil {
		return err
	}
	for !s.dice.over() {
		if err := s.step(s.later(), s.input()); err != nil {
			return err
		}
	}
	return s.rest()
}

// setUp has something there to begin with, mostly.
func (s *scenario) setUp() error {
	for _, name := range s.names {
		if s.dice.roll(4) == 0 {
			continue
		}
		if err := s.step(s.now, &Join{Spec: s.spec(name)}); err != nil {
			return err
		}
		if s.led() {
			if err := s.step(s.now, s.join(name, FromAgent)); err != nil {
				return err
			}
		}
		if err := s.step(s.now, &Health{Backend: name, Up: true}); err != nil {
			return err
		}
	}
	for i := range s.nproxy {
		if err := s.step(s.now, &SessionUp{Proxy: fleet.ProxyID(i + 1)}); err != nil {
			return err
		}
	}
	return nil
}

// rest ticks when a tick is due and nothing else happens. A pool may not go on for ever.
func (s *scenario) rest() error {
	for range 5000 {
		at, any := s.pool.Next()
		if !any {
			return nil
		}
		if err := s.step(at, &Tick{}); err != nil {
			return err
		}
	}
	return fmt.Errorf("the pool does not come to rest: 5000 ticks")
}

// step does one, and checks all.
func (s *scenario) step(now fleet.Time, in Input) (err error) {
	s.now = now
	s.steps++
	s.model.read(s.pool)
	switch in := in.(type) {
	case *Done:
		s.ended = append(s.ended, in.Grant)
	case *Ended:
		s.ended = append(s.ended, in.Grant)
	case *Answer:
		s.ended = append(s.ended, in.Grant) // over, or used a second time
	}
	if s.script != nil {
		s.script = append(s.script, prose(now, in))
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	if s.before != nil {
		s.before(in)
	}
	told := in
	if s.distort != nil {
		told = s.distort(in)
	}
	effects := s.pool.Step(now, told)
	if s.twist != nil {
		effects = s.twist(effects)
	}
	if s.record != nil {
		s.record(now, in, effects)
	}
	if s.script != nil {
		for _, e := range effects {
			s.script = append(s.script, "\t"+proseEffect(e))
		}
	}
	if err := s.model.step(s.pool, now, in, effects); err != nil {
		return err
	}
	return checkInside(s.pool)
}

// later chooses when the next thing happens.
func (s *scenario) later() fleet.Time {
	next, any := s.pool.Next()
	switch s.dice.roll(8) {
	case 0, 1:
		return s.now
	case 2, 3:
		return s.now + fleet.Time(s.dice.roll(200))*fleet.Time(100*time.Microsecond)
	case 4, 5, 6:
		if any {
			return next // exactly then
		}
		return s.now + 1
	}
	return s.now.Add(time.Duration(s.dice.roll(100)) * 97 * time.Millisecond) // late for much
}

// tell is the end of the story of a scenario that failed, which is lived once more.
func tell(d dice, err error) string {
	again := newScenario(d)
	again.script = []string{proseSpec(again.model.spec, again.model.epoch)}
	againErr := again.run()
	script := again.script
	if len(script) > 45 {
		script = append([]string{script[0], "..."}, script[len(script)-43:]...)
	}
	return fmt.Sprintf("%v\n(again: %v, step %d)\n%s", err, againErr, again.steps, strings.Join(script, "\n"))
}
