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
//     have its labels, that it does not exclude and that did not decline it; those that
//     declined, once nobody else is left; and, for as long as the pool says, those of its
//     zone alone.
//   - Of the asks that could be granted a slot the first gets it: by class, then by whose
//     flow's turn it is, then by first arrival, also after they were declined.
//   - While others of its class wait, an ask of a flow that had none waits for at most one
//     turn of each flow that is ahead.
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
// This is GQ*: a global queue with slots and learnt speeds. An ask is granted the best
// backend that has a free slot; if none has, it waits, and the next slot that frees takes the
// ask whose turn it is. Best is the least score: the logarithm of the backend's learnt
// latency, plus small terms for how full it is, for load that others put on it, for its own
// word on its utilization, for errors and for its weight (score.go). Where zones are
// preferred, the best one of the ask's zone goes first, unless the best elsewhere is better
// by more than zoneWorth. An ask with an affinity goes where that leads (affinity.go).
//
// Where backends have a queue of their own, they get a little more than their workers take
// at once, so that none idles while word is on its way (bounds.go); and a fast one may be
// given a request though its workers are busy and another's are not, if it is done sooner
// there all the same (pick.go).
//
// Kin: join-idle-queue (Lu et al., Performance Evaluation 68(11), 2011) with one queue for
// all proxies, fastest-server-first among the idle, and the threshold of the slow-server
// problem (Lin and Kumar, IEEE Transactions on Automatic Control 29(8), 1984).
package dispatch
