// Package sim plays scenarios: fleets of proxies and backends under load, with the
// controller's and the proxies' minds of production (packages dispatch and permit) and,
// for comparison, the rules of other load balancers. Time is simulated, and every random
// choice comes from the scenario's seeds, so a run can be repeated to the bit.
package sim
