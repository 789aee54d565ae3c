// Package dispatch is the controller's mind: it decides which backend serves an ask,
// who waits, and when a grant is over.
//
// A Pool is fed by Step, one input at a time, and answers with effects; it has no
// goroutine, clock, random source or log, so that a decision can be replayed, simulated
// and explained. One goroutine owns a Pool; pools do not know each other.
//
// # What holds after each Step
//
//   - A backend has at most as many grants as slots, assignments included, except those
//     that a proxy or an agent brought back from an earlier controller.
//   - No ask waits while a backend that it may use has a free slot. It may use those that
//     it does not exclude and that did not decline it; those that declined, once nobody
//     else is left.
//   - Asks wait in the order in which they first arrived, also after they were declined.
//   - An ask ends once: granted, refused, withdrawn, or with its session. Until then it is
//     in the queue, for as long as the pool allows, or assigned to one backend.
//   - A grant ends once: by its Done; by the end of its proxy's session and the grace;
//     or, when its backend was lost or its time is up, by the proxy's answer to the
//     revoke or the grace after it. Until then its slot stays taken.
//   - A direct grant is its agent's as others are their proxy's, and ends by the backend's
//     word; before its client has come, also by its asker's Done or with the ticket's life.
//   - In a pool that assigns, every grant was assigned before, to the backend that has it.
//   - A recall follows every assignment whose request does not come, unless the backend
//     declined it or its agent is gone; and every direct grant that ends before its client
//     has come, unless the backend said so. Whoever comes when his slot is another's is recalled too.
//
// # The rule
//
// An ask is granted the best backend that has a free slot; if none has, it waits, and
// the next slot that frees takes the ask that waits longest. Best is the least score:
// the logarithm of the backend's learnt latency, plus small terms for how full it is,
// for load that others put on it, for its own word on its utilization, and for errors
// (score.go). Where zones are preferred, the best one of the ask's zone goes first,
// unless the best elsewhere is better by more than zoneWorth.
//
// This is the first form of GQ*, a global queue with slots and learnt speeds:
// join-idle-queue (Lu et al., Performance Evaluation 68(11), 2011) with one queue for all
// proxies, and fastest-server-first among the idle.
package dispatch
