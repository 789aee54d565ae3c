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
)

// alarm rings when a phase lasts too long. It is set far more often than it rings, so to
// set it is one store, and a sweep over all connections looks whether it is time.
type alarm struct {
	at atomic.Int64 // by the clock, and the phase in the low bits
}

const phaseBits = 7

var processStart = time.Now()

// ticked is the time since the start of the process, in nanoseconds, as a sweep last saw it.
// It is good enough for what is measured in seconds, and costs a load.
var ticked atomic.Int64

func clock() int64 { return ticked.Load() }

// tick has the clock go on, and returns what it says.
func tick() int64 {
	now := int64(time.Since(processStart))
	ticked.Store(now)
	return now
}

// set has the alarm ring in d; 0: never.
func (a *alarm) set(p phase, d time.Duration) {
	if d <= 0 {
		a.at.Store(0)
		return
	}
	a.at.Store((clock()+int64(d))&^phaseBits | int64(p))
}

func (a *alarm) stop() { a.at.Store(0) }

// rings tells which phase is over, once.
func (a *alarm) rings(now int64) phase {
	at := a.at.Load()
	if at == 0 || now < at || !a.at.CompareAndSwap(at, 0) {
		return noPhase
	}
	return phase(at & phaseBits)
}
