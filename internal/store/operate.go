package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
)

// Node is a member of the store's cluster: a controller that has a vote, or is about to.
type Node struct {
	Name    string // empty: it was added, and has not started yet
	Address string // where its store listens for the others
	Learns  bool   // it has no vote until it has caught up
	Here    bool
}

// Nodes returns the members of the cluster, by name.
func (s *Store) Nodes(ctx context.Context) ([]Node, error) {
	if s.member == nil {
		return nil, errNotEmbedded
	}
	once, done := context.WithTimeout(ctx, opTime)
	defer done()
	resp, err := s.client.MemberList(once)
	if err != nil {
		return nil, s.failedTo("list the store's members", err)
	}
	var all []Node
	for _, m := range resp.Members {
		all = append(all, s.node(m))
	}
	slices.SortFunc(all, func(a, b Node) int { return strings.Compare(a.Name+" "+a.Address, b.Name+" "+b.Address) })
	return all, nil
}

func (s *Store) node(m *etcdserverpb.Member) Node {
	n := Node{Name: m.Name, Learns: m.IsLearner, Here: m.Name == s.cfg.Name}
	if len(m.PeerURLs) > 0 {
		_, n.Address, _ = strings.Cut(m.PeerURLs[0], "://")
	}
	if n.Address == nowhere {
		n.Address = "" // alone, it listens for nobody
	}
	return n
}

var errNotEmbedded = errors.New("the store is an etcd of your own; use its own tools (etcdctl) for its members and backups")

// addTime is how long adding a member may take.
const addTime = 10 * time.Second

// AddNode adds a member that is to start, with Config.Join, at a peer address. It gets a vote
// when it has caught up.
func (s *Store) AddNode(ctx context.Context, address string) error {
	if s.member == nil {
		return errNotEmbedded
	}
	if err := checkPeer(address); err != nil {
		return err
	}
	if len(s.cfg.Peers) == 0 {
		return fmt.Errorf("this controller is a cluster of its own, which listens for nobody; name all controllers in its list of peers, and restart it")
	}
	u := s.cfg.peerURL(address)
	ctx, done := context.WithTimeout(ctx, addTime)
	defer done()
	_, err := s.client.MemberAddAsLearner(ctx, []string{u.String()})
	for errors.Is(err, rpctypes.ErrUnhealthy) || errors.Is(err, rpctypes.ErrMemberNotEnoughStarted) || errors.Is(err, rpctypes.ErrMemberNotFound) {
		// The members have to have been connected for some seconds, and to know who was removed.
		if wait(ctx, pause); ctx.Err() != nil {
			return fmt.Errorf("not every member of the cluster is connected; start those that are down, or remove them first")
		}
		_, err = s.client.MemberAddAsLearner(ctx, []string{u.String()})
	}
	switch {
	case errors.Is(err, rpctypes.ErrPeerURLExist):
		return fmt.Errorf("a member at %s is there already", address)
	case errors.Is(err, rpctypes.ErrTooManyLearners):
		return errors.New("another member was added and has not caught up yet; start that one first")
	}
	return s.failedTo("add the member at "+address, err)
}

// RemoveNode removes a member by its name, or by its address if it has not started yet.
func (s *Store) RemoveNode(ctx context.Context, who string) error {
	if s.member == nil {
		return errNotEmbedded
	}
	once, done := context.WithTimeout(ctx, opTime)
	defer done()
	resp, err := s.client.MemberList(once)
	if err != nil {
		return s.failedTo("list the store's members", err)
	}
	i := slices.IndexFunc(resp.Members, func(m *etcdserverpb.Member) bool {
		return m.Name == who || m.Name == "" && s.node(m).Address == who
	})
	switch {
	case i < 0:
		return fmt.Errorf("no member is named %q; 'fairlead store members' lists them", who)
	case resp.Members[i].Name == s.cfg.Name:
		return fmt.Errorf("%s answers this itself; ask another controller to remove it", who)
	}
	return s.failedTo("remove the member "+who, s.remove(ctx, resp.Members[i].ID))
}

// remove takes a member out, as soon as the others have been connected for long enough to be
// sure of each other.
func (s *Store) remove(ctx context.Context, id uint64) error {
	ctx, done := context.WithTimeout(ctx, addTime)
	defer done()
	for {
		_, err := s.client.MemberRemove(ctx, id)
		if !errors.Is(err, rpctypes.ErrUnhealthy) {
			return err
		}
		if wait(ctx, pause); ctx.Err() != nil {
			return err
		}
	}
}

