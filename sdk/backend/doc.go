// Package backend lets a server report for itself to a Fairlead controller, so that the
// controller knows how loaded it is, and lets it leave without losing a request.
//
// A server that has no agent beside it makes a Reporter, wraps its handler and runs it:
//
//	reporter, err := backend.New(backend.Config{
//		Controller: "127.0.0.1:7400",
//		Pool:       "render",
//		Address:    "127.0.0.1:9101",
//		Slots:      4,
//	})
//	...
//	server.Handler = reporter.Handler(server.Handler)
//	go reporter.Run(ctx)
//
// On its way out it calls Drain, waits for it, and only then stops its server: the
// controller gives it no new request from then on, and says when the last has ended.
//
// # Assignments and tickets
//
// In a pool that assigns, Config.OnAssign hears of each request before it comes, and may
// turn it away. In a pool with tickets, Guard (HTTP) or GuardListener (any protocol) let
// in only what the controller granted:
//
//	server.Handler = reporter.Guard(server.Handler)
//
// and in one whose link is direct, where clients come without a proxy, they also tell the
// controller when a request has come and how it ended; Config.Direct says so.
//
// # What goes over the wire
//
// The Reporter opens one stream to the controller, says hello with the pool, the address
// and the slots, and then sends a Load each Interval, and sooner when something moved by
// more than 5 % (at most 20 times a second). What it says of assignments and direct grants
// goes out at once. The controller answers each report. When it has been silent for three
// seconds the stream is given up and opened again, with a jittered pause between tries of
// 50 ms at first and of 5 s at most; the hello then lists the direct grants that still run.
// The server's own work never waits for any of this: without a controller it serves on.
//
// # Several controllers
//
// Where several controllers stand side by side, Config.Controller names them all, and the
// Reporter has such a stream to each: one that is away delays no other. Load and what becomes
// of direct grants are told to all, an assignment is answered where it came from, and tickets
// of each are taken, but none of a grant from before the latest term that one of them has told
// of. A drain is over when all that are connected say so.
package backend
