package control

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/fairlead/fairlead/internal/trust"
)

// refusals counts those who were turned away, and tells of them in the log, of a flood no
// more than a line a second. It is safe for concurrent use.
type refusals struct {
	log *slog.Logger

	mu     sync.Mutex // guards what is below
	counts map[trust.Reason]uint64
	last   time.Time
	silent int // not told of since
}

func newRefusals(log *slog.Logger) *refusals {
	return &refusals{log: log, counts: map[trust.Reason]uint64{}}
}

func (r *refusals) note(who net.Addr, why trust.Reason, err error) {
	r.mu.Lock()
	r.counts[why]++
	silent := r.silent
	tell := time.Since(r.last) >= time.Second
	if tell {
		r.last, r.silent = time.Now(), 0
	} else {
		r.silent++
	}
	r.mu.Unlock()
	if tell {
		r.log.Warn("a peer was refused", "peer", who, "reason", string(why), "error", err, "not_told_of", silent)
	}
}

// all returns the counts by reason.
func (r *refusals) all() map[trust.Reason]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make(map[trust.Reason]uint64, len(r.counts))
	for why, n := range r.counts {
		all[why] = n
	}
	return all
}

// allow returns an error unless the caller may act as check says. Without TLS anyone may.
func (c *Controller) allow(ctx context.Context, check func(trust.Identity) error) error {
	if c.cfg.Trust == nil || isInner(ctx) {
		return nil
	}
	who, ok := trust.PeerOf(ctx)
	err := status.Error(codes.Unauthenticated, "the connection has no certificate")
	if ok {
		if err = check(who); err == nil {
			return nil
		}
	}
	var from net.Addr
	if p, ok := peer.FromContext(ctx); ok {
		from = p.Addr
	}
	c.refusals.note(from, trust.WrongRole, err)
	return err
}

func denied(format string, args ...any) error {
	return status.Errorf(codes.PermissionDenied, format, args...)
}

// asProxy allows the proxy of a name.
func asProxy(name string) func(trust.Identity) error {
	return func(who trust.Identity) error {
		if who.Role != trust.Proxy {
			return denied("the certificate is of %s, which may not act as a proxy", who)
		}
		if who.Name != name {
			return denied("the certificate is of %s, which may not act as proxy %q; give it that name with --name", who, name)
		}
		return nil
	}
}

// asAgent allows the agent of a backend.
func asAgent(pool, address string) func(trust.Identity) error {
	return func(who trust.Identity) error {
		if who.Role != trust.Agent {
			return denied("the certificate is of %s, which may not act as an agent", who)
		}
		if err := who.MayReport(pool, address); err != nil {
			return denied("%v", err)
		}
		return nil
	}
}

// asOperator allows operators.
func asOperator(who trust.Identity) error {
	if who.Role != trust.Operator {
		return denied("the certificate is of %s; tools need one of an operator", who)
	}
	return nil
}
