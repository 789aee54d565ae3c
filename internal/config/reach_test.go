package config_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/config"
)

// direct is a pool with direct links whose backends' line follows.
const direct = "pools:\n  - name: p\n    slots: 1\n    link: direct\n    backends:\n"

// reachCases are about who may connect where: certificates, clients, backends.
var reachCases = []bad{
	{"half a certificate", "controller: {listen: \":7400\", tls: {cert: a.crt, ca: \"\"}}\n" + pool, `
1:36: controller.tls.key: is missing; name the files of all three, cert, key and ca; 'fairlead cert' makes them
1:54: controller.tls.ca: must name a file, got an empty text; write a path`},
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
	{"zones", "zones:\n  - {name: a, subnets: [10.0.0.1/8, 10.0.0.0/33, x]}\n  - {subnets: [10.0.0.0/8]}\n  - {name: a, subnets: [\"10.0.0.0/8\"]}\n  - {name: c}\n" + pool, `
2:25: zones[0].subnets[0]: "10.0.0.1/8" has bits set beyond its length; write 10.0.0.0/8, or one address without a length
2:37: zones[0].subnets[1]: must be a subnet, got "10.0.0.0/33"; write an address and a length, as in 10.0.0.0/16 or "2001:db8::/32", or one address
2:50: zones[0].subnets[2]: must be a subnet, got "x"; write an address and a length, as in 10.0.0.0/16 or "2001:db8::/32", or one address
3:5: zones[1].name: is missing; name the zone, as backends and proxies do
4:12: zones[2].name: zone "a" is given twice, first in line 2; rename or remove one of them
4:25: zones[2].subnets[0]: subnet "10.0.0.0/8" is given twice, first in line 3; rename or remove one of them
5:5: zones[3].subnets: is missing; list the subnets of the clients that are there`},
	{"a wide mapped subnet", "zones: [{name: a, subnets: [\"::ffff:0:0/95\"]}]\n" + pool, `
1:29: zones[0].subnets[0]: must be a subnet of IPv4 or of IPv6, got "::ffff:0:0/95"; write it as IPv4`},
	{"assign", pool + "    assign_timeout: 1s\n", `
5:21: pools[0].assign_timeout: has no meaning for a pool that does not assign; set assign to notify or confirm, or remove the key`},
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
9:34: pools[0].backends[3].public: must be an address to connect to, got "0.0.0.0:1"; name the backend's own address; this one stands for every interface of a host that listens
10:34: pools[0].backends[4].public: a backend's port must be from 1 to 65535, got "e:0"; write the port on which it listens`},
	{"public without direct", "pools:\n  - {name: p, slots: 1, backends: [{address: \"a:1\", public: \"b:1\"}]}\n", `
2:61: pools[0].backends[0].public: has no meaning for a pool whose links are proxied; set link to direct, or remove the key`},
	{"a URL over tcp", direct + "      - {address: \"a:1\", public: \"https://b\"}\nlisteners: [{name: db, address: \":5432\", protocol: tcp}]\nroutes: [{listener: db, pool: p}]\n", `
6:34: pools[0].backends[0].public: a listener that speaks tcp leads to the pool, and https://b:443 is a URL; write host:port`},
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
	for _, written := range []string{"", "b", "http://", "http://b:99999", "javascript://b:1", "http://b#", "http://b?", "//b:1", "http://b:1\r\nX: y"} {
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
listeners: [{name: db, address: ":5432", protocol: tcp}]
routes: [{listener: db, pool: t}]
pools:
  - {name: plain, slots: 1, agents: true}
  - {name: a, slots: 1, agents: true, assign: confirm}
  - {name: d, slots: 1, agents: true, link: direct}
  - {name: t, slots: 1, agents: true, tickets: true}
  - {name: z, slots: 1, prefer: zone, backends: [{address: "a:1", zone: a}, {address: "b:1"}, {address: "c:1"}]}
`
	c, err := config.Parse(file, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{`"a"`, "assign: confirm", "agent or sdk/backend"}, {`"d"`, "link: direct", "public address", "--gate"},
		{`"t"`, "PROXY protocol", `"db"`}, {`"z"`, "b:1, c:1 are"},
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
