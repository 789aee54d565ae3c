package sim

import "time"

// Result is what one policy did in one scenario, over all seeds.
type Result struct {
	Scenario string
	Policy   Policy
	Proxies  int
	Backends int

	Requests int           // measured
	Served   int           // with an answer, in the client's time
	Failed   int           // with an error
	Refused  int           // by the balancer
	TimedOut int           // the client gave up
	Mean     time.Duration // from arrival to answer, of those served; as are the next ones
	P50      time.Duration
	P99      time.Duration
	P999     time.Duration
	Excess99 time.Duration // 99th percentile of time beyond the request's own work, as a backend of speed 1 does it
	MostIn   int           // most in flight on one backend
	Bound    int           // what the policy allows; 0: nothing
	// Goodput is how many requests were served in their client's time, as a share of how
	// many the backends have the capacity for. Above 1, the longest were given up.
	Goodput float64
	// Work is the same by their work: what the longest would have taken is missing.
	Work      float64
	Capacity  float64 // requests a second
	Moved     int     // of requests with affinity, that went elsewhere
	FromHand  int     // requests on a slot that their proxy had, without a way to the controller
	Violation string  // of an invariant, with seed and time; empty: none

	ByClass map[string]Part // only where the scenario has more than one
	ByFlow  map[string]Part // by the mix's flow prefix, likewise
}

// Part is what a part of the requests saw.
type Part struct {
	Requests, Served, Refused int
	Mean, P99                 time.Duration
}

// Report is the outcome of a scenario: a Result for each policy, in the scenario's order.
type Report struct {
	Scenario *Scenario
	Results  []Result
}
