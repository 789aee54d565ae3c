//go:build unix

package main

import "syscall"

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
