// Package harness runs a fleet of real processes under an open load and breaks its parts
// one at a time: it is shared by the tests of faults, which count, and by the benchmark,
// which also looks at the clock.
//
// A Fleet has controllers, proxies, backends and an agent, each a process. A Load sends
// requests that fall due at random moments, whatever became of those before, and keeps
// how each ended. A Fault is something that breaks and is mended; Faults lists them, and
// each has its Bound: what may fail then, and by how much slots may be overrun.
package harness
