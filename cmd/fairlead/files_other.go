//go:build !unix

package main

// maxConnections returns 0: this system does not say.
func maxConnections() int { return 0 }
