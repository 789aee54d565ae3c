//go:build unix

package claims

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
)

// C1.a: a client is led to a proxy before it sends its request, by the proxies' own load.
func proxyIsChosenFirst(t *testing.T) {
	t.Run("by load", proxiesEvenOut)
	t.Run("not those that leave", proxiesThatLeave)
}

// crowd is a fleet of four proxies, and the clients that are led to them.
type crowd struct {
	*fleet
	doors doors
	asked int
	held  map[*proxy]int // requests that are held, each on a connection of its own
}

// newCrowd starts a fleet whose proxies differ in their hosts alone.
func newCrowd(t *testing.T, p plan, ttl time.Duration) *crowd {
	t.Helper()
	c := &crowd{held: map[*proxy]int{}}
	var rawPort string
	hosts := []string{"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"}
	c.doors.port, rawPort = freePort(t, hosts), freePort(t, hosts)
	more := p.forProxy
	p.proxies, p.queue = len(hosts), queueLimit
	p.forProxy = func(i int) []string {
		args := []string{"--listen", "web=" + net.JoinHostPort(hosts[i], c.doors.port),
			"--listen", "raw=" + net.JoinHostPort(hosts[i], rawPort)}
		if more != nil {
			args = append(args, more(i)...)
		}
		return args
	}
	c.fleet = start(t, c.doors.plan(t, p, ttl))
	c.doors.open(t, c.fleet)
	return c
}

// freePort returns a port that is free on some addresses of this host.
func freePort(t *testing.T, hosts []string) string {
	t.Helper()
	for range 100 {
		_, port, err := net.SplitHostPort(testproc.FreeAddr(t))
		if err != nil {
			t.Fatal(err)
		}
		free := true
		for _, host := range hosts {
			ln, err := net.Listen("tcp", net.JoinHostPort(host, port))
			if free = free && err == nil; err == nil {
				ln.Close()
			}
		}
		if free {
			return port
		}
	}
	t.Skip("this host has no free port on all of ", hosts)
	return ""
}

// load has requests held by a proxy.
func (c *crowd) load(t *testing.T, p *proxy, n int) {
	t.Helper()
	var calls []*call
	for range n {
		calls = append(calls, c.get(t, p, "/hold"))
	}
	for _, call := range calls {
		call.awaitHead(t)
	}
	c.held[p] += n
	c.awaitConnections(t, p)
}

// awaitConnections waits until the choice goes by as many connections of a proxy as are
// held: its load is more than that, or it is full.
func (c *crowd) awaitConnections(t *testing.T, p *proxy) {
	t.Helper()
	c.awaitProxy(t, p, fmt.Sprintf("known to have %d connections", c.held[p]), func(s *fairleadv1.ProxyStanding) bool {
		return int(s.GetStatus().GetConnections()) == c.held[p] && (s.GetWhyNot() != "" || s.GetLoad() > float64(c.held[p]))
	})
}

// at returns the proxy at an address.
func (c *crowd) at(t *testing.T, address string) *proxy {
	t.Helper()
	for _, p := range c.proxies {
		if p.web == address {
			return p
		}
	}
	t.Fatalf("a client was led to %s, where there is no proxy", address)
	return nil
}

func proxiesEvenOut(t *testing.T) {
	c := newCrowd(t, plan{backends: 2, slots: 200}, 30*time.Second)
	for i, n := range []int{50, 40, 30} {
		c.load(t, c.proxies[i], n)
	}
	const many, atOnce = 200, 20
	idle := c.proxies[3]
	for i := range many / atOnce {
		sent := c.wave(t, atOnce)
		if i == 0 && sent[idle] != atOnce {
			t.Errorf("%s is idle and the others are not, and of %d clients %d were led to it", idle.Name(), atOnce, sent[idle])
		}
	}
	all := slices.Collect(maps.Values(c.held))
	least, most, sum := slices.Min(all), slices.Max(all), 0
	for _, n := range all {
		sum += n
	}
	t.Logf("%v connections", all)
	if mean := sum / len(all); (most-least)*5 > mean {
		t.Errorf("in the end the proxies have %v connections, which is not even", all)
	}
}

