// Package sim plays scenarios: fleets of proxies and backends under load, with the
// controller's and the proxies' minds of production (packages dispatch and permit) and,
// for comparison, the rules of other load balancers. Time is simulated, and every random
// choice comes from the scenario's seeds, so a run can be repeated to the bit.
//
// # What is simulated
//
// A run is one policy with one seed (engine.go). Arrivals and work are drawn in the order
// of arrival, antagonists and foreign load from streams of their own; so every policy sees
// the same ones, and what differs is its doing.
//
// A request takes a hop from its client to its proxy, waits there for a decision, takes a
// hop to its backend, and its answer two hops back. Latency is what the client sees. A
// backend has servers with one queue, or shares itself among all in hand (sharing.go); it
// slows as an antagonist says, and what it has begun slows with it.
//
// Proxies that ask a controller do it by messages over sessions that keep their order and
// break as a whole, come back after a pause, and then name the grants that live (session.go).
// Those of production keep a permit.Ledger; the controller's mind sees what it would see
// there: asks, withdrawals, dones, reports, health, sessions that come and go.
//
// Health checks notice after 2 s that nothing listens at a backend, whoever chooses. They do
// not notice that one stands still: a connection to it can be made. A request that does not
// get through is tried elsewhere, twice at most.
//
// What is not: assignments and direct links, a way between zones that takes longer, and the
// time that a mind takes to decide.
package sim
