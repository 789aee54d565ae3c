//go:build !linux

package store

// freeSpace is not known here; a disk that is full is told when a write fails.
func freeSpace(string) (uint64, bool) { return 0, false }
