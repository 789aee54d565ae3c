// Package hangup tells when a client goes away while nobody reads from its connection:
// while its request waits for a grant, a proxy leaves the client's bytes where they are,
// so a read cannot notice. One goroutine watches all connections, with epoll. Only
// Linux has that; elsewhere a Watcher never fires, and a waiting request is noticed to
// be abandoned when its grant comes.
package hangup

// Mode says what counts as gone. A connection that was reset, or closed in both
// directions, always does.
type Mode uint8

// Modes.
const (
	// HTTP: a client that closed its sending side is gone, whatever it sent before.
	// net/http holds the same of a client whose request it has read.
	HTTP Mode = iota
	// TCP: a client that closed its sending side is gone only if none of its bytes are
	// left to read; with such bytes it may have said all that it wants to say, and wait
	// for the answer.
	TCP
)
