package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"syscall"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// wayOut says what to do when a data directory is lost.
func wayOut(cfg Config) string {
	if len(cfg.Peers) > 1 {
		return "have another controller remove this member and add it again, then start this one with an empty directory to join"
	}
	return "restore it from a backup into an empty directory, or start with an empty one, without moves, drains and other facts"
}

// explainFate says what to do about what ended a member that ran.
func explainFate(err error, dir string) error {
	switch {
	case errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "no space left"):
		return fmt.Errorf("the disk of %s is full (%w); free some space, and start this controller again", dir, err)
	case errors.Is(err, errRemoved):
		return err
	}
	return fmt.Errorf("%w; see to the disk of %s, and start this controller again", err, dir)
}

// errRemoved ends the member of a controller that others have removed.
var errRemoved = errors.New("this controller was removed from the cluster; to have it back, add it again and start it with an empty directory to join")

// explainStart says what to do about an etcd that does not start.
func explainStart(err error, cfg Config) error {
	text := err.Error()
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(text, p) })
	}
	switch {
	case errors.Is(err, errRemoved):
		return err
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("another process listens where this controller's store should: %w; stop it, or choose another address", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("this host does not have the address where the store should listen: %w; give listen an address that it has", err)
	case errors.Is(err, syscall.ENOSPC) || has("no space left"):
		return fmt.Errorf("the disk of %s is full: %w; free some space", cfg.Dir, err)
	case errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EPERM):
		return fmt.Errorf("the data directory %s cannot be written: %w; give it to the user that this runs as", cfg.Dir, err)
	case has("already been bootstrapped"):
		return fmt.Errorf("the cluster knows this controller, but its data directory %s is empty; "+
			"have another controller remove this member and add it again, then start this one to join", cfg.Dir)
	case has("tls:", "x509:", "certificate", ".crt", ".key"):
		return fmt.Errorf("the certificate for peers cannot be used: %w; name good files of certificate, key and CA", err)
	case hasData(cfg.Dir):
		return fmt.Errorf("the data directory %s is damaged: %w; %s", cfg.Dir, err, wayOut(cfg))
	}
	return fmt.Errorf("the store in %s does not start: %w", cfg.Dir, err)
}

// missing says that there is no quorum, and which peers do not answer.
func (m *member) missing(ctx context.Context) error {
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ctx.Err()
	}
	silent, wrong := silentPeers(context.WithoutCancel(ctx), m.cfg)
	switch {
	case len(wrong) > 0:
		return fmt.Errorf("the store found no quorum within %v: %s; see that the certificates of all stores are of one CA, "+
			"or that none has any, and that nothing else listens there", m.cfg.Ready, strings.Join(wrong, ", "))
	case len(silent) == 0:
		return fmt.Errorf("the store found no quorum within %v, though every peer can be reached; "+
			"see that all have the same list of peers, and that none has the data directory of another cluster", m.cfg.Ready)
	}
	return fmt.Errorf("the store found no quorum within %v: %s cannot be reached; start more than half of the %d peers",
		m.cfg.Ready, strings.Join(silent, ", "), len(m.cfg.Peers))
}

// silentPeers returns the other peers that nobody can connect to, and why those that one can
// connect to are of no use.
func silentPeers(ctx context.Context, cfg Config) (silent, wrong []string) {
	conf, err := cfg.PeerTLS.client("peers")
	if err != nil {
		return nil, []string{err.Error()}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Peers)) {
		if name == cfg.Name {
			continue
		}
		at := name + " (" + cfg.Peers[name] + ")"
		var dialing *net.OpError
		err := probe(ctx, cfg.Peers[name], conf, http1)
		switch {
		case errors.As(err, &dialing) && dialing.Op == "dial":
			silent = append(silent, at)
		case err != nil:
			wrong = append(wrong, fmt.Sprintf("%s cannot be spoken to: %v", at, err))
		}
	}
	return silent, wrong
}

// explain says what to do about a store that does not do what it is asked.
func (s *Store) explain(ctx context.Context, err error) error {
	if s.member != nil {
		select {
		case <-s.member.fate.dead:
			return explainStart(s.member.fate.err, s.cfg)
		default:
		}
	}
	switch {
	case errors.Is(err, rpctypes.ErrNoSpace) || errors.Is(err, rpctypes.ErrGRPCNoSpace):
		return s.full(err)
	case errors.Is(err, errFull), errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return err
	case s.member != nil && (errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "timed out") ||
		strings.Contains(err.Error(), "no leader")):
		return s.member.missing(ctx)
	case s.member == nil:
		return explainDial(err, s.cfg)
	}
	return fmt.Errorf("asking the store: %w", err)
}

// full says what to do about etcd's alarm that its quota is used up.
func (s *Store) full(err error) error {
	if s.member == nil {
		return explainDial(err, s.cfg)
	}
	return fmt.Errorf("the store is full: %w; restart the controllers, one after the other: each makes room when it starts", err)
}
