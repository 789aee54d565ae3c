// Command quality measures how well requests are spread: real processes of Fairlead and
// of HAProxy, one contestant after the other, in front of the same emulated backends and
// under the same load.
//
//	go run ./bench/quality                              16 proxies, 20 backends, 3 rounds: 6 minutes
//	go run ./bench/quality -law pareto -json
//	go run ./bench/quality -rounds 1 -duration 5s -warmup 2s      a first look
//
// The load is open: requests fall due at random moments (Poisson), whether or not the
// ones before are answered, and a request's time counts from when it was due, not from
// when this program found the time to send it. So a queue cannot hide by slowing its own
// clients down.
//
// A backend has so many workers and one queue, first come first served, and takes any
// number of requests; a worker sleeps for as long as a request's work says. How much
// work, through which proxy and when: all that is drawn from the seed before anything is
// sent, and so are the backends' bad times; every contestant meets the same.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	Proxies    int           `json:"proxies"`
	Backends   int           `json:"backends"`
	Slots      int           `json:"slots"` // and workers, of each backend
	Mean       time.Duration `json:"mean_ns"`
	Rho        float64       `json:"rho"`
	Law        string        `json:"law"`
	Duration   time.Duration `json:"duration_ns"`
	Warmup     time.Duration `json:"warmup_ns"`
	Rounds     int           `json:"rounds"`
	Seed       uint64        `json:"seed"`
	GoMaxProcs int           `json:"gomaxprocs"`

	fairlead       string
	json, markdown bool
}

func main() {
	var o options
	flag.IntVar(&o.Proxies, "proxies", 16, "proxies of each fleet")
	flag.IntVar(&o.Backends, "backends", 20, "backends")
	flag.IntVar(&o.Slots, "slots", 4, "workers of a backend; Fairlead's slots, HAProxy's maxconn")
	flag.DurationVar(&o.Mean, "mean", 20*time.Millisecond, "mean work of a request, on a backend of full speed")
	flag.Float64Var(&o.Rho, "rho", 0.9, "load, as a share of the capacity that slow backends and antagonists leave")
	flag.StringVar(&o.Law, "law", "exp", "of work: exp, or pareto (bounded: alpha 1.3, 1:1000)")
	flag.DurationVar(&o.Duration, "duration", 20*time.Second, "how long to measure a contestant, in a round")
	flag.DurationVar(&o.Warmup, "warmup", 5*time.Second, "how long the same load runs before that")
	flag.IntVar(&o.Rounds, "rounds", 3, "how often each contestant's turn comes; medians are told")
	flag.Uint64Var(&o.Seed, "seed", 1, "of arrivals, work and antagonists; each round has its own")
	flag.IntVar(&o.GoMaxProcs, "gomaxprocs", 1, "of each Fairlead process, as HAProxy has one thread; 0: as Go likes")
	flag.StringVar(&o.fairlead, "fairlead", "", "a fairlead program to measure (default: builds the one of this tree)")
	flag.BoolVar(&o.json, "json", false, "write JSON, with every round")
	flag.BoolVar(&o.markdown, "markdown", false, "write a table in Markdown")
	flag.Parse()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // as fairlead does itself; the load must not pause
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout, os.Stderr); err != nil {
		log.Fatal(err)
	}
}

// check says what is wrong with the command line.
func (o options) check() error {
	switch {
	case min(o.Proxies, o.Backends, o.Slots, o.Rounds) < 1:
		return errors.New("-proxies, -backends, -slots and -rounds must be at least 1")
	case o.Mean <= 0 || o.Duration <= 0 || o.Warmup < 0:
		return errors.New("-mean and -duration must be more than 0, and -warmup not less")
	case o.Rho <= 0 || o.Rho > 2:
		return errors.New("-rho must be more than 0, and at most 2")
	case o.GoMaxProcs < 0:
		return errors.New("-gomaxprocs must not be negative")
	}
	_, err := newLaw(o.Law, o.Mean)
	return err
}

// run measures all contestants and writes the report; what goes on meanwhile goes to
// progress.
func run(ctx context.Context, o options, out, progress io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fairlead-quality-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.fairlead == "" {
		if o.fairlead, err = build(ctx, dir); err != nil {
			return err
		}
	}
	r := report{Options: o, Go: runtime.Version(), Cores: runtime.NumCPU(), Date: time.Now().UTC().Truncate(time.Second)}
	r.Rate = o.rate()
	var all []contestant
	if all, r.HAProxy = contestants(ctx, o); r.HAProxy == "" {
		fmt.Fprintln(progress, "haproxy is not installed, so Fairlead runs alone; on Debian or Ubuntu: apt-get install haproxy")
	}
	for _, c := range all {
		r.Contestants = append(r.Contestants, outcome{Name: c.name})
	}
	if err := r.rounds(ctx, dir, all, progress); err != nil {
		return err
	}
	r.summarize()
	return r.write(out)
}

// rounds has each contestant take its turn in each round, so that what the machine does
// beside hits all of them alike.
func (r *report) rounds(ctx context.Context, dir string, all []contestant, progress io.Writer) error {
	o := r.Options
	best := outcome{Name: idealName}
	for n := range o.Rounds {
		seed := o.Seed + uint64(n)
		for i, c := range all {
			res, err := measure(ctx, dir, o, c, seed)
			if err != nil {
				return fmt.Errorf("%s, round %d: %w", c.name, n+1, err)
			}
			fmt.Fprintf(progress, "round %d, %s: mean %.1f ms, p99 %.1f ms, most in flight %d; load average %.2f\n",
				n+1, c.name, res.Mean, res.P99, res.MostInFlight, res.LoadAverage)
			r.Contestants[i].Rounds = append(r.Contestants[i].Rounds, res)
		}
		law, err := newLaw(o.Law, o.Mean)
		if err != nil {
			return err
		}
		f := newFleet(o.Backends, o.Slots, seed, o.Warmup+o.Duration+patience)
		best.Rounds = append(best.Rounds, ideal(f, newArrivals(law, o.rate(), seed), o.Warmup, o.Duration))
	}
	r.Contestants = append(r.Contestants, best)
	return nil
}

// rate returns how many requests a second the load has.
func (o options) rate() float64 {
	return o.Rho * newFleet(o.Backends, o.Slots, o.Seed, 0).capacity(o.Mean)
}

// measure runs one contestant once: starts it, loads it, stops it.
func measure(ctx context.Context, dir string, o options, c contestant, seed uint64) (res result, err error) {
	if err := ctx.Err(); err != nil {
		return res, err
	}
	whole := o.Warmup + o.Duration
	f := newFleet(o.Backends, o.Slots, seed, whole+patience)
	b, err := openBackends(f)
	if err != nil {
		return res, err
	}
	defer b.close()
	s, err := c.start(ctx, dir, o, b.addresses())
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.await(ctx); err != nil {
		return res, err
	}
	law, err := newLaw(o.Law, o.Mean)
	if err != nil {
		return res, err
	}
	l := newLoad(newArrivals(law, o.rate(), seed), s.fronts, o.Warmup, o.Duration)
	defer l.close()
	var use usage
	l.atWindow = func() { use.mark(s.procs) }
	epoch := time.Now().Add(50 * time.Millisecond)
	b.begin(epoch)
	if err := l.run(ctx, epoch); err != nil {
		return res, err
	}
	res = l.result()
	res.MostInFlight = b.most()
	res.CPU, res.Machine, res.LoadAverage = use.cores()
	return res, s.alive()
}
