package config_test

// bad is a file with something wrong, and every line that is told of it.
type bad struct{ name, text, want string }

// pool is a good pool but for the lines that follow it; the next is line 5.
const pool = `pools:
  - name: p
    slots: 1
    agents: true
`

// web is a good listener and pool; the next line is the 7th, of a first route.
const web = `listeners:
  - {name: web, address: "127.0.0.1:8080", protocol: http}
pools:
  - {name: p, slots: 1, agents: true}
  - {name: other, slots: 1, agents: true}
routes:
`

var syntaxCases = []bad{
	{"tab", "pools:\n\t- name: x\n", `
2:1: not YAML: found character '	' that cannot start any token; indent with spaces, YAML allows no tabs there`},
	{"open quote", "pools:\n  - name: \"x\n", `
2:11: not YAML: could not find end character of double-quoted text; close the quote or bracket that opens here or before`},
	{"open bracket", "pools: [\n", `
1:8: not YAML: sequence end token ']' not found; close the quote or bracket that opens here or before`},
	{"indentation", "pools:\n  - name: x\n     slots: 3\n", `
2:11: not YAML: mapping value is not allowed in this context; give the keys of one section the same indentation, and quote text that has special characters`},
	{"bare star", "routes:\n  - {listener: web, host: *, pool: p}\n", `
2:27: YAML aliases (*) are not supported; write the value out, or put quotes around a star that is meant, as in "*"`},
	{"bare star with a name", "routes:\n  - host: *.example.org\n", `
2:11: YAML aliases (*) are not supported; write the value out, or put quotes around a star that is meant, as in "*"`},
	{"bare bracket", "controller:\n  listen: [::1]:80\n", `
2:16: not YAML: value is not allowed in this context; a bracket begins a list in YAML; put quotes around the address, as in "[::1]:8080"`},
	{"reserved", "pools:\n  - name: @x\n", `
2:11: not YAML: '@' is a reserved character; put quotes around the value`},
	{"alias, anchor and merge", "pools:\n  - &a {name: x}\n  - <<: *a\n", `
2:5: YAML anchors (&) are not supported; remove it, and write the value out where it is used
3:5: the YAML merge key (<<) is not supported; write the keys out
3:9: YAML aliases (*) are not supported; write the value out, or put quotes around a star that is meant, as in "*"`},
	{"tag and key mark", "? pools\n: !!seq []\n", `
1:1: the YAML key mark (?) is not supported; write key: value
2:3: YAML tags (!) are not supported; remove it, or put quotes around the value`},
	{"directive", "%YAML 1.2\n---\npools: []\n", `
1:1: YAML directives (%) are not supported; remove the line, or put quotes around the value`},
	{"two documents", "pools: []\n---\npools: []\n", `
2:1: a second document begins; keep one document a file, and remove the line --- or ...`},
	{"dots and more", "pools: []\n...\npools: []\n", `
3:1: a second document begins; keep one document a file, and remove the line --- or ...`},
	{"not UTF-8", "pools:\n  # \xff\n", `
2:5: the byte 0xff is not UTF-8; save the file as UTF-8`},
	{"control character", "pools:\x00\n", `
1:7: the control character U+0000; remove it`},
	{"a list", "- a\n", `
1:1: must be a section, got a list; write key: value lines, with keys of controller, listeners, locate, pools, routes, zones`},
	{"a word", "hello", `
1:1: must be a section, got the text "hello"; write key: value lines, with keys of controller, listeners, locate, pools, routes, zones`},
}

