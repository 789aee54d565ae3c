// Package claims has one test, of what the system as a whole claims to do: a subtest for
// each row, between real processes. Proxies, agents and backends talk to the controller
// through a tap, so a row is shown by what was said on the wire, in which order, and by
// what the backends count for themselves.
//
// README.md tells how each row was seen to fail.
package claims
