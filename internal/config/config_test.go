package config_test

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

const file = "fairlead.yaml"

func TestBad(t *testing.T) {
	for _, c := range slices.Concat(syntaxCases, shapeCases, valueCases, joinCases, reachCases, classifyCases, decideCases, backendTLSCases, trustedCases, acmeCases) {
		t.Run(c.name, func(t *testing.T) {
			got, err := config.Parse(file, []byte(c.text))
			if err == nil || got != nil {
				t.Fatalf("got %+v and error %v, want no config and\n%s", got, err, c.want)
			}
			if text := strings.ReplaceAll(err.Error(), file+":", ""); text != strings.TrimPrefix(c.want, "\n") {
				t.Errorf("of\n%s\ngot\n%s\nwant\n%s", c.text, text, c.want)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	_, err := config.Parse(file, []byte("pools:\n  - {name: p, agents: true, slots: 0}\n"))
	want := config.Errors{{
		File: file, Line: 2, Column: 36, Key: "pools[0].slots",
		Problem: "must be at least 1, got 0",
		Fix:     "set slots to the number of requests that one backend can serve at once",
	}}
	var got config.Errors
	if !errors.As(err, &got) || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %#v, want %#v", err, want)
	}
	const text = "fairlead.yaml:2:36: pools[0].slots: must be at least 1, got 0; " +
		"set slots to the number of requests that one backend can serve at once"
	if got.Error() != text {
		t.Errorf("got %q, want %q", got.Error(), text)
	}
}

func TestManyErrorsAreCut(t *testing.T) {
	_, err := config.Parse(file, []byte("pools:\n"+strings.Repeat("  - {}\n", 500)))
	lines := strings.Split(err.Error(), "\n")
	if last := lines[len(lines)-1]; len(lines) != 101 || last != "and 900 more; mend the ones above first" {
		t.Errorf("%d lines, the last is %q", len(lines), last)
	}
}

// whole is a file that sets every key.
const whole = `
controller: {listen: "0.0.0.0:1", admin: "LOCALHOST:2", data: /var/lib/x, admin_token: /etc/token, insecure: true}
locate: {dns: "127.0.0.1:53", http: ":7481", domain: LB.Example.org., ttl: 7s, https_records: true}
zones:
  - {name: a, subnets: ["10.0.0.0/16", "2001:db8::/32"]}
  - {name: b, subnets: ["::ffff:10.0.7.0/120", 192.0.2.7]}
listeners:
  - {name: web, address: ":80", protocol: http}
  - name: db
    address: "[0:0::1]:5432"
    protocol: tcp
    idle_timeout: 5m
  - {name: any, address: "127.0.0.1:0", protocol: tcp}
  - {name: any2, address: "127.0.0.1:0", protocol: tcp, idle_timeout: 0, accept_proxy: {from: [10.0.0.0/8, "::1"]}}
routes:
  - {listener: web, host: "*.Example.ORG", path: /api/, pool: a}
  - {listener: web, host: "[::1]", pool: a}
  - {listener: db, pool: b}
  - {listener: any, pool: b}
  - {listener: any2, pool: b}
  - {listener: any2, host: "*.Example.ORG.", pool: b}
pools:
  - name: a
    slots: 3
    queue: {limit: 0, timeout: 1h}
    retries: 0
    connect_timeout: 100ms
    grant_limit: 0
    agents: true
    link: proxied
    assign: confirm
    assign_timeout: 7s
    tickets: true
    ticket_life: 1m
    prefer: zone
    decide: controller
    health: {type: http, path: "/healthz?x=1", host: "health.example:80", interval: 5s, timeout: 3s, fall: 4, rise: 5, lost_after: "0"}
  - name: b
    send_proxy: v2
    backends:
      - {address: "DB.example.:5432", zone: eu-1, slots: 7}
      - {address: "[::ffff:10.0.0.1]:05432", slots: 1000000}
`

func TestWhole(t *testing.T) {
	got, err := config.Parse(file, []byte("\ufeff"+strings.ReplaceAll(whole, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		Controller: config.Controller{Listen: "0.0.0.0:1", Admin: "localhost:2", Data: "/var/lib/x", Name: "controller", Advertise: "0.0.0.0:1", AdminToken: "/etc/token", Insecure: true},
		Locate: config.Locate{
			DNS: "127.0.0.1:53", HTTP: ":7481", Domain: "lb.example.org", TTL: 7 * time.Second, HTTPSRecords: true,
		},
		Zones: []config.Zone{
			{Name: "a", Subnets: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("2001:db8::/32")}},
			{Name: "b", Subnets: []netip.Prefix{netip.MustParsePrefix("10.0.7.0/24"), netip.MustParsePrefix("192.0.2.7/32")}},
		},
		Listeners: []config.Listener{
			{Name: "web", Address: ":80", Protocol: config.HTTP},
			{Name: "db", Address: "[::1]:5432", Protocol: config.TCP, IdleTimeout: 5 * time.Minute},
			{Name: "any", Address: "127.0.0.1:0", Protocol: config.TCP, IdleTimeout: config.DefaultIdleTimeout},
			{
				Name: "any2", Address: "127.0.0.1:0", Protocol: config.TCP,
				AcceptProxyFrom: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")},
			},
		},
		Routes: []config.Route{
			{Listener: "web", Host: "*.example.org", Path: "/api", Pool: "a"},
			{Listener: "web", Host: "::1", Path: "/", Pool: "a"},
			{Listener: "db", Host: "*", Path: "/", Pool: "b"},
			{Listener: "any", Host: "*", Path: "/", Pool: "b"},
			{Listener: "any2", Host: "*", Path: "/", Pool: "b"},
			{Listener: "any2", Host: "*.example.org", Path: "/", Pool: "b"},
		},
		Pools: []config.Pool{
			{
				Name: "a", Slots: 3, Decide: config.DecideController, Link: config.Proxied, Assign: fleet.AssignConfirm, AssignTimeout: 7 * time.Second,
				Tickets: true, TicketLife: time.Minute, Prefer: config.PreferZone, Queue: config.Queue{Timeout: time.Hour}, Agents: true,
				ConnectTimeout: 100 * time.Millisecond, RetryBudget: config.DefaultRetryBudget(),
				Health: config.Health{
					Type: config.HealthHTTP, Path: "/healthz?x=1", Host: "health.example:80",
					Interval: 5 * time.Second, Timeout: 3 * time.Second, Fall: 4, Rise: 5,
				},
			},
			sends("b", config.SendProxyV2, config.Backend{Address: "db.example:5432", Zone: "eu-1", Slots: 7},
				config.Backend{Address: "10.0.0.1:5432", Slots: 1_000_000}),
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// byDefault is a pool that sets nothing but what it has to.
func byDefault(name fleet.PoolName, slots int, backends ...config.Backend) config.Pool {
	return config.Pool{
		Name: name, Slots: slots, Backends: backends,
		Queue:  config.Queue{Limit: config.DefaultQueueLimit, Timeout: config.DefaultQueueTimeout},
		Health: config.DefaultHealth(), Retries: config.DefaultRetries,
		ConnectTimeout: config.DefaultConnectTimeout, GrantLimit: config.DefaultGrantLimit,
		Link: config.Proxied, AssignTimeout: config.DefaultAssignTimeout,
		TicketLife: config.DefaultTicketLife, Prefer: config.PreferNone, Decide: config.DecideController,
		RetryBudget: config.DefaultRetryBudget(), Permits: true,
	}
}

// sends is a pool whose backends get a header.
func sends(name fleet.PoolName, version config.SendProxy, backends ...config.Backend) config.Pool {
	p := byDefault(name, 1, backends...)
	p.SendProxy = version
	return p
}

// nowhere is what a file without locate gets.
var nowhere = config.Locate{Domain: config.DefaultDomain, TTL: config.DefaultTTL}

// example is the file of the design, with every value that this version has.
const example = `controller:
  listen: 127.0.0.1:7400      # gRPC: proxies, agents, tools
  admin: 127.0.0.1:7480       # HTTP: page, API, /metrics, /healthz
  data: ./fairlead-data
listeners:                    # served by every proxy
  - {name: web, address: "127.0.0.1:8080", protocol: http}
routes:
  - {listener: web, host: "*", path: /, pool: render}
pools:
  - name: render
    slots: 4                  # per backend; a backend may set its own
    queue: {limit: 1000, timeout: 30s}
    link: proxied
    assign: none
    backends:
      - {address: "127.0.0.1:9101", zone: a}
      - {address: "127.0.0.1:9102", zone: b, slots: 8}
`

func TestDefaults(t *testing.T) {
	want := &config.Config{
		Controller: config.Controller{Listen: config.DefaultListen, Admin: config.DefaultAdmin, Data: config.DefaultData, Name: config.DefaultControllerName, Advertise: config.DefaultListen},
		Locate:     nowhere,
		Listeners:  []config.Listener{{Name: "web", Address: "127.0.0.1:8080", Protocol: config.HTTP}},
		Routes:     []config.Route{{Listener: "web", Host: "*", Path: "/", Pool: "render"}},
		Pools: []config.Pool{byDefault("render", 4, config.Backend{Address: "127.0.0.1:9101", Zone: "a"},
			config.Backend{Address: "127.0.0.1:9102", Zone: "b", Slots: 8})},
	}
	const short = `
listeners: [{name: web, address: "127.0.0.1:8080", protocol: http}]
routes: [{listener: web, pool: render}]
pools:
- name: render
  slots: 4
  backends: [{address: "127.0.0.1:9101", zone: a}, {address: "127.0.0.1:9102", zone: b, slots: 8}]
`
	for name, text := range map[string]string{"example": example, "short": short} {
		if got, err := config.Parse(file, []byte(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got\n%+v\nand error %v, want\n%+v", name, got, err, want)
		}
	}
}

// The empty file's error shows a config; whoever copies it has to be served.
func TestSmallestIsGood(t *testing.T) {
	_, err := config.Parse(file, nil)
	_, text, _ := strings.Cut(err.Error(), "\n")
	if _, err := config.Parse(file, []byte(text)); err != nil {
		t.Errorf("the config that is shown is not good: %v", err)
	}
}

// TestDocumentedExamples keeps the files that the documentation shows good ones.
func TestDocumentedExamples(t *testing.T) {
	documented(t, "config.md", 3, 1, 1, 1)
	documented(t, "tcp.md", 3)
}

// documented wants a page's files to be good, with so many pools each.
func documented(t *testing.T, name string, want ...int) {
	t.Helper()
	page, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var pools []int // of each file
	for _, rest := range strings.Split(string(page), "```yaml\n")[1:] {
		text, _, closed := strings.Cut(rest, "```\n")
		c, err := config.Parse(file, []byte(text))
		if err != nil || !closed {
			t.Fatalf("docs/%s shows\n%s\nwhich is not good: %v", name, text, err)
		}
		pools = append(pools, len(c.Pools))
	}
	if !slices.Equal(pools, want) {
		t.Errorf("docs/%s shows files with %v pools, want %v", name, pools, want)
	}
}

// A pool may do without routes, for programs that ask by the SDK.
func TestPoolsAlone(t *testing.T) {
	if _, err := config.Parse(file, []byte(pool)); err != nil {
		t.Error(err)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	good, large := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "large.yaml")
	missing := filepath.Join(dir, "missing.yaml")
	if err := os.WriteFile(good, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(large, make([]byte, config.MaxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := config.Load(good); err != nil || len(c.Pools) != 1 {
		t.Errorf("got %+v, %v", c, err)
	}
	_, err := config.Load(missing)
	want := "config file " + missing + ": file does not exist; create it, or name another file"
	if err == nil || err.Error() != want || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %s", err, want)
	}
	for path, want := range map[string]string{
		large: "config file " + large + " is larger than 4 MiB, which no config needs; is it the right file?",
		dir:   "config file " + dir + " is a directory; name a file in it",
	} {
		if _, err := config.Load(path); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestBackendAddress(t *testing.T) {
	if got, err := config.BackendAddress("Render.Example.:0080"); err != nil || got != "render.example:80" {
		t.Errorf("got %q, %v", got, err)
	}
	const want = `a backend's port must be from 1 to 65535, got "a:0"; write the port on which it listens`
	if _, err := config.BackendAddress("a:0"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