var shapeCases = []bad{
	{"empty", "", `
1:1: the config has no listeners and no pools; the smallest one is

    listeners:
      - {name: web, address: "127.0.0.1:8080", protocol: http}
    routes:
      - {listener: web, pool: work}
    pools:
      - {name: work, slots: 4, backends: [{address: "127.0.0.1:9000"}]}
`},
	{"only a controller", "controller: {data: x}\n", `
1:1: the config has no listeners and no pools; the smallest one is

    listeners:
      - {name: web, address: "127.0.0.1:8080", protocol: http}
    routes:
      - {listener: web, pool: work}
    pools:
      - {name: work, slots: 4, backends: [{address: "127.0.0.1:9000"}]}
`},
	{"no value", "pools:\n", `
1:1: pools: has no value; give it one, or remove the key`},
	{"unknown key", "pool: []\nwhatever: 3\n", `
1:1: pool: unknown key; did you mean pools?
2:1: whatever: unknown key; remove it; known here are controller, listeners, locate, pools, routes, zones`},
	{"unknown key in a pool", pool + "    slot: 3\n", `
5:5: pools[0].slot: unknown key; did you mean slots?`},
	{"duplicate keys", pool + "    slots: 2\n", `
5:5: pools[0].slots: is given twice, first in line 3; remove one of them`},
	{"keys that are no words", "1: 2\n\"\": 3\nnull: 4\n", `
1:1: a key must be a plain word, got the number 1; write key: value
1:1: a key must be a plain word, got null; write key: value
2:1: a key of 0 bytes; remove it`},
	{"wrong types", "controller: 3\nlisteners: {}\nroutes: x\npools: [1, [], ~]\n", `
1:13: controller: must be a section, got the number 3; write key: value lines, with keys of admin, admin_token, advertise, data, insecure, listen, name, store, tls
2:12: listeners: must be a list, got a section; begin each item with a dash
3:9: routes: must be a list, got the text "x"; begin each item with a dash
4:8: pools[2]: has no value; give it one, or remove the key
4:9: pools[0]: must be a section, got the number 1; write key: value lines, with keys of affinity, agents, assign, assign_timeout, backend_tls, backends, class_header, classes, connect_timeout, deadline, decide, eject, flow, grant_limit, health, http2, labels_from, link, name, permits, prefer, queue, retries, retry_budget, send_proxy, slots, slow_start, spill_after, ticket_life, tickets, workers
4:12: pools[1]: must be a section, got a list; write key: value lines, with keys of affinity, agents, assign, assign_timeout, backend_tls, backends, class_header, classes, connect_timeout, deadline, decide, eject, flow, grant_limit, health, http2, labels_from, link, name, permits, prefer, queue, retries, retry_budget, send_proxy, slots, slow_start, spill_after, ticket_life, tickets, workers`},
	{"wrong types within", pool + "    queue: [1]\n    health: tcp\n    retries: {}\n    grant_limit: []\n    connect_timeout: 1.5\n", `
5:12: pools[0].queue: must be a section, got a list; write key: value lines, with keys of limit, timeout
6:13: pools[0].health: must be a section, got the text "tcp"; write key: value lines, with keys of fall, host, interval, lost_after, path, rise, timeout, type
7:14: pools[0].retries: must be a whole number, got a section; write it in plain decimal digits, without quotes
8:18: pools[0].grant_limit: must be a duration, got a list; write a number with a unit, such as 500ms, 30s, 5m or 1h
9:22: pools[0].connect_timeout: must be a duration, got the number 1.5; write a number with a unit, such as 500ms, 30s, 5m or 1h`},
	{"text that is none", "pools:\n  - {name: 7, slots: 1, agents: yes, backends: [{address: {a: b}}]}\n", `
2:12: pools[0].name: must be text, got the number 7; put quotes around it
2:33: pools[0].agents: must be true or false, got the text "yes"; write true or false, without quotes
2:59: pools[0].backends[0].address: must be text, got a section; write one value on the line of its key`},
}

