package config_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

// direct is a pool with direct links whose backends' line follows.
const direct = "pools:\n  - name: p\n    slots: 1\n    link: direct\n    backends:\n"

// reachCases are about who may connect where: certificates, clients, backends.
var reachCases = []bad{
	{"half a certificate", "controller: {listen: \":7400\", tls: {cert: a.crt, ca: \"\"}}\n" + pool, `
1:36: controller.tls.key: is missing; name the files of all three, cert, key and ca; 'fairlead cert' makes them
1:54: controller.tls.ca: must name a file, got an empty text; write a path`},
	{"no certificate", "controller: {listen: \":7400\", tls: {}}\n" + pool, `
1:36: controller.tls.ca: is missing; name the files of all three, cert, key and ca; 'fairlead cert' makes them
1:36: controller.tls.cert: is missing; name the files of all three, cert, key and ca; 'fairlead cert' makes them
1:36: controller.tls.key: is missing; name the files of all three, cert, key and ca; 'fairlead cert' makes them`},
	{"tls that is no section", "controller: {listen: \":7400\", insecure: true, tls: on}\n" + pool, `
1:52: controller.tls: must be a section, got the text "on"; write key: value lines, with keys of ca, cert, key`},
	{"tls without a value", "controller:\n  tls:\n  listen: \":7400\"\n" + pool, `
2:3: controller.tls: has no value; give it one, or remove the key`},
	{"secure and insecure", "controller: {insecure: true, tls: {cert: a, key: b, ca: c}}\n" + pool, `
1:24: controller.insecure: controller.tls keeps strangers out, and this would let them in; remove one of the two`},
	{"no token", "controller: {admin_token: \" \"}\n" + pool, `
1:27: controller.admin_token: must name a file, got an empty text; write a path`},
	{"locate", "locate: {dns: \":53\", http: 7481, domain: \"a b\", ttl: 1500ms, https_records: yes}\n" + pool, `
1:28: locate.http: must be text, got the number 7481; put quotes around it
1:42: locate.domain: must be a domain, got "a b"; write one of at most 180 characters, such as lb.example.org
1:54: locate.ttl: must be of whole seconds, got 1.5s; say how long clients remember which proxy to use
1:77: locate.https_records: must be true or false, got the text "yes"; write true or false, without quotes`},
	{"locate where something listens", "controller: {admin: \"127.0.0.1:53\"}\nlocate: {dns: \":53\", http: \":7400\"}\n" + pool, `
2:15: locate.dns: :53 is taken: controller.admin is 127.0.0.1:53; choose another port
2:28: locate.http: :7400 is taken: controller.listen by default is 127.0.0.1:7400; choose another port`},
	{"locate's own addresses, and a listener's", "locate: {dns: \":53\", http: \":53\", ttl: 61m, domain: 10.0.0.1}\n" +
		"listeners: [{name: db, address: \"127.0.0.1:53\", protocol: tcp}]\nroutes: [{listener: db, pool: p}]\n" + pool, `
1:28: locate.http: :53 is taken: locate.dns is :53; choose another port
1:40: locate.ttl: must be at most 1h, got 61m; say how long clients remember which proxy to use
1:53: locate.domain: must be a domain, got "10.0.0.1"; write one of at most 180 characters, such as lb.example.org
2:33: listeners[0].address: 127.0.0.1:53 is taken: locate.dns is :53; choose another port`},
	{"zones", "zones:\n  - {name: a, subnets: [10.0.0.1/8, 10.0.0.0/33, x]}\n  - {subnets: [10.0.0.0/8]}\n  - {name: a, subnets: [\"10.0.0.0/8\"]}\n  - {name: c}\n" + pool, `
2:25: zones[0].subnets[0]: "10.0.0.1/8" has bits set beyond its length; write 10.0.0.0/8, or one address without a length
2:37: zones[0].subnets[1]: must be a subnet, got "10.0.0.0/33"; write an address and a length, as in 10.0.0.0/16 or "2001:db8::/32", or one address
2:50: zones[0].subnets[2]: must be a subnet, got "x"; write an address and a length, as in 10.0.0.0/16 or "2001:db8::/32", or one address
3:5: zones[1].name: is missing; name the zone, as backends and proxies do
4:12: zones[2].name: zone "a" is given twice, first in line 2; rename or remove one of them
4:25: zones[2].subnets[0]: subnet "10.0.0.0/8" is given twice, first in line 3; rename or remove one of them
5:5: zones[3].subnets: is missing; list the subnets of the clients that are there`},
	{"subnets that are none", "zones:\n  - {name: a, subnets: []}\n  - {name: b, subnets: 10.0.0.0/8}\n" +
		"  - {name: c, subnets: [\"fe80::%e/64\", \"::ffff:10.0.0.1/120\", 192.0.2.7, \"::ffff:192.0.2.7\", 192.0.2.7/32]}\n" + pool, `
2:24: zones[0].subnets: is empty, so no client is in the zone; list the subnets of the clients that are there, or remove the zone
3:24: zones[1].subnets: must be a list, got the text "10.0.0.0/8"; begin each item with a dash
4:25: zones[2].subnets[0]: must be a subnet, got "fe80::%e/64"; write an address and a length, as in 10.0.0.0/16 or "2001:db8::/32", or one address
4:40: zones[2].subnets[1]: "::ffff:10.0.0.1/120" has bits set beyond its length; write 10.0.0.0/24, or one address without a length
4:74: zones[2].subnets[3]: subnet "192.0.2.7/32" is given twice, first in line 4; rename or remove one of them
4:94: zones[2].subnets[4]: subnet "192.0.2.7/32" is given twice, first in line 4; rename or remove one of them`},
	{"a wide mapped subnet", "zones: [{name: a, subnets: [\"::ffff:0:0/95\"]}]\n" + pool, `
1:29: zones[0].subnets[0]: must be a subnet of IPv4 or of IPv6, got "::ffff:0:0/95"; write it as IPv4`},
	{"assign", pool + "    assign_timeout: 1s\n", `
5:21: pools[0].assign_timeout: has no meaning for a pool that does not assign; set assign to notify or confirm, or remove the key`},
	{"limits of time", pool + "    assign: notify\n    assign_timeout: 61s\n    tickets: true\n    ticket_life: 61m\n    prefer: zones\n", `
6:21: pools[0].assign_timeout: must be at most 1m, got 61s; say how long a backend may think about an assignment
8:18: pools[0].ticket_life: must be at most 1h, got 61m; say how long a ticket is good
9:13: pools[0].prefer: must be none or zone, got "zones"; write none or zone`},
	{"direct without tickets at all", direct + "      - {address: \"a:1\"}\n    tickets: false\n    ticket_life: 5s\n", `
7:14: pools[0].tickets: a pool with direct links has tickets: without them anyone could come to its backends; remove the key, or set link to proxied`},
	{"direct without tickets", direct + "      - {address: \"a:1\"}\n    tickets: false\n    ticket_life: 500ms\n", `
7:14: pools[0].tickets: a pool with direct links has tickets: without them anyone could come to its backends; remove the key, or set link to proxied
8:18: pools[0].ticket_life: must be at least 1s, got 500ms; say how long a ticket is good`},
	{"ticket life without tickets", pool + "    ticket_life: 5s\n", `
5:18: pools[0].ticket_life: has no meaning for a pool without tickets; set tickets to true, or remove the key`},
	{"public addresses", direct + "      - {address: \"a:1\", public: \"ftp://a:1\"}\n      - {address: \"b:1\", public: \"https://b/x\"}\n" +
		"      - {address: \"c:1\", public: \"http://u@c:1\"}\n      - {address: \"d:1\", public: \"0.0.0.0:1\"}\n      - {address: \"e:1\", public: \"http://e:0\"}\n", `
6:34: pools[0].backends[0].public: the scheme must be http or https, got "ftp://a:1"; write https://host:port, http://host:port or host:port
7:34: pools[0].backends[1].public: must be a URL of scheme, host and port alone, got "https://b/x"; write https://host:port, http://host:port or host:port
8:34: pools[0].backends[2].public: must be a URL of scheme, host and port alone, got "http://u@c:1"; write https://host:port, http://host:port or host:port
9:34: pools[0].backends[3].public: must be an address to connect to, got "0.0.0.0:1"; name the host's own address; this one stands for every interface of a host that listens
10:34: pools[0].backends[4].public: a backend's port must be from 1 to 65535, got "e:0"; write the port on which it listens`},
	{"interfaces", direct + "      - {address: \"[fe80::1%e/x]:1\"}\n      - {address: \"[fe80::1%eth0]:1\", public: \"[fe80::1%eth0]:1\"}\n", `
6:19: pools[0].backends[0].address: what follows the % must be the name of an interface, got "[fe80::1%e/x]:1"; write it as in "[fe80::1%eth0]:8080"
7:47: pools[0].backends[1].public: a public address cannot name an interface, got "[fe80::1%eth0]:1"; write an address without %, which means the same on every host`},
	{"public without direct", "pools:\n  - {name: p, slots: 1, backends: [{address: \"a:1\", public: \"b:1\"}]}\n", `
2:61: pools[0].backends[0].public: has no meaning for a pool whose links are proxied; set link to direct, or remove the key`},
	{"a URL over tcp", direct + "      - {address: \"a:1\", public: \"https://b\"}\nlisteners: [{name: db, address: \":5432\", protocol: tcp}]\nroutes: [{listener: db, pool: p}]\n", `
6:34: pools[0].backends[0].public: a listener that speaks tcp leads to the pool, and https://b:443 is a URL; write host:port`},
}

