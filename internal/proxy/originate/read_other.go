//go:build !unix

package originate

import "syscall"

// readNow cannot tell on this system.
func readNow(syscall.RawConn, []byte) (int, error) { return 0, errNothing }
