package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/sdk/backend"
)

// modes are the ways to assign, each with a pool of its own.
var modes = []string{"none", "notify", "confirm"}

// rounds is how often each mode is measured, in turns.
const rounds = 3

// assignments measures what telling or asking the backend first costs: the same asks in
// pools that differ in that alone, in turns, in one run. Each backend has a real agent in
// this process.
func assignments(ctx context.Context, c *controller, s *sessions, o options) error {
	stop, err := openAgents(ctx, c.address, o)
	if err != nil {
		return err
	}
	defer stop()
	rates, cpu := map[string][]float64{}, map[string][]float64{}
	for range rounds {
		for _, mode := range modes {
			s.pool = &link.Pool{Name: fleet.PoolName(poolOf(mode))}
			measured, cancel := context.WithTimeout(ctx, o.duration)
			used, began := c.cpu(), time.Now()
			n := s.churn(measured, o.inFlight, 0)
			took := time.Since(began)
			used = c.cpu() - used
			cancel()
			if n == 0 {
				return errors.Join(ctx.Err(), fmt.Errorf("assign: %s: nothing was granted", mode))
			}
			rates[mode] = append(rates[mode], float64(n)/took.Seconds())
			cpu[mode] = append(cpu[mode], float64(used.Microseconds())/float64(n))
		}
	}
	for _, mode := range modes {
		fmt.Printf("assign %-7s  %7.0f grants/s, %.2f of none; controller %.2f us of CPU a grant (medians of %d)\n",
			mode, median(rates[mode]), median(rates[mode])/median(rates["none"]), median(cpu[mode]), rounds)
	}
	return nil
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

func poolOf(mode string) string { return "bench-" + mode }

// assigningPools are the pools' part of the config.
func assigningPools(o options) string {
	var b strings.Builder
	for _, mode := range modes {
		fmt.Fprintf(&b, "  - name: %s\n    assign: %s\n    slots: %d\n    health: {type: none}\n    agents: true\n",
			poolOf(mode), mode, 4+o.inFlight/o.backends)
	}
	return b.String()
}

// openAgents joins the backends of every pool, and returns when all have joined.
func openAgents(ctx context.Context, controller string, o options) (stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	var running, joined sync.WaitGroup
	for _, mode := range modes {
		for i := range o.backends {
			var once sync.Once
			joined.Add(1)
			r, err := backend.New(backend.Config{
				Controller: controller, Pool: poolOf(mode), Address: fmt.Sprintf("10.0.%d.%d:80", i/250, i%250+1),
				OnState: func(st backend.State) {
					if st.Connected {
						once.Do(joined.Done)
					}
				},
			})
			if err != nil {
				cancel()
				return nil, err
			}
			running.Go(func() { _ = r.Run(ctx) }) // what fails is seen by what is not granted
		}
	}
	joined.Wait()
	return func() { cancel(); running.Wait() }, nil
}

// discard is the table's end where nobody looks at it.
func discard(*fairleadv1.Table, map[uint32]*link.Pool) {}
