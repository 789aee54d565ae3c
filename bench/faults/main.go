//go:build unix

// Command faults measures what clients see while a part of a fleet is broken: real
// processes, an open load, one fault after the other.
//
//	go run ./bench/faults                              every fault at two loads: about 20 minutes
//	go run ./bench/faults -only 'controller|proxy' -loads 0.9
//	go run ./bench/faults -write docs/failure.md       puts the table there
//
// Requests fall due at random moments (Poisson), whatever became of those before, and a
// request's time counts from when it was due. The fleet runs before the fault, with it,
// and after it until all is as before: until the p99 of a span of 250 ms is at most 1.5
// times that of before, and nothing in it fails.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/fairlead/fairlead/test/faults/harness"
)

// options are the command line.
type options struct {
	proxies, backends, slots, repeat int
	mean, before, limit              time.Duration
	only, loads, write               string

	chosen *regexp.Regexp
	shares []float64 // of capacity
	fleet  harness.Options
}

func main() {
	var o options
	flag.IntVar(&o.proxies, "proxies", 3, "proxies")
	flag.IntVar(&o.backends, "backends", 12, "backends")
	flag.IntVar(&o.slots, "slots", 8, "of each backend")
	flag.DurationVar(&o.mean, "mean", 80*time.Millisecond, "mean work of a request, exponential")
	flag.DurationVar(&o.before, "before", 5*time.Second, "how long the load runs before the fault; its first second is not measured")
	flag.DurationVar(&o.limit, "limit", 2*time.Minute, "how long to wait, after the fault, until all is as before")
	flag.IntVar(&o.repeat, "repeat", 1, "how often to play each fault; medians of times and sums of requests are told")
	flag.StringVar(&o.only, "only", "", "a regular expression: the faults to play (default: all)")
	flag.StringVar(&o.loads, "loads", "0.6,0.9", "of the fleet's capacity")
	flag.StringVar(&o.write, "write", "", "a file to put the table in, between its two markers")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout, os.Stderr); err != nil {
		log.Fatal(err)
	}
}

// check says what is wrong with the command line.
func (o *options) check() (err error) {
	if min(o.proxies, o.backends, o.slots, o.repeat) < 1 {
		return errors.New("-proxies, -backends, -slots and -repeat must be at least 1")
	}
	if o.mean <= 0 || o.before <= time.Second || o.limit <= 0 {
		return errors.New("-mean and -limit must be more than 0, and -before more than 1s")
	}
	if o.chosen, err = regexp.Compile(o.only); err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	for word := range strings.SplitSeq(o.loads, ",") {
		share, err := strconv.ParseFloat(word, 64)
		if err != nil || share <= 0 || share >= 1 {
			return fmt.Errorf("-loads: %q is no number between 0 and 1", word)
		}
		o.shares = append(o.shares, share)
	}
	return nil
}

// run plays all faults and writes the table; what goes on meanwhile goes to progress.
func run(ctx context.Context, o options, out, progress io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fairlead-faults-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o.fleet = harness.Options{
		Controllers: 1, Proxies: o.proxies, Backends: o.backends, Slots: o.slots,
		Fairlead: filepath.Join(dir, "fairlead"), Backend: filepath.Join(dir, "backend"),
	}
	for path, pkg := range map[string]string{o.fleet.Fairlead: "cmd/fairlead", o.fleet.Backend: "test/faults/backend"} {
		if said, err := exec.CommandContext(ctx, "go", "build", "-o", path, "github.com/fairlead/fairlead/"+pkg).CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s: %w\n%s", pkg, err, said)
		}
	}
	t := &table{options: o}
	for _, fault := range harness.Faults() {
		for _, share := range o.shares {
			if !o.chosen.MatchString(fault.Name) || ctx.Err() != nil {
				continue
			}
			r, err := repeated(o, fault, share, progress)
			if err != nil {
				return fmt.Errorf("%s at %.0f %%: %w", fault.Name, 100*share, err)
			}
			fmt.Fprintln(progress, r.line(o.slots))
			t.rows = append(t.rows, r)
		}
	}
	text := t.String() + fmt.Sprintf("\n%d proxies, %d backends with %d slots, work of mean %v, %s, %d cores, %s.\n",
		o.proxies, o.backends, o.slots, o.mean, runtime.Version(), runtime.NumCPU(), time.Now().UTC().Format(time.DateOnly))
	if _, err := io.WriteString(out, text); err != nil {
		return err
	}
	if o.write != "" && ctx.Err() == nil {
		return put(o.write, text)
	}
	return ctx.Err()
}
