// Package store keeps the little that must outlive a controller, and says which controller
// leads which pool. It is etcd: a member embedded in each controller, or an etcd that exists
// (Config.Endpoints). From Open on both are the same code, a client of etcd.
//
// # What is in it
//
// All keys are below /fairlead/v1/.
//
//   - Who is alive: a key for each controller, in a lease that ends a second after its last
//     word (Members).
//   - Who leads each pool: a key for each pool, in the lease of the controller that leads it
//     (Campaign, Leaders). A key that is there is not taken by another; it goes with its
//     lease, by Resign, or by Evict.
//   - Facts: what operators have set for backends (Overrides), which proxies and agents there
//     are, also while they are away (Proxies, Agents), and which pools were moved by hand
//     (Move).
//   - The base, a number that epochs start from, see below; and a lease of that number, by which
//     members know their cluster (same.go).
//
// Requests, grants, slots in use, queues, loads and learnt latencies are never in it, nor are
// the config, keys and certificates. So it has a few writes a minute, whatever the traffic, and
// a request never waits for a disk. What it costs: docs/decisions/0014-store.md.
//
// # Terms and epochs
//
// A Term is the time in which a controller leads a pool. Its epoch is the store's revision at
// which the pool's key came to be, and so each election's is higher than those before: proxies
// follow the highest that they have heard of, and what comes late from an earlier term is told
// by it. Epochs have to go on growing when a store begins anew, with an empty directory or from
// a backup. So revisions count from the base: the time, in milliseconds, at which the store
// first ran.
//
// A Term is certain for nine tenths of the lease's time after the last keepalive that was
// answered was sent, by the monotonic clock and by the wall clock. The store gives the pool to
// nobody else in that time, except by Evict, whose caller has seen that the process is gone.
// Whoever acts for a pool asks Certain before each act. Timers, and so Lost, may be late in a
// process that was stopped.
//
// A Keeper has a controller stand for the pools that fall to it (Spread), and leave others.
//
// # Without a quorum
//
// More than half of the members have to answer. When they do not, nothing that was kept is
// lost, and nothing is written:
//
//   - Terms end within a lease's time. Nobody leads after that, and proxies go on within their
//     shares (docs/failure.md).
//   - Campaign waits; Put, Delete, Load and Move return an error within two seconds; Members,
//     Leaders and Watch keep silent, and what they said last stays.
//   - Open waits for Config.Ready, and then says which peers it cannot reach. A controller ends
//     with that, and its supervisor starts it again.
//
// When the quorum is back, the controller takes a new lease, those that follow are told what
// has changed, and Campaign goes on by itself.
//
// An embedded member whose disk fails, or whose data make no sense, ends for good (Failed,
// Err): what it knows may be less than what it has promised to the others. Before it starts,
// its directory is read, and refused if it is torn (check.go), or of another controller or
// another cluster (identity.go, same.go).
//
// # Who may call what
//
// Store, Term and Keeper may be used from any goroutine. Members, Leaders and Watch block until
// their context is done, and call back in the goroutine that called them, once at a time; the
// map or slice is the callee's to keep. While a callback runs, the next change waits for it. A
// Keeper calls lead in a goroutine for each pool, and Run returns when all have. A controller
// has one Store, and at most one Term of a pool at a time.
//
// Who closes a Store first ends the contexts of those that use it. Close ends terms before it
// gives the lease back, so that the next one leads within milliseconds, and never while this
// one still thinks that it does.
package store
