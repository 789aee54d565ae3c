//go:build !unix

package l4

import (
	"context"
	"net"
)

// peek sees nothing here.
func peek(context.Context, *net.TCPConn) []byte { return nil }