// Backup writes a snapshot of all that is kept, with its checksum at the end.
func (s *Store) Backup(ctx context.Context, to io.Writer) error {
	if s.member == nil {
		return errNotEmbedded
	}
	r, err := s.client.Snapshot(ctx)
	if err != nil {
		return s.failedTo("back the store up", err)
	}
	defer r.Close()
	if _, err = io.Copy(to, r); err != nil {
		return fmt.Errorf("backing the store up: %w", err)
	}
	return nil
}

// promote gets this member a vote, when it has caught up.
func (m *member) promote(ctx context.Context) error {
	for {
		once, done := context.WithTimeout(ctx, opTime)
		_, err := m.etcd.Server.PromoteMember(once, uint64(m.etcd.Server.MemberID()))
		done()
		switch {
		case err == nil || errors.Is(err, membership.ErrMemberNotLearner):
			return nil
		case errors.Is(err, membership.ErrIDNotFound), errors.Is(err, membership.ErrIDRemoved):
			return errRemoved
		}
		m.cfg.Log.Info("catching up with the other controllers", "so_far", err)
		if wait(ctx, pause); ctx.Err() != nil {
			return m.missing(ctx)
		}
	}
}

// settleAddress tells the cluster where this member is, if the list of peers says something
// else than before: one that was alone had no address.
func (m *member) settleAddress(ctx context.Context) error {
	if len(m.cfg.Peers) == 0 {
		return nil
	}
	u := m.cfg.peerURL(m.cfg.Peers[m.cfg.Name])
	own := m.etcd.Server.Cluster().Member(m.etcd.Server.MemberID())
	if own == nil || slices.Equal(own.PeerURLs, []string{u.String()}) {
		return nil
	}
	once, done := context.WithTimeout(ctx, opTime)
	defer done()
	_, err := m.client.MemberUpdate(once, uint64(own.ID), []string{u.String()})
	if err != nil {
		return fmt.Errorf("telling the other controllers where this one is: %w", err)
	}
	return nil
}

// mostMembers bounds what is read of a list of members.
const mostMembers = 64 << 10

// currentMembers reduces a list of peers to those that are members now, as one of them
// says: etcd wants them all, and no others.
func (m *member) currentMembers(ctx context.Context, c *embed.Config, members map[string]string) error {
	rt := &http.Transport{}
	if m.cfg.PeerTLS.Set() {
		conf, err := c.PeerTLSInfo.ClientConfig()
		if err != nil {
			return fmt.Errorf("the certificate for peers cannot be used: %w", err)
		}
		rt.TLSClientConfig = conf
	}
	defer rt.CloseIdleConnections()
	client := &http.Client{Transport: rt, Timeout: opTime}
	var why []error
	var denied error
	for name, u := range members {
		if name == m.cfg.Name {
			continue
		}
		now, err := listMembers(ctx, client, u)
		if err != nil {
			why = append(why, fmt.Errorf("%s: %w", name, err))
			continue
		}
		if denied = m.expected(now); denied == nil {
			return m.reduce(now, members)
		} // or it has not heard of this one yet, and another has
	}
	if denied != nil {
		return denied
	}
	return fmt.Errorf("no controller of the cluster says who is in it; start them, and see that they can be reached: %w", errors.Join(why...))
}

func listMembers(ctx context.Context, client *http.Client, peer string) (all []membership.Member, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, peer+"/members", nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", resp.Status)
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, mostMembers)).Decode(&all)
	return all, err
}

// expected tells whether the cluster has this member, started or not.
func (m *member) expected(now []membership.Member) error {
	address := m.cfg.Peers[m.cfg.Name]
	u := m.cfg.peerURL(address)
	if slices.ContainsFunc(now, func(x membership.Member) bool { return slices.Contains(x.PeerURLs, u.String()) }) {
		return nil
	}
	return fmt.Errorf("the cluster does not expect this controller at %s; have one that runs add it: fairlead store add %s", address, address)
}

// reduce leaves in members those that are in the cluster.
func (m *member) reduce(now []membership.Member, members map[string]string) error {
	in := map[string]bool{}
	for _, x := range now {
		for name, u := range members {
			if slices.Contains(x.PeerURLs, u) {
				in[name] = true
			}
		}
	}
	if len(in) != len(now) {
		return fmt.Errorf("the cluster has %d members, and the list of peers names %d of them; name all, with their addresses", len(now), len(in))
	}
	for name := range members {
		if !in[name] {
			delete(members, name)
		}
	}
	return nil
}
