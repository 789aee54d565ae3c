package agent

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/fairlead/fairlead/sdk/backend"
)

// tcpGate is a gate for any protocol.
type tcpGate struct {
	listener net.Listener
	reach    reach
	dialer   net.Dialer
	running  sync.WaitGroup
	ctx      context.Context
	cancel   context.CancelFunc // ends every connection
}

func newTCPGate(ln net.Listener, forward string, r *backend.Reporter, log *slog.Logger) *tcpGate {
	ctx, cancel := context.WithCancel(context.Background())
	return &tcpGate{
		listener: r.GuardListener(ln), reach: reach{forward: forward, log: log},
		dialer: net.Dialer{Timeout: connectTime}, ctx: ctx, cancel: cancel,
	}
}

func (g *tcpGate) serve(ctx context.Context) error {
	defer g.running.Wait()
	cut := cutAt(ctx, func() {
		g.cancel()
		_ = g.listener.Close() // it fails only to close what is closed
	})
	defer cut()
	for {
		conn, err := g.listener.Accept()
		switch {
		case err == nil:
			g.running.Go(func() { g.carry(conn.(*backend.Conn)) })
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default: // such as too many open files, which passes when connections end
			g.reach.log.Warn("the gate cannot accept a connection, and goes on trying", "error", err)
			pause(ctx, acceptPause)
		}
	}
}

// acceptPause is how long the gate waits after an error.
const acceptPause = 100 * time.Millisecond

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// carry joins a client with the backend until both have ended, or one has failed.
func (g *tcpGate) carry(client *backend.Conn) {
	defer client.Close()
	behind, err := g.dialer.DialContext(g.ctx, "tcp", g.reach.forward)
	if err != nil {
		if g.ctx.Err() == nil {
			g.reach.note(err)
		}
		client.Fail()
		return
	}
	g.reach.note(nil)
	defer behind.Close()
	both := func() { _, _ = client.Close(), behind.Close() }
	defer context.AfterFunc(g.ctx, both)()
	var up sync.WaitGroup
	up.Go(func() { relay(behind.(*net.TCPConn), client, both) })
	relay(client, behind, both)
	up.Wait()
}

// relay copies one way, and ends that way; when it cannot go on it ends both.
func relay(to interface {
	io.Writer
	CloseWrite() error
}, from io.Reader, both func()) {
	if _, err := io.Copy(to, from); err != nil {
		both()
		return
	}
	if err := to.CloseWrite(); err != nil {
		both()
	}
}