// wave has some clients ask, spread over the doors, and when all have their answers send
// their requests. It returns how many each proxy got.
func (c *crowd) wave(t *testing.T, n int) map[*proxy]int {
	t.Helper()
	mark := c.tap.Mark()
	leds := c.askAll(t, n)
	if asks := all(c.fleet, mark, "", asksIn); len(asks) > 0 {
		t.Fatalf("no client has sent its request yet, and %s asked", asks[0].Who)
	}
	sent := map[*proxy]int{}
	var calls []*call
	for _, l := range leds {
		p := c.at(t, l.to[0])
		sent[p]++
		calls = append(calls, c.begin(t, l.client, p, l.url))
	}
	for _, call := range calls {
		if call.awaitHead(t); call.remote != call.by.web {
			t.Errorf("a client was led to %s, and sent its request to %s", call.by.web, call.remote)
		}
	}
	for _, p := range c.proxies {
		if asks := all(c.fleet, mark, p.Name(), asksIn); len(asks) != sent[p] {
			t.Errorf("%d clients were led to %s, and it asked for %d requests", sent[p], p.Name(), len(asks))
		}
		c.held[p] += sent[p]
		c.awaitConnections(t, p)
	}
	return sent
}

func (c *crowd) askAll(t *testing.T, n int) []led {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	leds, errs := make([]led, n), make([]error, n)
	var asking sync.WaitGroup
	for i := range n {
		at := everyDoor[c.asked%len(everyDoor)]
		c.asked++
		asking.Go(func() { leds[i], errs[i] = c.doors.ask(ctx, at) })
	}
	asking.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatalf("asking for a proxy: %v", err)
		}
	}
	return leds
}

// proxiesThatLeave: p2 is full, p1 drains, p3 is killed, and p4 stays.
func proxiesThatLeave(t *testing.T) {
	c := newCrowd(t, plan{backends: 1, slots: 50, forProxy: func(i int) []string {
		return [][]string{{"--linger", "10m"}, {"--max-connections", "4"}, nil, nil}[i]
	}}, time.Second)
	p1, p2, p3, p4 := c.proxies[0], c.proxies[1], c.proxies[2], c.proxies[3]
	t.Cleanup(p1.Kill) // it would linger
	for i, p := range []*proxy{p2, p3, p4} {
		c.load(t, p, []int{4, 3, 3}[i])
	}
	sdk, err := c.doors.sdk()
	if err != nil {
		t.Fatal(err)
	}
	mover := &http.Client{Transport: sdk.RoundTripper("web")}
	if by := c.once(t, mover); by != p1 {
		t.Fatalf("%s is idle and the others are not, and sdk/client used %s", p1.Name(), by.Name())
	}
	c.awaitNotChosen(t, p2, "full")
	c.never(t, p2)
	if err := p1.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	c.awaitNotChosen(t, p1, "draining")
	c.never(t, p1, p2)
	c.get(t, p1, "/").awaitHead(t).awaitDone(t) // who was led there before is served
	testproc.Await(t, soon, "sdk/client to leave "+p1.Name(), func(context.Context) error {
		if by := c.once(t, mover); by == p1 {
			return fmt.Errorf("it still uses %s", by.Name())
		}
		return nil
	})
	p3.Kill()
	c.awaitNotChosen(t, p3, "not connected")
	c.never(t, p1, p2, p3)
	if by := c.once(t, mover); by != p4 {
		t.Errorf("only %s is left, and sdk/client used %s", p4.Name(), by.Name())
	}
}

// awaitNotChosen waits until the controller says why a proxy is not chosen.
func (c *crowd) awaitNotChosen(t *testing.T, p *proxy, why string) {
	t.Helper()
	c.awaitProxy(t, p, why, func(s *fairleadv1.ProxyStanding) bool { return strings.Contains(s.GetWhyNot(), why) })
}

// once sends one request, and returns the proxy that it went to.
func (c *crowd) once(t *testing.T, client *http.Client) *proxy {
	t.Helper()
	call := c.begin(t, client, c.proxies[0], "http://"+strings.TrimSuffix(domain, ".")+"/").awaitHead(t).awaitDone(t)
	return c.at(t, call.remote)
}

// never wants no door to name some proxies, however often it is asked.
func (c *crowd) never(t *testing.T, gone ...*proxy) {
	t.Helper()
	first := c.asked
	for i, l := range c.askAll(t, 5*len(everyDoor)) {
		for _, address := range l.to {
			if p := c.at(t, address); slices.Contains(gone, p) {
				t.Fatalf("%s was named by the door %q", p.Name(), everyDoor[(first+i)%len(everyDoor)].name)
			}
		}
	}
}
