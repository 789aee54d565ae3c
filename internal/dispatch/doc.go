// Package dispatch is the controller's mind: it decides which backend serves an ask,
// who waits, and when a grant is over.
//
// A Pool is fed by Step, one input at a time, and answers with effects; it has no
// goroutine, clock, random source or log, so that a decision can be replayed, simulated
// and explained. One goroutine owns a Pool; pools do not know each other.
//
// # What holds after each Step
//
//   - A backend has at most as many grants as slots, except those that a proxy brought
//     back from an earlier controller.
//   - No ask waits while a backend that it may use has a free slot.
//   - Asks wait in the order in which they first arrived.
//   - An ask ends once: granted, refused, withdrawn, or with its session.
//   - A grant ends once: by its Done; by the end of its proxy's session and the grace;
//     or, when its backend was lost or its time is up, by the proxy's answer to the
//     revoke or the grace after it. Until then its slot stays taken.
//
// # The rule
//
// An ask is granted the best backend that has a free slot; if none has, it waits, and
// the next slot that frees takes the ask that waits longest. Best is the least score:
// the logarithm of the backend's learnt latency, plus small terms for how full it is,
// for load that others put on it, for its own word on its utilization, and for errors
// (score.go). This is the first form of GQ*, a global queue with slots and learnt
// speeds: join-idle-queue (Lu et al., Performance Evaluation 68(11), 2011) with one
// queue for all proxies, and fastest-server-first among the idle.
package dispatch