var valueCases = []bad{
	{"names", "pools:\n  - {name: \"a b\", slots: 1, agents: true}\n  - {slots: 1, agents: true}\n", `
2:12: pools[0].name: must be a name, got "a b"; use 1 to 63 letters, digits, dots, dashes and underscores, and begin with a letter or digit
3:5: pools[1].name: is missing; name the pool, so that routes can mean it`},
	{"duplicate pool", "pools:\n  - {name: p, slots: 1, agents: true}\n  - {name: p, slots: 1, agents: true}\n", `
3:12: pools[1].name: pool "p" is given twice, first in line 2; rename or remove one of them`},
	{"slots", "pools:\n  - {name: a, agents: true, slots: 0}\n  - {name: b, agents: true, slots: 1000001}\n" +
		"  - {name: c, agents: true, slots: 010}\n  - {name: d, agents: true, slots: 1e3}\n" +
		"  - {name: e, agents: true, slots: \"4\"}\n  - {name: f, agents: true, slots: 99999999999999999999}\n" +
		"  - {name: g, agents: true, slots: -99999999999999999999}\n  - {name: h, agents: true}\n", `
2:36: pools[0].slots: must be at least 1, got 0; set slots to the number of requests that one backend can serve at once
3:36: pools[1].slots: must be at most 1000000, got 1000001; set slots to the number of requests that one backend can serve at once
4:36: pools[2].slots: must be a whole number, got the number 010; write it in plain decimal digits, without quotes
5:36: pools[3].slots: must be a whole number, got the text "1e3"; write it in plain decimal digits, without quotes
6:36: pools[4].slots: must be a whole number, got the text "4"; write it in plain decimal digits, without quotes
7:36: pools[5].slots: must be at most 1000000, got 99999999999999999999; set slots to the number of requests that one backend can serve at once
8:36: pools[6].slots: must be at least 1, got -99999999999999999999; set slots to the number of requests that one backend can serve at once
9:5: pools[7].slots: is missing; set slots to the number of requests that one backend can serve at once, or, if backends have a queue of their own, workers, for agents that do not say`},
	{"planned by nobody", pool + "    link: x\n    assign: confirmed\n    decide: \"\"\n", `
5:11: pools[0].link: must be proxied or direct, got "x"; write proxied or direct
6:13: pools[0].assign: must be none, notify or confirm, got "confirmed"; write none, notify or confirm
7:13: pools[0].decide: must be controller, proxy or auto, got ""; write controller, proxy or auto`},
	{"a backend without slots", "pools:\n  - name: p\n    backends: [{address: \"a:1\", slots: 1}, {address: \"b:1\"}]\n", `
2:5: pools[0].slots: is missing, and pools[0].backends[1] does not set its own; set slots to the number of requests that one backend can serve at once, or, if backends have a queue of their own, workers`},
	{"nobody to serve", "pools:\n  - {name: p, slots: 1}\n  - {name: q, slots: 1, backends: []}\n", `
2:5: pools[0].backends: is missing, so nobody can serve the pool; list backends, or set agents to true so that backends can join by themselves
3:35: pools[1].backends: is empty, so nobody can serve the pool; list backends, or set agents to true so that backends can join by themselves`},
	{"queue", pool + "    queue: {limit: 1000001, timeout: 0}\n", `
5:20: pools[0].queue.limit: must be at most 1000000, got 1000001; say how many requests may wait for a slot
5:38: pools[0].queue.timeout: must be at least 1ms, got 0; say how long a request may wait for a slot; to let none wait, set limit to 0`},
	{"queue, the other ends", pool + "    queue: {limit: -1, timeout: 61m}\n", `
5:20: pools[0].queue.limit: must be at least 0, got -1; say how many requests may wait for a slot
5:33: pools[0].queue.timeout: must be at most 1h, got 61m; say how long a request may wait for a slot; to let none wait, set limit to 0`},
	{"durations", pool + "    queue: {timeout: 30}\n    connect_timeout: 2 seconds\n    grant_limit: -1s\n    health: {interval: 1d, timeout: 2m, lost_after: 500us}\n", `
5:22: pools[0].queue.timeout: must be a duration, got the number 30; write a number with a unit, such as 500ms, 30s, 5m or 1h
6:22: pools[0].connect_timeout: must be a duration, got the text "2 seconds"; write a number with a unit, such as 500ms, 30s, 5m or 1h
7:18: pools[0].grant_limit: must be at least 1ms, or 0, got -1s; say how long one request or connection may last, or 0 for any time
8:24: pools[0].health.interval: must be a duration, got the text "1d"; write a number with a unit, such as 500ms, 30s, 5m or 1h
8:37: pools[0].health.timeout: must be at most 1m, got 2m; say how long one check may take
8:53: pools[0].health.lost_after: must be at least 1ms, or 0, got 500us; say how long a backend is down before its requests are given up, or 0 for never`},
	{"health", pool + "    health: {type: https, fall: 0, rise: 101, path: x, host: \"a b\"}\n", `
5:20: pools[0].health.type: must be tcp, http or none, got "https"; write tcp, http or none
5:33: pools[0].health.fall: must be at least 1, got 0; say how many failures in a row make a backend down
5:42: pools[0].health.rise: must be at most 100, got 101; say how many successes in a row make a backend up
5:53: pools[0].health.path: must be a path, got "x"; begin with /, and use up to 1024 visible ASCII characters, others as %20
5:62: pools[0].health.host: must be a host, got "a b"; write a host name, and a port if the check needs one`},
	{"health without a meaning", pool + "    health: {path: /healthz, host: x}\n", `
5:20: pools[0].health.path: has no meaning for a health check of type tcp; set type to http, or remove the key
5:36: pools[0].health.host: has no meaning for a health check of type tcp; set type to http, or remove the key`},
	{"retries", pool + "    retries: 11\n", `
5:14: pools[0].retries: must be at most 10, got 11; say how often a request is asked for again after a backend that cannot be reached`},
	{"backends", "pools:\n  - name: p\n    slots: 1\n    backends:\n      - {address: \"\"}\n      - {zone: a}\n" +
		"      - {address: \":80\"}\n      - {address: \"a:0\"}\n      - {address: \"0.0.0.0:80\"}\n      - {address: \"http://a:80\"}\n" +
		"      - {address: a}\n      - {address: \"::1\"}\n      - {address: \"[::1]\"}\n      - {address: \"127.0.0.300:80\"}\n" +
		"      - {address: \"a:http\"}\n      - {address: \"a:65536\"}\n      - {address: \"a_b-.c:1\"}\n", `
5:19: pools[0].backends[0].address: has no port, got ""; write host:port, such as 127.0.0.1:8080
6:9: pools[0].backends[1].address: is missing; say where proxies reach it, as in "10.0.0.7:9000"
7:19: pools[0].backends[2].address: a backend's address needs a host, got ":80"; write the host before the colon
8:19: pools[0].backends[3].address: a backend's port must be from 1 to 65535, got "a:0"; write the port on which it listens
9:19: pools[0].backends[4].address: must be an address to connect to, got "0.0.0.0:80"; name the host's own address; this one stands for every interface of a host that listens
10:19: pools[0].backends[5].address: must be host:port, not a URL, got "http://a:80"; leave out what stands before the host and after the port
11:19: pools[0].backends[6].address: has no port, got "a"; write host:port, such as 127.0.0.1:8080
12:19: pools[0].backends[7].address: has more than one colon, got "::1"; put an IPv6 address in brackets, as in "[::1]:8080"
13:19: pools[0].backends[8].address: must be an IPv6 address in brackets, and a port, got "[::1]"; write it as in "[::1]:8080"
14:19: pools[0].backends[9].address: the host must be an IP address or a host name, got "127.0.0.300:80"; check its spelling
15:19: pools[0].backends[10].address: the port must be a number from 0 to 65535, got "a:http"; write host:port, such as 127.0.0.1:8080
16:19: pools[0].backends[11].address: the port must be a number from 0 to 65535, got "a:65536"; write host:port, such as 127.0.0.1:8080
17:19: pools[0].backends[12].address: the host must be an IP address or a host name, got "a_b-.c:1"; check its spelling`},
	{"one backend, spelt in two ways", "pools:\n  - name: p\n    slots: 1\n    backends:\n      - {address: \"Host.Example:80\"}\n" +
		"      - {address: \"host.example.:80\"}\n      - {address: \"[0:0::1]:80\"}\n      - {address: \"[::1]:80\"}\n" +
		"      - {address: \"1.2.3.4:80\"}\n      - {address: \"[::ffff:1.2.3.4]:080\"}\n", `
6:19: pools[0].backends[1].address: backend "host.example:80" is given twice, first in line 5; rename or remove one of them
8:19: pools[0].backends[3].address: backend "[::1]:80" is given twice, first in line 7; rename or remove one of them
10:19: pools[0].backends[5].address: backend "1.2.3.4:80" is given twice, first in line 9; rename or remove one of them`},
}

