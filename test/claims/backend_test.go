//go:build unix

package claims

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"github.com/fairlead/fairlead/internal/testproc"
)

// backend is a backend's process, and the way to ask it what it counts.
type backend struct {
	*testproc.Process
	name              string
	web, raw, control string
	webGate, rawGate  string // where its agents let clients in, if they do
}

// counted is what a backend counts for itself.
type counted struct {
	InFlight int      `json:"in_flight"`
	Most     int      `json:"most"`
	TCPOpen  int      `json:"tcp_open"`
	TCPPeers []string `json:"tcp_peers"`
	IDs      []string `json:"ids"`

	Assigned   []assignment `json:"assigned"`
	Unassigned []string     `json:"unassigned"` // paths that came before they were assigned
	Revoked    []string     `json:"revoked"`
}

// assignment is one of which a backend's SDK told it.
type assignment struct {
	Grant   string `json:"grant"`
	Proxy   string `json:"proxy"`
	Client  string `json:"client"`
	Method  string `json:"method"`
	Path    string `json:"path"`
	Class   string `json:"class"`
	Flow    string `json:"flow"`
	Confirm bool   `json:"confirm"`
}

func newBackend(t *testing.T, name string) *backend {
	b := &backend{name: name}
	for _, address := range []*string{&b.web, &b.raw, &b.control, &b.webGate, &b.rawGate} {
		*address = testproc.FreeAddr(t)
	}
	return b
}

func (b *backend) addressIn(pool string) string {
	if pool == raw {
		return b.raw
	}
	return b.web
}

// direct is a client that leaves no connection behind.
var direct = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func (b *backend) fetch(ctx context.Context) (counted, error) {
	var c counted
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.control+"/stats", nil)
	if err != nil {
		return c, err
	}
	resp, err := direct.Do(req)
	if err != nil {
		return c, err
	}
	defer resp.Body.Close()
	return c, json.NewDecoder(resp.Body).Decode(&c)
}

func (b *backend) stats(t *testing.T) counted {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	c, err := b.fetch(ctx)
	if err != nil {
		t.Fatalf("what %s counts: %v", b.name, err)
	}
	return c
}

func (b *backend) await(t *testing.T, what string, check func(counted) error) {
	t.Helper()
	testproc.Await(t, soon, b.name+": "+what, func(ctx context.Context) error {
		c, err := b.fetch(ctx)
		if err != nil {
			return err
		}
		return check(c)
	}, b.Process)
}

// awaitRequests waits until the backend counts so many requests in flight.
func (b *backend) awaitRequests(t *testing.T, n int) {
	t.Helper()
	b.await(t, fmt.Sprintf("%d requests", n), func(c counted) error {
		if c.InFlight != n {
			return fmt.Errorf("%d are in flight", c.InFlight)
		}
		return nil
	})
}

// awaitLines waits until the backend counts so many TCP connections.
func (b *backend) awaitLines(t *testing.T, n int) {
	t.Helper()
	b.await(t, fmt.Sprintf("%d connections", n), func(c counted) error {
		if c.TCPOpen != n {
			return fmt.Errorf("%d are open", c.TCPOpen)
		}
		return nil
	})
}

// saw tells whether a request came here.
func (b *backend) saw(t *testing.T, id string) bool {
	t.Helper()
	return slices.Contains(b.stats(t).IDs, id)
}

// order has the backend do something by its control address.
func (b *backend) order(t *testing.T, path string, form url.Values) {
	t.Helper()
	resp, err := direct.PostForm("http://"+b.control+path, form)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s of %s: %s, %v", path, b.name, resp.Status, err)
	}
}

// release lets n held requests go.
func (b *backend) release(t *testing.T, n int) {
	t.Helper()
	b.order(t, "/release", url.Values{"n": {strconv.Itoa(n)}})
}

// sawWhere returns the names of the backends that a request came to.
func (f *fleet) sawWhere(t *testing.T, id string) []string {
	t.Helper()
	var names []string
	for _, b := range f.backends {
		if b.saw(t, id) {
			names = append(names, b.name)
		}
	}
	return names
}
