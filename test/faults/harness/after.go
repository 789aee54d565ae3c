//go:build unix

package harness

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/fairlead/fairlead/internal/testproc"
)

// EachServes waits until every backend has served through every proxy: as many requests
// at once as there are slots find their way to all of them.
func (f *Fleet) EachServes() {
	f.t.Helper()
	for _, p := range f.Proxies {
		testproc.Await(f.t, soon, "every backend to serve through "+p.Name, func(context.Context) error {
			return f.fill(p)
		})
	}
}

// fill sends as many requests through the proxy as there are slots.
func (f *Fleet) fill(p *Proxy) error {
	before := make([]int64, len(f.Backends))
	for i, b := range f.Backends {
		before[i] = b.Ended.Load()
	}
	n := len(f.Backends) * f.Slots
	front := &front{proxy: p}
	defer front.cut()
	ends := make([]Outcome, n)
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() {
			c, err := front.take()
			if err != nil {
				ends[i] = Outcome{Err: err.Error()}
				return
			}
			ends[i] = front.roundTrip(c, 100*time.Millisecond)
		})
	}
	running.Wait()
	for _, o := range ends {
		if !o.OK() {
			return fmt.Errorf("a request through %s ended with %q", p.Name, o.How())
		}
	}
	for i, b := range f.Backends {
		if b.Ended.Load() == before[i] {
			return fmt.Errorf("%s has served none of %d", b.Name, n)
		}
	}
	return nil
}
