//go:build unix

package slots

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// crowd is many clients, each of which sends one request after the other to its proxy.
type crowd struct {
	stop    context.CancelFunc
	running sync.WaitGroup
	back    chan struct{} // closed when the proxy that died is there again

	mu      sync.Mutex // guards what is below
	answers answers
	perRun  map[string]*answers // by proxy
	more    chan struct{}       // closed at the next answer
}

// answers counts how requests ended.
type answers struct {
	ok     int
	gone   int   // 502: the backend broke off
	other  int   // any other status
	broken int   // no answer
	last   error // of the above
	took   []time.Duration
}

func (a *answers) add(code int, took time.Duration, err error) {
	switch {
	case err != nil:
		a.broken++
		a.last = err
	case code == http.StatusOK:
		a.ok++
		a.took = append(a.took, took)
	case code == http.StatusBadGateway:
		a.gone++
	default:
		a.other++
		a.last = fmt.Errorf("an answer of %d", code)
	}
}

// String tells of them as a line.
func (a answers) String() string {
	if len(a.took) == 0 {
		return "no answer"
	}
	slices.Sort(a.took)
	at := func(q float64) time.Duration {
		return a.took[int(q*float64(len(a.took)-1))].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("%d answers 200, %d 502, %d others, %d broken; took %v at the median, %v at p99, %v at most",
		a.ok, a.gone, a.other, a.broken, at(0.5), at(0.99), at(1))
}

// crowd starts n clients, spread evenly over the proxies.
func (f *fleet) crowd(t *testing.T, n int) *crowd {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	c := &crowd{
		stop: stop, back: make(chan struct{}), more: make(chan struct{}), perRun: map[string]*answers{},
	}
	transport := &http.Transport{MaxIdleConnsPerHost: n}
	t.Cleanup(func() {
		stop()
		c.running.Wait()
		transport.CloseIdleConnections()
	})
	for _, p := range f.proxies {
		c.perRun[p.name] = &answers{}
	}
	client := &http.Client{Transport: transport, Timeout: 2 * time.Minute}
	for i := range n {
		p := f.proxies[i%len(f.proxies)]
		random := rand.New(rand.NewPCG(uint64(i), 1))
		c.running.Go(func() { c.run(ctx, client, p, random) })
	}
	return c
}

// run sends requests until ctx ends. A request under way is finished, so that each is
// accounted for. A client whose proxy is dead waits until it is back.
func (c *crowd) run(ctx context.Context, client *http.Client, p *proxy, random *rand.Rand) {
	for ctx.Err() == nil {
		began := time.Now()
		code, err := get(client, fmt.Sprintf("http://%s/work?ms=%d", p.address, 1+random.IntN(mostWork)))
		c.mu.Lock()
		c.answers.add(code, time.Since(began), err)
		c.perRun[p.name].add(code, time.Since(began), err)
		close(c.more)
		c.more = make(chan struct{})
		c.mu.Unlock()
		if err != nil {
			select {
			case <-c.back:
			case <-ctx.Done():
			}
		}
	}
}

func get(client *http.Client, url string) (int, error) {
	resp, err := client.Get(url)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// end stops the clients, and returns when each has its last answer.
func (c *crowd) end(t *testing.T) {
	t.Helper()
	c.stop()
	done := make(chan struct{})
	go func() {
		c.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-within(t, soon).Done():
		t.Fatal("requests are still under way")
	}
}

// runFor lets the clients go on for a while.
func (c *crowd) runFor(t *testing.T, d time.Duration) {
	t.Helper()
	<-within(t, d).Done()
}

// awaitAnswers waits for n more answers 200.
func (c *crowd) awaitAnswers(t *testing.T, n int) {
	t.Helper()
	limit := within(t, soon)
	c.mu.Lock()
	until := c.answers.ok + n
	c.mu.Unlock()
	for {
		c.mu.Lock()
		ok, more := c.answers.ok, c.more
		c.mu.Unlock()
		if ok >= until {
			return
		}
		select {
		case <-more:
		case <-limit.Done():
			t.Fatalf("%d answers, not %d, within %s", ok, until, soon)
		}
	}
}