var joinCases = []bad{
	{"controller in the open", "controller: {listen: \":7400\", admin: \"10.0.0.1:7480\"}\n" + pool, `
1:22: controller.listen: other hosts can reach :7400, where nothing is encrypted and nobody proves who they are; use a loopback address such as 127.0.0.1, or give the controller a certificate with controller.tls ('fairlead cert' makes them), or, in a network that you trust, set controller.insecure to true
1:38: controller.admin: other hosts can reach 10.0.0.1:7480, where nothing is encrypted and nobody proves who they are; use a loopback address such as 127.0.0.1, or give the controller a certificate with controller.tls ('fairlead cert' makes them), or, in a network that you trust, set controller.insecure to true`},
	{"controller on one port", "controller: {listen: \"127.0.0.1:7480\"}\n" + pool, `
1:22: controller.listen: 127.0.0.1:7480 is taken: controller.admin by default is 127.0.0.1:7480; choose another port`},
	{"directory", "controller: {data: \"\", insecure: 1}\n" + pool, `
1:20: controller.data: must name a directory, got an empty text; write a path such as ./fairlead-data
1:34: controller.insecure: must be true or false, got the number 1; write true or false, without quotes`},
	{"listener", "listeners:\n  - {protocol: udp}\n  - {name: a, address: \"*:80\"}\n", `
2:5: listeners[0].address: is missing; say where it listens, as in "127.0.0.1:8080"
2:5: listeners[0].name: is missing; name the listener, so that routes can mean it
2:16: listeners[0].protocol: must be http or tcp, got "udp"; write http or tcp
3:5: listeners[1]: no route leads from listener "a" to a pool; add one under routes, as in {listener: a, pool: NAME}
3:5: listeners[1].protocol: is missing; write http or tcp
3:24: listeners[1].address: a star is not a host, got "*:80"; leave the host out for all interfaces, as in ":8080"`},
	{"listeners on one port", "listeners:\n  - {name: a, address: \"127.0.0.1:80\", protocol: tcp}\n" +
		"  - {name: b, address: \":80\", protocol: tcp}\n  - {name: c, address: \"0.0.0.0:7400\", protocol: tcp}\n" +
		"  - {name: a, address: \"localhost:80\", protocol: tcp}\n" +
		"routes:\n  - {listener: a, pool: p}\n  - {listener: b, pool: p}\n  - {listener: c, pool: p}\n" + pool, `
3:24: listeners[1].address: :80 is taken: listeners[0].address in line 2 is 127.0.0.1:80; choose another port
4:24: listeners[2].address: 0.0.0.0:7400 is taken: controller.listen by default is 127.0.0.1:7400; choose another port
5:12: listeners[3].name: listener "a" is given twice, first in line 2; rename or remove one of them
5:24: listeners[3].address: localhost:80 is taken: listeners[0].address in line 2 is 127.0.0.1:80; choose another port`},
	{"listener without route", web + "  []\n", `
2:5: listeners[0]: no route leads from listener "web" to a pool; add one under routes, as in {listener: web, pool: NAME}`},
	{"route to nowhere", web + "  - {listener: wbe, pool: othr}\n  - {listener: web, pool: zzzzz}\n  - {}\n", `
7:16: routes[0].listener: no listener is named "wbe"; did you mean "web"?
7:27: routes[0].pool: no pool is named "othr"; did you mean "other"?
8:27: routes[1].pool: no pool is named "zzzzz"; add it under pools, or use one of p, other
9:5: routes[2].listener: is missing; name the listener whose requests it leads
9:5: routes[2].pool: is missing; name the pool that it leads to`},
	{"route without anything to lead to", "routes:\n  - {listener: web, pool: p}\n", `
1:1: the config has no listeners and no pools; the smallest one is

    listeners:
      - {name: web, address: "127.0.0.1:8080", protocol: http}
    routes:
      - {listener: web, pool: work}
    pools:
      - {name: work, slots: 4, backends: [{address: "127.0.0.1:9000"}]}

2:16: routes[0].listener: no listener is named "web"; add it under listeners
2:27: routes[0].pool: no pool is named "p"; add it under pools`},
	{"route twice", web + "  - {listener: web, pool: p}\n  - {listener: web, host: \"*\", path: /, pool: other}\n" +
		"  - {listener: web, host: A.example, path: /x/, pool: p}\n  - {listener: web, host: a.example., path: /x, pool: p}\n", `
8:5: routes[1]: listener "web", host "*" and path "/" have a route already, routes[0] in line 7; remove one of them, or change its host or path
10:5: routes[3]: listener "web", host "a.example" and path "/x" have a route already, routes[2] in line 9; remove one of them, or change its host or path`},
	{"hosts", web + "  - {listener: web, pool: p, host: \"a:80\"}\n  - {listener: web, pool: p, host: \"a.*.b\"}\n" +
		"  - {listener: web, pool: p, host: \"*.\"}\n  - {listener: web, pool: p, host: bücher.example}\n  - {listener: web, pool: p, host: \"\"}\n", `
7:36: routes[0].host: must be a host without a port, got "a:80"; remove the port; a route holds for every port
8:36: routes[1].host: a star must stand alone or before the first dot, got "a.*.b"; write "*", "*.example.org" or an exact host
9:36: routes[2].host: must be a host name, got "*."; write "*", "*.example.org" or an exact host
10:36: routes[3].host: must be a host name in ASCII, got "bücher.example"; write its form that begins with xn--
11:36: routes[4].host: must be a host name, got ""; write "*", "*.example.org" or an exact host`},
	{"paths", web + "  - {listener: web, pool: p, path: x}\n  - {listener: web, pool: p, path: /a/*}\n" +
		"  - {listener: web, pool: p, path: /a/../b}\n  - {listener: web, pool: p, path: \"/a?b\"}\n  - {listener: web, pool: p, path: \"/a b\"}\n" +
		"  - {listener: web, pool: p, path: /a//b}\n", `
7:36: routes[0].path: must be a path, got "x"; begin with /, and use up to 1024 visible ASCII characters, others as %20
8:36: routes[1].path: must be a path without a star, got "/a/*"; remove the star; a path holds whatever is below it too
9:36: routes[2].path: the path "/a/../b" has the segment "..", which no request gets to; write the path without it
10:36: routes[3].path: must be a path alone, got "/a?b"; remove what follows the path; a route cannot look at it
11:36: routes[4].path: must be a path, got "/a b"; begin with /, and use up to 1024 visible ASCII characters, others as %20
12:36: routes[5].path: the path "/a//b" has the segment "", which no request gets to; write the path without it`},
	{"tcp", "listeners:\n  - {name: db, address: \":5432\", protocol: tcp}\n" +
		"routes:\n  - {listener: db, pool: p, host: a, path: /}\n  - {listener: db, pool: p}\n  - {listener: db, pool: p, host: \"*\"}\n" +
		"  - {listener: db, pool: p, host: A.}\n  - {listener: db, pool: p, host: 10.0.0.1}\n" + pool, `
4:44: routes[0].path: listener "db" speaks tcp, which has none; remove the key, or set the listener's protocol to http
6:5: routes[2]: listener "db" and host "*" have a route already, routes[1] in line 5; remove one of them, or give it another host, which is the TLS server name
7:5: routes[3]: listener "db" and host "a" have a route already, routes[0] in line 4; remove one of them, or give it another host, which is the TLS server name
8:35: routes[4].host: listener "db" speaks tcp, where the host is the TLS server name, which is never an IP address; write a host name, or remove the key`},
	{"tcp to direct links", "listeners: [{name: db, address: \":1\", protocol: tcp}, {name: other, address: \":2\", protocol: tcp}]\n" +
		"routes:\n  - {listener: db, pool: p}\n  - {listener: db, pool: p, host: a}\n  - {listener: other, pool: p, host: a}\n" + pool + "    link: direct\n", `
3:5: routes[0]: the links of pool "p" are direct, and grants for them are all that listener "db" can give then; make it the listener's only route, without a host, or set the pool's link to proxied
4:5: routes[1]: the links of pool "p" are direct, and grants for them are all that listener "db" can give then; make it the listener's only route, without a host, or set the pool's link to proxied
5:5: routes[2]: the links of pool "p" are direct, and grants for them are all that listener "other" can give then; make it the listener's only route, without a host, or set the pool's link to proxied`},
	{"idle_timeout and accept_proxy", "listeners:\n  - {name: web, address: \":1\", protocol: http, idle_timeout: 1h, accept_proxy: {}}\n" +
		"  - {name: a, address: \":2\", protocol: tcp, idle_timeout: 10ms, accept_proxy: {from: []}}\n" +
		"  - {name: b, address: \":3\", protocol: tcp, accept_proxy: {from: [10.0.0.1/8, 10.0.0.0/8, 10.0.0.0/8, x]}}\n" +
		"  - {name: c, address: \":4\", protocol: tcp, accept_proxy: 10.0.0.0/8}\n" +
		"routes: [{listener: web, pool: p}, {listener: a, pool: p}, {listener: b, pool: p}, {listener: c, pool: p}]\n" + pool, `
2:62: listeners[0].idle_timeout: has no meaning for a listener that speaks http; remove the key
2:80: listeners[0].accept_proxy.from: is missing; list the addresses of the load balancers in front, as in {from: [10.0.0.0/24]}
3:59: listeners[1].idle_timeout: must be at least 1s, or 0, got 10ms; say how long a connection may live on which nothing is said, or 0 for any time
3:86: listeners[1].accept_proxy.from: is empty, so nobody's header would be read; list the addresses of the load balancers in front, as in {from: [10.0.0.0/24]}, or remove accept_proxy
4:67: listeners[2].accept_proxy.from[0]: "10.0.0.1/8" has bits set beyond its length; write 10.0.0.0/8, or one address without a length
4:91: listeners[2].accept_proxy.from[2]: subnet "10.0.0.0/8" is given twice, first in line 4; rename or remove one of them
4:103: listeners[2].accept_proxy.from[3]: must be a subnet, got "x"; write an address and a length, as in 10.0.0.0/16 or "2001:db8::/32", or one address
5:59: listeners[3].accept_proxy: must be a section, got the text "10.0.0.0/8"; write key: value lines, with keys of from`},
	{"send_proxy", "listeners: [{name: web, address: \":1\", protocol: http}, {name: db, address: \":2\", protocol: tcp}]\n" +
		"routes: [{listener: web, pool: h}, {listener: db, pool: t}]\npools:\n  - {name: h, slots: 1, agents: true, send_proxy: v1, http2: true}\n" +
		"  - {name: t, slots: 1, agents: true, send_proxy: v1, tickets: true}\n  - {name: d, slots: 1, agents: true, send_proxy: v2, link: direct}\n" +
		"  - {name: x, slots: 1, agents: true, send_proxy: v3}\n", `
4:51: pools[0].send_proxy: the pool has http2, where the requests of many clients share a connection, and a header would name one of them; remove http2, or remove the key and have the backends take the client's address from X-Forwarded-For
5:51: pools[1].send_proxy: the pool has tickets, which a header of version 1 cannot hold; write v2, or remove tickets
6:51: pools[2].send_proxy: has no meaning for a pool whose links are direct; set link to proxied, or remove the key
7:51: pools[3].send_proxy: must be v1 or v2, got "v3"; write v1 or v2`},
	{"tls of listeners, and http2", "listeners:\n  - {name: web, address: \":1\", protocol: http, tls: {}}\n" +
		"  - {name: a, address: \":2\", protocol: http, tls: {certificates: []}}\n" +
		"  - {name: b, address: \":3\", protocol: http, tls: {certificates: [{cert: a.pem}, {key: 3}, {}], client_auth: optional}}\n" +
		"  - {name: c, address: \":4\", protocol: tcp, tls: {certificates: [{cert: a, key: b}]}}\n" +
		"  - {name: d, address: \":5\", protocol: http, tls: {certificates: [{cert: a, key: b}], client_ca: c, client_auth: never}}\n" +
		"routes: [{listener: web, pool: h}, {listener: a, pool: h}, {listener: b, pool: h}, {listener: c, pool: t}, {listener: d, pool: h}]\n" +
		"pools: [{name: h, slots: 1, agents: true, http2: true}, {name: t, slots: 1, agents: true, http2: true}]\n", `
2:53: listeners[0].tls.certificates: is missing; name the files, as in [{cert: /etc/tls/site.pem, key: /etc/tls/site.key}], or have them got from a CA with acme
3:66: listeners[1].tls.certificates: is empty, so nobody could connect; name the files, as in [{cert: /etc/tls/site.pem, key: /etc/tls/site.key}], or remove tls
4:67: listeners[2].tls.certificates[0].key: is missing; name the files, as in [{cert: /etc/tls/site.pem, key: /etc/tls/site.key}]
4:82: listeners[2].tls.certificates[1].cert: is missing; name the files, as in [{cert: /etc/tls/site.pem, key: /etc/tls/site.key}]
4:88: listeners[2].tls.certificates[1].key: must be text, got the number 3; put quotes around it
4:92: listeners[2].tls.certificates[2].cert: is missing; name the files, as in [{cert: /etc/tls/site.pem, key: /etc/tls/site.key}]
4:92: listeners[2].tls.certificates[2].key: is missing; name the files, as in [{cert: /etc/tls/site.pem, key: /etc/tls/site.key}]
4:110: listeners[2].tls.client_auth: has no meaning without client_ca, by which certificates of clients are checked; name the file of the CA as client_ca, or remove the key
5:50: listeners[3].tls: has no meaning for a listener that speaks tcp, which passes TLS through; remove the key, or set protocol to http
6:114: listeners[4].tls.client_auth: must be required or optional, got "never"; write required or optional
8:98: pools[1].http2: no listener that speaks http leads to the pool; remove the key`},
}