// secure is a file with what cannot stand in whole: TLS, and direct links.
const secure = `
controller: {listen: ":7400", admin: ":7480", tls: {cert: a.crt, key: a.key, ca: ca.crt}, insecure: false}
locate: {dns: ":53"}
zones: [{name: a, subnets: [10.0.0.0/8, 10.1.0.0/16]}, {name: b, subnets: [10.1.2.0/24]}]
pools:
  - name: p
    slots: 1
    link: direct
    assign: notify
    tickets: true
    ticket_life: 1h
    prefer: none
    backends: [{address: "A:1", public: "HTTPS://P.Example."}, {address: "b:1", public: "B.Example:2"}, {address: "c:1"}]
`

func TestSecure(t *testing.T) {
	got, err := config.Parse(file, []byte(secure))
	if err != nil {
		t.Fatal(err)
	}
	p := byDefault("p", 1, config.Backend{Address: "a:1", Public: "https://p.example:443"},
		config.Backend{Address: "b:1", Public: "b.example:2"}, config.Backend{Address: "c:1"})
	p.Link, p.Assign, p.Tickets, p.TicketLife = config.Direct, fleet.AssignNotify, true, time.Hour
	p.Permits = false // with direct links
	want := &config.Config{
		Controller: config.Controller{
			Listen: ":7400", Admin: ":7480", Data: config.DefaultData, Name: config.DefaultControllerName, Advertise: ":7400",
			TLS: config.TLS{Cert: "a.crt", Key: "a.key", CA: "ca.crt"},
		},
		Locate: config.Locate{DNS: ":53", Domain: config.DefaultDomain, TTL: config.DefaultTTL},
		Zones: []config.Zone{
			{Name: "a", Subnets: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.1.0.0/16")}},
			{Name: "b", Subnets: []netip.Prefix{netip.MustParsePrefix("10.1.2.0/24")}},
		},
		Pools: []config.Pool{p},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// TestManyZones: as many zones and subnets as docs/config.md says, and not one more.
func TestManyZones(t *testing.T) {
	for _, c := range []struct {
		zones, each, more int
		want              string
	}{
		{1000, 10, 0, ""},
		{1001, 1, 0, "zones: has 1001 zones, at most 1000 are possible; join some of them"},
		{1000, 10, 1, "zones[999].subnets[10]: there are more than 10000 subnets; join some of them"},
	} {
		var b strings.Builder
		b.WriteString(pool + "zones:\n")
		for z := range c.zones {
			n := c.each
			if z == c.zones-1 {
				n += c.more
			}
			var subnets []string
			for s := range n {
				subnets = append(subnets, fmt.Sprintf("10.%d.%d.%d", z/256, z%256, s))
			}
			fmt.Fprintf(&b, "  - {name: z%d, subnets: [%s]}\n", z, strings.Join(subnets, ", "))
		}
		got, err := config.Parse(file, []byte(b.String()))
		switch {
		case c.want == "" && (err != nil || len(got.Zones) != c.zones):
			t.Errorf("%d zones of %d subnets: %.300v", c.zones, c.each, err)
		case c.want != "" && (err == nil || !strings.HasSuffix(err.Error(), ": "+c.want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("got %.300v, want %s", err, c.want)
		}
	}
}

func TestPublicAddress(t *testing.T) {
	for written, want := range map[string]string{
		"A.example:9000": "a.example:9000", "https://A.example.": "https://a.example:443", "http://[2001:db8::1]": "http://[2001:db8::1]:80",
		"HTTPS://b:08443": "https://b:8443", "[::ffff:10.0.0.1]:80": "10.0.0.1:80",
	} {
		if got, err := config.PublicAddress(written); err != nil || got != want {
			t.Errorf("PublicAddress(%q) = %q, %v, want %q", written, got, err, want)
		}
	}
	for _, written := range []string{"", "b", "http://", "http://b:99999", "javascript://b:1", "http://b#", "http://b?", "//b:1", "http://b:1\r\nX: y",
		"[::1%a\r\nX: y]:80", "[fe80::1%eth0]:80", "http://[fe80::1%25eth0]:80", "http://b:1/"} {
		if got, err := config.PublicAddress(written); err == nil {
			t.Errorf("PublicAddress(%q) = %q, want an error", written, got)
		}
	}
}

// TestDirectHasTickets: links that are direct bring tickets with them.
func TestDirectHasTickets(t *testing.T) {
	c, err := config.Parse(file, []byte(direct+"      - {address: \"a:1\", public: \"https://A.example\"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Pools[0]; p.Link != config.Direct || !p.Tickets || p.Backends[0].Public != "https://a.example:443" {
		t.Errorf("the pool is %+v", p)
	}
}

// TestNotes: what a config needs of others is told, and a plain one has nothing to tell.
func TestNotes(t *testing.T) {
	const text = `
listeners: [{name: db, address: ":5432", protocol: tcp, accept_proxy: {from: ["::/0", 10.0.0.0/8]}}]
routes: [{listener: db, pool: t}]
pools:
  - {name: plain, slots: 1, agents: true}
  - {name: joined, slots: 1, agents: true, assign: confirm}
  - {name: a, slots: 1, assign: confirm, backends: [{address: "a:1"}]}
  - {name: d, slots: 1, agents: true, link: direct}
  - {name: t, slots: 1, agents: true, tickets: true}
  - {name: n, slots: 1, agents: true, prefer: zone}
  - {name: z, slots: 1, prefer: zone, backends: [{address: "a:1", zone: a}, {address: "b:1"}, {address: "c:1"}]}
  - {name: h, slots: 1, agents: true, class_header: X-Class, flow: {by: header, name: X-Tenant}}
  - {name: j, slots: 1, agents: true, flow: {by: claim, name: sub}}
  - {name: s, slots: 1, agents: true, send_proxy: v1}
`
	c, err := config.Parse(file, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{`"a"`, "assign: confirm", "agent or sdk/backend"}, {`"d"`, "link: direct", "public address", "--gate"},
		{`"t"`, "PROXY protocol", `"db"`}, {`"n"`, "the file names no zone", "fairlead proxy --zone"}, {`"z"`, "b:1, c:1 are"},
		{`"h"`, "X-Class", "any client"}, {`"h"`, "X-Tenant", "any client"}, {`"j"`, "sub", "do not check"},
		{`"db"`, "::/0", "anyone"}, {`"s"`, "send_proxy: v1", "health checks"},
	}
	notes := c.Notes()
	if len(notes) != len(want) {
		t.Fatalf("the notes are %q, want %d", notes, len(want))
	}
	for i, words := range want {
		for _, w := range words {
			if !strings.Contains(notes[i], w) {
				t.Errorf("note %q does not say %q", notes[i], w)
			}
		}
	}
	if c, err := config.Parse(file, []byte(example)); err != nil || !reflect.DeepEqual(c.Notes(), []string(nil)) {
		t.Errorf("a plain config has the notes %q, error %v", c.Notes(), err)
	}
}
