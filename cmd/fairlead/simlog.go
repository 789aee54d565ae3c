package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/internal/record"
	"github.com/fairlead/fairlead/internal/replay"
	"github.com/fairlead/fairlead/internal/sim"
)

// isLog tells whether a file is a decision log, from its beginning.
func isLog(in *bufio.Reader) bool {
	head, _ := in.Peek(32) // a file that is shorter is no log
	return record.IsLog(head)
}

// runLog replays a decision log, and with --policies plays what came then with others.
func runLog(cmd *cobra.Command, in io.Reader, f *simFlags) error {
	s, err := replay.Run(in)
	if err != nil {
		return err
	}
	if len(f.policies) == 0 {
		if f.plot != "" {
			return usage(cmd, "--plot draws policies, and a replay has one; add --policies")
		}
		return tellReplay(cmd, s, f.asJSON)
	}
	var scenarios []*sim.Scenario
	var errs []error
	for _, p := range s.Pools {
		sc, err := p.Scenario()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		scenarios = append(scenarios, sc)
	}
	if len(scenarios) == 0 {
		return errors.Join(append(errs, errors.New("the log has nothing to compare policies with"))...)
	}
	for _, err := range errs {
		fmt.Fprintf(cmd.ErrOrStderr(), "left out: %v\n", err)
	}
	if err := f.apply(cmd, scenarios); err != nil {
		return err
	}
	reports, err := playAll(cmd, scenarios, f)
	if err != nil {
		return err
	}
	return f.tell(cmd, reports)
}

// tellReplay prints what a replay came to. It fails when the log cannot be replayed to its
// end.
func tellReplay(cmd *cobra.Command, s *replay.Summary, asJSON bool) error {
	print := replayTable
	if asJSON {
		print = replayJSON
	}
	if err := print(cmd.OutOrStdout(), s); err != nil {
		return fmt.Errorf("printing the replay: %w", err)
	}
	var errs []error
	for _, p := range s.Pools {
		switch {
		case p.Differs != "":
			errs = append(errs, fmt.Errorf("pool %s: this program decides otherwise than the log says: %s; --policies compares policies on what came then", p.Name, p.Differs))
		case p.Lost > 0:
			errs = append(errs, fmt.Errorf("pool %s: the log lacks %d steps from line %d on, so it cannot be replayed further; the disk was too slow for it", p.Name, p.Lost, p.LostAt))
		}
	}
	return errors.Join(errs...)
}

func replayTable(out io.Writer, s *replay.Summary) error {
	err := table(out, "POOL STEPS TIME GRANTED WAIT WAIT-P99 WAIT-MOST REFUSED DECIDES", func(row func(...any)) {
		for _, p := range s.Pools {
			row(p.Name, p.Steps, p.Span.Round(time.Millisecond), p.Granted, p.WaitMean.Round(time.Microsecond),
				p.WaitP99.Round(time.Microsecond), p.WaitMost.Round(time.Microsecond), refused(refusals(p)), verdict(p))
		}
	})
	if err == nil && s.Ended != "" {
		_, err = fmt.Fprintf(out, "the log was ended before its controller, for its %s\n", s.Ended)
	}
	return err
}

func verdict(p *replay.Pool) string {
	switch {
	case p.Differs != "":
		return "otherwise"
	case p.Lost > 0:
		return "unknown"
	}
	return "the same"
}

func refusals(p *replay.Pool) map[string]uint64 {
	by := map[string]uint64{}
	for reason, n := range p.Refused {
		by[reason.String()] = uint64(n)
	}
	return by
}

func replayJSON(out io.Writer, s *replay.Summary) error {
	type pool struct {
		Name     string            `json:"name"`
		Steps    int               `json:"steps"`
		Seconds  float64           `json:"seconds"`
		Granted  int               `json:"granted"`
		WaitMean float64           `json:"wait_mean_ms"`
		WaitP99  float64           `json:"wait_p99_ms"`
		WaitMost float64           `json:"wait_most_ms"`
		Refused  map[string]uint64 `json:"refused"`
		Same     bool              `json:"same"`
		Differs  string            `json:"differs"`
		Lost     uint64            `json:"lost_steps"`
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	all := []pool{}
	for _, p := range s.Pools {
		all = append(all, pool{
			string(p.Name), p.Steps, p.Span.Seconds(), p.Granted, ms(p.WaitMean), ms(p.WaitP99), ms(p.WaitMost),
			refusals(p), p.Differs == "" && p.Lost == 0, p.Differs, p.Lost,
		})
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(map[string]any{"pools": all, "ended": s.Ended})
}
