// Package record is the decision log: what a controller told its pools' minds, and what
// they answered, such that it can all be stepped through again. It encodes and decodes;
// files, buffers and goroutines are the controller's.
//
// A log is JSON Lines. The first line says what it is, the others are of four kinds:
//
//	{"log":"fairlead","version":1}
//	{"pool":1,"epoch":7,"spec":{"Name":"render","Slots":4, ...}}   a pool begins
//	{"p":1,"t":1000,"k":"ask","in":{...},"e":"...","g":[...]}   a step: pool, time, input
//	{"p":1,"lost":3}                                               steps that are missing here
//	{"end":"size"}                                                 it was ended, and why
//
// in and spec have the fields of the types of packages dispatch and fleet, by their names
// in Go, without those that are zero. e is a digest of the effects, so that a replay can
// tell whether it decides the same; g names the grants among them, so that it can be told
// what was decided then. Both are left out where there were none. A reader refuses fields
// that it does not know: with them missing it would replay something else.
//
// Version history: 1, the first.
package record

// Version is of the format that this package writes and reads.
const Version = 1
