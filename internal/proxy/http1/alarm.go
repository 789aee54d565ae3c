package http1

import (
	"sync/atomic"
	"time"
)

// phase is what a connection is waiting in, for whose time there is a limit.
type phase int64

const (
	noPhase     phase = iota
	inIdle            // for the next request
	inHead            // for the rest of a head
	inBody            // for more of a request's body, or for the backend to take it
	inFirstByte       // for an answer's head
	inAnswer          // for more of an answer, or for the client to take it
	inTunnel          // for either side
)

// alarm rings when a phase lasts too long. It is set far more often than it rings, so to
// set it is one store, and a sweep over all connections looks whether it is time.
type alarm struct {
	at atomic.Int64 // nanoseconds since the start of the process, and the phase in the low bits
}

const phaseBits = 7

var processStart = time.Now()

// set has the alarm ring in d; 0: never.
func (a *alarm) set(p phase, d time.Duration) {
	if d <= 0 {
		a.at.Store(0)
		return
	}
	a.at.Store(int64(time.Since(processStart)+d)&^phaseBits | int64(p))
}

func (a *alarm) stop() { a.at.Store(0) }

// rings tells which phase is over, once.
func (a *alarm) rings(now time.Duration) phase {
	at := a.at.Load()
	if at == 0 || int64(now) < at || !a.at.CompareAndSwap(at, 0) {
		return noPhase
	}
	return phase(at & phaseBits)
}
