package store

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// freeSpace returns how many bytes may still be written where a directory is, or is to be.
func freeSpace(dir string) (uint64, bool) {
	for {
		var fs unix.Statfs_t
		if err := unix.Statfs(dir, &fs); err == nil {
			return fs.Bavail * uint64(fs.Bsize), true
		}
		up := filepath.Dir(dir)
		if up == dir {
			return 0, false
		}
		dir = up
	}
}
