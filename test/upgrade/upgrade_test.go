//go:build unix

// Package upgrade replaces proxies' processes under load: the new one takes the listeners
// over, and nobody notices.
package upgrade

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/testproc"
	"github.com/fairlead/fairlead/test/faults/harness"
)

func TestMain(m *testing.M) { testproc.Main(m) }

const slots = 4

// TestUpgrade replaces the process of each of two proxies five times. No request fails, those
// that run go on, the controller's counters do too, and slots are never exceeded.
// FAIRLEAD_RATE is the load in requests a second.
func TestUpgrade(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	rate, err := strconv.ParseFloat(os.Getenv("FAIRLEAD_RATE"), 64)
	if err != nil {
		rate = 200
	}
	f := harness.New(t, harness.Options{
		Controllers: 1, Proxies: 2, Backends: 12, Slots: slots, Direct: true, Handover: true, Fairlead: testproc.Fairlead(t),
		Backend: testproc.Binary(t, "github.com/fairlead/fairlead/test/faults/backend"),
	})
	mean := time.Duration(0.5 * float64(len(f.Backends)*slots) / rate * float64(time.Second))
	l := f.Load(rate, mean, 1)
	l.Answers(50)
	slow := long(t, f.Proxies[0].Address)
	grants := f.Status().GetGrants()
	for range 5 {
		for _, p := range f.Proxies {
			p.Upgrade()
			l.Answers(50)
			now := f.Status().GetGrants()
			if now <= grants {
				t.Errorf("%d grants after %d", now, grants)
			}
			grants = now
		}
	}
	if err := <-slow; err != nil {
		t.Errorf("a request that ran through the first hand-over: %v", err)
	}
	all := l.Stop()
	f.Await()
	f.AwaitIdle()
	f.EachServes()
	counts, failed, own := harness.Failed(all)
	if failed+own > 0 {
		t.Errorf("%d of %d requests failed: %s; and %d on connections of processes that ended", failed, len(all), harness.List(counts), own)
	}
	if most := f.Most(); most > slots {
		t.Errorf("a backend had %d requests at once on %d slots", most, slots)
	}
	t.Logf("%d requests through 10 hand-overs, %d failed, p99 %v", len(all), failed, harness.P99(all).Round(time.Millisecond))
}

// long sends a request that takes 3 s, on a connection of its own, and returns when it has
// reached its backend, as far as that can be told from outside.
func long(t *testing.T, proxy string) <-chan error {
	t.Helper()
	c, err := net.Dial("tcp", proxy)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := fmt.Fprintf(c, "GET /work?us=3000000 HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				err = fmt.Errorf("it was answered %s", resp.Status)
			}
		}
		done <- err
	}()
	return done
}
