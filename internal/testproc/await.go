//go:build unix

package testproc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

const (
	between  = 20 * time.Millisecond // two looks at something awaited
	oneLook  = 2 * time.Second       // the longest
	mostBody = 8 << 20               // bytes of an answer

	// Below the ports that systems hand out by themselves, so that no outgoing
	// connection takes one between FreeAddr and its use.
	firstPort, lastPort = 15000, 30000
)

// Await looks again and again until the look returns nil, and fails the test with the
// look's last error when that takes too long, or at once when one of the processes ends.
// what completes the sentence "waiting for ...".
func Await(t testing.TB, within time.Duration, what string, look func(context.Context) error, needed ...*Process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	pace := time.NewTicker(between)
	defer pace.Stop()
	var last error
	for {
		once, done := context.WithTimeout(ctx, oneLook)
		err := look(once)
		done()
		if err == nil {
			return
		}
		if last == nil || ctx.Err() == nil { // a look that our deadline broke off tells nothing
			last = err
		}
		for _, p := range needed {
			select {
			case <-p.done:
				t.Fatalf("waiting for %s: %s has ended: %v; last: %v", what, p.name, p.err, last)
			default:
			}
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			t.Fatalf("waiting for %s: not within %v; last: %v", what, within, last)
		}
	}
}

// AwaitHTTP waits until a GET of the URL answers 200, as Await does.
func AwaitHTTP(t testing.TB, within time.Duration, url string, needed ...*Process) {
	t.Helper()
	Await(t, within, url, func(ctx context.Context) error {
		_, err := get(ctx, url)
		return err
	}, needed...)
}

// AwaitTCP waits until the address accepts a connection, as Await does.
func AwaitTCP(t testing.TB, within time.Duration, addr string, needed ...*Process) {
	t.Helper()
	Await(t, within, addr, func(ctx context.Context) error {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return c.Close()
	}, needed...)
}

// AwaitSnapshot waits until the controller whose admin address is given tells a snapshot
// that the check returns nil for, and returns it.
func AwaitSnapshot(t testing.TB, within time.Duration, admin, what string,
	check func(*fairleadv1.Snapshot) error, needed ...*Process) *fairleadv1.Snapshot {
	t.Helper()
	var last *fairleadv1.Snapshot
	Await(t, within, what, func(ctx context.Context) error {
		s, err := snapshot(ctx, admin)
		if err != nil {
			return err
		}
		last = s
		return check(s)
	}, needed...)
	return last
}

// Standing returns a check for AwaitSnapshot: so many backends of the pool take grants,
// and so many proxies are connected.
func Standing(pool string, backends, proxies int) func(*fairleadv1.Snapshot) error {
	return func(s *fairleadv1.Snapshot) error {
		var up, connected int
		for _, p := range s.GetPools() {
			for _, b := range p.GetBackends() {
				if p.GetName() == pool && b.GetEligible() {
					up++
				}
			}
		}
		for _, p := range s.GetProxies() {
			if p.GetConnected() {
				connected++
			}
		}
		if up != backends || connected != proxies {
			return fmt.Errorf("%d backends of %s take grants and %d proxies are connected, not %d and %d",
				up, pool, connected, backends, proxies)
		}
		return nil
	}
}

// Snapshot returns what the controller whose admin address is given knows now.
func Snapshot(t testing.TB, admin string) *fairleadv1.Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), oneLook)
	defer cancel()
	s, err := snapshot(ctx, admin)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Look returns what a controller's admin address says of the fleet now.
func Look(ctx context.Context, admin string) (*fairleadv1.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, oneLook)
	defer cancel()
	return snapshot(ctx, admin)
}

func snapshot(ctx context.Context, admin string) (*fairleadv1.Snapshot, error) {
	body, err := get(ctx, "http://"+admin+"/api/v1/snapshot")
	if err != nil {
		return nil, err
	}
	s := &fairleadv1.Snapshot{}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(body, s); err != nil {
		return nil, fmt.Errorf("reading the snapshot: %w", err)
	}
	return s, nil
}

// get leaves no connection behind, so that no goroutine outlives the test.
func get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostBody))
	err = errors.Join(err, resp.Body.Close())
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", url, resp.Status, strings.TrimSpace(string(body[:min(len(body), 200)])))
	}
	return body, err
}

var handed struct {
	mu    sync.Mutex // guards what is below
	ports map[int]bool
}

// FreeAddr returns an address of this host that nothing listens at, as 127.0.0.1:port.
// No two calls in a test process return the same. Another process could take the port
// before it is used; that is made unlikely, not impossible. Safe for concurrent use.
func FreeAddr(t testing.TB) string {
	t.Helper()
	handed.mu.Lock()
	defer handed.mu.Unlock()
	if handed.ports == nil {
		handed.ports = map[int]bool{}
	}
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if handed.ports[port] {
			continue
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatalf("closing %s: %v", addr, err)
		}
		handed.ports[port] = true
		return addr
	}
	t.Fatal("found no free port in 1000 attempts")
	return ""
}
