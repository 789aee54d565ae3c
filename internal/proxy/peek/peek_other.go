//go:build !unix

package peek

import (
	"errors"
	"net"
)

func until(*net.TCPConn, int, func([]byte) bool) ([]byte, error) { return nil, errors.ErrUnsupported }
