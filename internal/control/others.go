package control

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/fairlead/fairlead/internal/store"
	"github.com/fairlead/fairlead/internal/trust"
)

// Controllers watch one another: each has a connection to each. When one breaks, and the
// host says that nobody listens there any more, the process is gone, and its lease at the
// store is ended at once. A host that says nothing at all is left to the lease.

// watchOthers does so until ctx ends.
func (c *Controller) watchOthers(ctx context.Context) {
	var watching sync.WaitGroup
	defer watching.Wait()
	stops := map[store.Member]context.CancelFunc{}
	defer func() {
		for _, stop := range stops {
			stop()
		}
	}()
	c.cfg.Store.Members(ctx, func(all []store.Member) {
		c.members.Store(&all)
		now := map[store.Member]bool{}
		for _, m := range all {
			now[m] = true
			if stops[m] == nil && m.Name != c.cfg.Name {
				one, stop := context.WithCancel(ctx)
				stops[m] = stop
				watching.Go(func() { c.watchOther(one, m) })
			}
		}
		for m, stop := range stops {
			if !now[m] {
				stop()
				delete(stops, m)
			}
		}
	})
}

// watchOther watches one, and ends its lease when its process is gone.
func (c *Controller) watchOther(ctx context.Context, m store.Member) {
	var refused atomic.Bool
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := grpc.NewClient("passthrough:///"+m.Address,
		grpc.WithTransportCredentials(c.otherCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 2, MaxDelay: time.Second}, MinConnectTimeout: time.Second}),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, "tcp", address)
			refused.Store(errors.Is(err, syscall.ECONNREFUSED))
			return conn, err
		}))
	if err != nil {
		c.cfg.Logger.Warn("another controller cannot be watched; when it dies, its pools wait for its lease's end", "controller", m.Name, "error", err)
		return
	}
	defer conn.Close()
	met := false
	for {
		state := conn.GetState()
		switch state {
		case connectivity.Ready:
			met = true
		case connectivity.Idle:
			conn.Connect()
		case connectivity.TransientFailure:
			if met && refused.Load() {
				met = !c.evict(ctx, m)
			}
		}
		if !conn.WaitForStateChange(ctx, state) {
			return
		}
	}
}

// evict ends its lease. While the store's members elect their own leader, because that was
// there too, it tries again.
func (c *Controller) evict(ctx context.Context, m store.Member) bool {
	var err error
	for began := time.Now(); time.Since(began) < evictFor && ctx.Err() == nil; {
		if err = c.cfg.Store.Evict(ctx, m.Name); err == nil {
			c.cfg.Logger.Warn("another controller's process is gone; its pools are free", "controller", m.Name, "address", m.Address)
			return true
		}
		retry := time.NewTimer(20 * time.Millisecond)
		select {
		case <-retry.C:
		case <-ctx.Done():
			retry.Stop()
		}
	}
	if ctx.Err() == nil {
		c.cfg.Logger.Warn("another controller's process is gone, and its lease could not be ended; its pools wait for that", "controller", m.Name, "error", err)
	}
	return false
}

// evictFor is for how long; then the lease has ended by itself, or nothing helps.
const evictFor = 3 * time.Second

func (c *Controller) otherCredentials() credentials.TransportCredentials {
	if c.cfg.Trust == nil {
		return insecure.NewCredentials()
	}
	return c.cfg.Trust.Client(trust.Controller)
}
