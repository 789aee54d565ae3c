package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/internal/sim"
	"github.com/fairlead/fairlead/internal/sim/show"
)

// simFlags is what the command line says over the file.
type simFlags struct {
	asJSON, check      bool
	plot               string
	policies, seeds    []string
	requests, parallel int
}

func newSim() *cobra.Command {
	var f simFlags
	cmd := &cobra.Command{
		Use: "sim FILE", Short: "Play a scenario or a decision log in simulated time, and compare policies",
		Long: `Plays the fleet and the load that FILE describes, in simulated time, with the decisions
of production, and with those of other load balancers for comparison. Times are told with
their ratio to 'central': one queue, no delay, true speeds; the bound of what is possible.
The same file and seeds give the same numbers. docs/sim.md says what a file may hold.

FILE may also be a decision log, as --record of 'fairlead controller' writes it. It is then
stepped through again, to see whether this program decides the same; with --policies, what
came then is played with these policies.`,
		Example: `  fairlead sim bench/sim/headline.yaml
  fairlead sim bench/sim/robustness.yaml --policies fairlead,central --plot cells.svg
  fairlead sim my.yaml --seeds 1,2,3 --json
  fairlead sim decisions.jsonl --policies fairlead,least-conn,central`,
		Args: exactly(1, "one file"),
		RunE: func(cmd *cobra.Command, args []string) error { return runSim(cmd, args[0], &f) },
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.asJSON, "json", false, "print the results as JSON")
	fl.StringVar(&f.plot, "plot", "", "draw a chart into this file, as SVG")
	fl.StringSliceVar(&f.policies, "policies", nil, "compare these policies, not the file's")
	fl.StringSliceVar(&f.seeds, "seeds", nil, "use these seeds, not the file's")
	fl.IntVar(&f.requests, "requests", 0, "measure this many requests of each seed; the warm-up changes with them")
	fl.IntVar(&f.parallel, "parallel", runtime.GOMAXPROCS(0), "run this many simulations at once")
	fl.BoolVar(&f.check, "check", false, "check after each step that what is promised holds; slow")
	return cmd
}

