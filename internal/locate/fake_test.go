package locate

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second // for an event that has to come

// fakeSource is a controller that knows what it is told.
type fakeSource struct {
	mu        sync.Mutex
	proxies   []fleet.ProxyState
	listeners []fleet.ListenerInfo
}

func (s *fakeSource) Proxies() []fleet.ProxyState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proxies
}

func (s *fakeSource) Listener(name string) (fleet.ListenerInfo, bool) {
	for _, l := range s.listeners {
		if l.Name == name {
			return l, true
		}
	}
	return fleet.ListenerInfo{}, false
}

func (s *fakeSource) Listeners() (names []string) {
	for _, l := range s.listeners {
		names = append(names, l.Name)
	}
	return names
}

// set replaces the proxies.
func (s *fakeSource) set(proxies ...fleet.ProxyState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proxies = slices.Clone(proxies)
}

// proxy returns a proxy that serves web at host:80 and db at host:5432.
func proxy(name, zone, host string, connections int) fleet.ProxyState {
	return fleet.ProxyState{
		Name: name, Zone: zone, Connected: true, Connections: connections, Statuses: 1,
		Listeners: map[string]string{"web": net.JoinHostPort(host, "80"), "db": net.JoinHostPort(host, "5432")},
	}
}

// four are two proxies in either of two zones.
func four() []fleet.ProxyState {
	return []fleet.ProxyState{
		proxy("a1", "a", "192.0.2.1", 0), proxy("a2", "a", "192.0.2.2", 5),
		proxy("b1", "b", "192.0.2.3", 50), proxy("b2", "b", "2001:db8::4", 0),
	}
}

func testZones() []config.Zone {
	return []config.Zone{
		{Name: "a", Subnets: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("127.0.0.0/8")}},
		{Name: "b", Subnets: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16"), netip.MustParsePrefix("10.1.7.0/24"), netip.MustParsePrefix("2001:db8:b::/48")}},
	}
}

// rig is a Locator with all around it.
type rig struct {
	*Locator
	source *fakeSource
	reg    *prometheus.Registry
	log    *logBook
}

func newRig(t testing.TB, c Config, proxies ...fleet.ProxyState) *rig {
	t.Helper()
	r := &rig{source: &fakeSource{listeners: []fleet.ListenerInfo{
		{Name: "web", HTTP: true}, {Name: "db", Direct: true}, {Name: "My.App"},
	}}, reg: prometheus.NewRegistry(), log: &logBook{}}
	r.source.set(proxies...)
	if c.Locate.Domain == "" {
		c.Locate.Domain = "lb.example.org"
	}
	c.Locate.TTL = 5 * time.Second
	c.Source, c.Registerer, c.Logger = r.source, r.reg, slog.New(slog.NewTextHandler(r.log, nil))
	l, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	r.Locator = l
	return r
}

// choices returns a counter of choices.
func (r *rig) choices(d door, o outcome) float64 {
	return r.counter("fairlead_locate_choices_total", string(d), string(o))
}

// refusals returns a counter of refusals.
func (r *rig) refusals(why reason) float64 {
	return r.counter("fairlead_locate_dns_refused_total", string(why))
}

// counter returns what the Registerer would show of a counter; labels are in the order of
// their names. It returns -1 if there is none.
func (r *rig) counter(name string, labels ...string) float64 {
	families, err := r.reg.Gather()
	if err != nil {
		panic(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var has []string
			for _, l := range m.GetLabel() {
				has = append(has, l.GetValue())
			}
			if f.GetName() == name && slices.Equal(has, labels) {
				return m.GetCounter().GetValue()
			}
		}
	}
	return -1
}

// serve runs f with a context that ends with the test, and joins it.
func serve(t testing.TB, f func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("serving ended with %v, want nil", err)
			}
		case <-time.After(patience):
			t.Error("serving did not end with its context")
		}
	})
	t.Cleanup(stop)
	return stop
}

func listenTCP(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// logBook keeps the log.
type logBook struct {
	mu   sync.Mutex
	text strings.Builder
}

var _ io.Writer = (*logBook)(nil)

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBook) lines(with string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for line := range strings.Lines(b.text.String()) {
		if strings.Contains(line, with) {
			n++
		}
	}
	return n
}

func names(picks []pick) string {
	var all []string
	for _, p := range picks {
		all = append(all, p.name)
	}
	return fmt.Sprint(all)
}
