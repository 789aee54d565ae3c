//go:build !unix

package main

import "os"

// notifyReopen does nothing: this system has no such signal.
func notifyReopen(chan<- os.Signal) {}

// maxConnections returns 0: this system does not say.
func maxConnections() int { return 0 }