func runSim(cmd *cobra.Command, file string, f *simFlags) error {
	in, err := openFile("scenario file", file)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	data := bufio.NewReader(in)
	if isLog(data) {
		return runLog(cmd, data, f)
	}
	scenarios, err := sim.Read(file, data)
	if err != nil {
		return fmt.Errorf("the scenario is not good:\n%w", err)
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

// openFile opens a file to read; what says what it should be.
func openFile(what, name string) (*os.File, error) {
	info, err := os.Stat(name)
	switch {
	case os.IsNotExist(err):
		return nil, fmt.Errorf("%s %s does not exist; name another", what, name)
	case err != nil:
		return nil, fmt.Errorf("opening the %s: %w", what, err)
	case info.IsDir():
		return nil, fmt.Errorf("%s %s is a directory; name a file in it", what, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening the %s: %w", what, err)
	}
	return f, nil
}

// apply has the flags change the scenarios.
func (f *simFlags) apply(cmd *cobra.Command, scenarios []*sim.Scenario) error {
	policies, err := f.parsePolicies(cmd)
	if err != nil {
		return err
	}
	seeds, err := f.parseSeeds(cmd)
	if err != nil {
		return err
	}
	// A long run must not end with nowhere to draw.
	if dir := filepath.Dir(f.plot); f.plot != "" {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return fmt.Errorf("--plot %s: there is no folder %s; make it, or name another file", f.plot, dir)
		}
	}
	if f.parallel < 1 {
		return usage(cmd, "--parallel must be 1 or more, got %d", f.parallel)
	}
	if f.requests < 0 || f.requests > sim.MaxRequests || cmd.Flags().Changed("requests") && f.requests == 0 {
		return usage(cmd, "--requests must be 1 to %d, got %d", sim.MaxRequests, f.requests)
	}
	for _, sc := range scenarios {
		if policies != nil {
			sc.Policies = policies
		}
		if seeds != nil {
			sc.Seeds = seeds
		}
		if f.requests > 0 {
			sc.Warmup = int(float64(sc.Warmup) / float64(sc.Requests) * float64(f.requests))
			sc.Requests = f.requests
		}
		if n := len(sc.Arrivals.Trace); n > 0 && sc.Requests+sc.Warmup > n {
			return usage(cmd, "--requests %d is more than the trace of %q has, which is %d with the warm-up", f.requests, sc.Name, n)
		}
	}
	return nil
}

func (f *simFlags) parsePolicies(cmd *cobra.Command) (all []sim.Policy, err error) {
	for _, name := range f.policies {
		p := sim.Policy(strings.TrimSpace(name))
		if !slices.Contains(sim.Policies(), p) {
			return nil, usage(cmd, "--policies: there is no policy %q; there are %s", p, joinPolicies(sim.Policies()))
		}
		if slices.Contains(all, p) {
			return nil, usage(cmd, "--policies: %s is given twice", p)
		}
		all = append(all, p)
	}
	return all, nil
}

func joinPolicies(all []sim.Policy) string {
	var names []string
	for _, p := range all {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

func (f *simFlags) parseSeeds(cmd *cobra.Command) (all []uint64, err error) {
	for _, s := range f.seeds {
		seed, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
		if err != nil {
			return nil, usage(cmd, "--seeds: %q is no whole number from 0 on", s)
		}
		all = append(all, seed)
	}
	return all, nil
}

func playAll(cmd *cobra.Command, scenarios []*sim.Scenario, f *simFlags) ([]*sim.Report, error) {
	show := newProgress(cmd.ErrOrStderr(), len(scenarios))
	defer show.end()
	var reports []*sim.Report
	for i, sc := range scenarios {
		r, err := sim.Run(cmd.Context(), sc, sim.Options{
			Parallel: f.parallel, Check: f.check, Progress: func(done, of int, _ *sim.Result) { show.tell(i, sc.Name, done, of) },
		})
		if err != nil {
			if cmd.Context().Err() == context.Canceled {
				return nil, fmt.Errorf("interrupted in scenario %q, %d of %d", sc.Name, i+1, len(scenarios))
			}
			return nil, fmt.Errorf("scenario %q: %w", sc.Name, err)
		}
		reports = append(reports, r)
	}
	return reports, nil
}

// tell prints what was simulated. A violated invariant is an error, and told with the
// file that plays it again.
func (f *simFlags) tell(cmd *cobra.Command, reports []*sim.Report) error {
	print := show.Table
	if f.asJSON {
		print = show.JSON
	}
	if err := print(cmd.OutOrStdout(), reports); err != nil {
		return fmt.Errorf("printing the results: %w", err)
	}
	if f.plot != "" {
		if err := plotTo(f.plot, reports); err != nil {
			return err
		}
	}
	for _, r := range reports {
		for _, res := range r.Results {
			if res.Violation == "" {
				continue
			}
			again := *r.Scenario
			again.Policies = []sim.Policy{res.Policy}
			fmt.Fprintf(cmd.ErrOrStderr(), "# plays it again, with --check:\n")
			if err := sim.Write(cmd.ErrOrStderr(), &again); err != nil {
				return err
			}
			return fmt.Errorf("%s breaks a promise in scenario %q: %s; the file above plays it again", res.Policy, r.Scenario.Name, res.Violation)
		}
	}
	return nil
}

func plotTo(file string, reports []*sim.Report) error {
	out, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("--plot: %w", err)
	}
	if err := show.Plot(out, reports); err != nil {
		_ = out.Close() // the first error says more
		return fmt.Errorf("--plot %s: %w", file, err)
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("--plot %s: %w", file, err)
	}
	return nil
}

// progress is one line on a terminal, written over and over.
type progress struct {
	out io.Writer // nil: nobody looks
	of  int

	mu    sync.Mutex // guards what follows, as runs end side by side
	width int
}

func newProgress(out io.Writer, of int) *progress {
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return &progress{out: out, of: of}
		}
	}
	return &progress{}
}

func (p *progress) tell(i int, name string, done, of int) {
	if p.out == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	text := fmt.Sprintf("scenario %d of %d, %s: %d of %d runs", i+1, p.of, name, done, of)
	fmt.Fprintf(p.out, "\r%-*s", p.width, text)
	p.width = max(p.width, len(text))
}

func (p *progress) end() {
	if p.out != nil && p.width > 0 {
		fmt.Fprintf(p.out, "\r%*s\r", p.width, "")
	}
}
