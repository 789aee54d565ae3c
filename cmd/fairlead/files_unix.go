//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyReopen has SIGUSR1 sent to a channel.
func notifyReopen(c chan<- os.Signal) { signal.Notify(c, syscall.SIGUSR1) }

// maxConnections returns how many clients a proxy can have at a time: each takes a file
// of its own and one towards its backend, and some are needed for other things.
func maxConnections() int {
	const others = 200
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 1<<21 {
		return 1 << 20
	}
	return max(1, (int(limit.Cur)-others)/2)
}
