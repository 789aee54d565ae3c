package control

import (
	"context"
	"errors"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/test/bufconn"
)

// inner is the way to the controller for roles in the same process. It is not on any
// network, so it needs no certificates.
type inner struct {
	ln     *bufconn.Listener
	server *grpc.Server
}

func newInner(c *Controller) *inner {
	const buffer = 64 << 10 // bytes of a connection
	return &inner{
		ln:     bufconn.Listen(buffer),
		server: c.newServer(counting{insecure.NewCredentials(), true}),
	}
}

func (i *inner) serve() error {
	if err := i.server.Serve(i.ln); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serving roles of this process: %w", err)
	}
	return nil
}

func (i *inner) stop() { i.server.Stop() }

// Dial makes a connection within the process, which may act as any role.
func (c *Controller) Dial() (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///this-process",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return c.inner.ln.DialContext(ctx)
		}),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
}

// isInner tells whether a call comes from this process.
func isInner(ctx context.Context) bool {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return false
	}
	i, ok := p.AuthInfo.(wireInfo)
	return ok && i.inner
}

// peerOf says for people where a call comes from.
func peerOf(ctx context.Context) string {
	p, ok := peer.FromContext(ctx)
	switch {
	case isInner(ctx):
		return "this process"
	case !ok:
		return ""
	}
	return p.Addr.String()
}
