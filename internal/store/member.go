package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"
)

// What an embedded member is allowed. Facts are small and few.
const (
	defaultQuota = 64 << 20
	mostRequest  = 64 << 10
	walSegment   = 4 << 20
	snapEach     = 2000 // entries between two of raft's own snapshots
	catchUp      = 500
	token        = "fairlead"
)

// nowhere is the peer URL of a cluster of one, which has no peers and does not listen.
const nowhere = "127.0.0.1:1"

// member is an embedded etcd.
type member struct {
	etcd   *embed.Etcd
	client *clientv3.Client
	fate   *fate
	lock   *fileutil.LockedFile
	cfg    Config

	stopping chan struct{} // closed when it is told to stop
}

// smallSegments has etcd allocate less at a time than the 64 MB of its own. It is a global
// of etcd's, which nobody else in this process uses.
var smallSegments = sync.OnceFunc(func() { wal.SegmentSizeBytes = walSegment })

// startMember starts the member and waits until it knows a leader.
func startMember(ctx context.Context, cfg Config) (*member, error) {
	smallSegments()
	lock, err := lockDir(cfg.Dir)
	if err != nil {
		return nil, err
	}
	m := &member{fate: newFate(), lock: lock, cfg: cfg}
	if err := m.start(ctx); err != nil {
		return nil, errors.Join(err, m.stop())
	}
	return m, nil
}

func (m *member) start(ctx context.Context) error {
	if err := checkIdentity(m.cfg); err != nil {
		return err
	}
	if err := errors.Join(checkPeerTLS(m.cfg), checkData(m.cfg), checkRoom(m.cfg)); err != nil {
		return err
	}
	conf, err := m.config(ctx)
	if err != nil {
		return err
	}
	if err := m.checkCluster(ctx); err != nil {
		return err
	}
	if m.etcd, err = m.launch(conf); err != nil {
		return explainStart(err, m.cfg)
	}
	m.client = v3client.New(m.etcd.Server)
	m.client.KV, m.client.Lease = mortalKV{m.client.KV, m.fate}, mortalLease{m.client.Lease, m.fate}
	m.stopping = make(chan struct{})
	go m.removed()
	if err := m.checkMembership(); err != nil {
		return err
	}
	if err := m.ready(ctx); err != nil {
		return err
	}
	if err := m.settleAddress(ctx); err != nil {
		return err
	}
	return writeIdentity(m.cfg, 0)
}

// launch starts etcd in a goroutine of its own, which etcd may end.
func (m *member) launch(conf *embed.Config) (*embed.Etcd, error) {
	type result struct {
		etcd *embed.Etcd
		err  error
	}
	done := make(chan result, 1)
	go func() {
		r := result{err: errors.New("it gave up")}
		defer func() {
			if p := recover(); p != nil {
				r.err = fmt.Errorf("%v", p)
			}
			done <- r
		}()
		r.etcd, r.err = embed.StartEtcd(conf)
	}()
	select {
	case r := <-done:
		select {
		case <-m.fate.dead:
			return r.etcd, m.fate.err
		default:
			return r.etcd, r.err
		}
	case <-m.fate.dead:
		return nil, m.fate.err
	}
}

// removed waits until etcd stops by itself, as it does when others remove it.
func (m *member) removed() {
	select {
	case <-m.etcd.Server.StopNotify():
		select {
		case <-m.stopping:
		default:
			m.fate.end(errRemoved)
		}
	case <-m.stopping:
	}
}

// ready waits until the member knows a leader and has what was written before.
func (m *member) ready(ctx context.Context) error {
	select {
	case <-m.etcd.Server.ReadyNotify():
	case <-m.fate.dead:
		return explainStart(m.fate.err, m.cfg)
	case err := <-m.etcd.Err():
		return explainStart(err, m.cfg)
	case <-ctx.Done():
		return m.missing(ctx)
	}
	if !m.cfg.Join {
		return nil
	}
	return m.promote(ctx)
}

func (m *member) config(ctx context.Context) (*embed.Config, error) {
	c := embed.NewConfig()
	c.Name, c.Dir = m.cfg.Name, m.cfg.Dir
	c.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zapLogger(m.cfg.Log, m.fate))
	// The election is over, and the next keepalives are in, before a lease runs out.
	c.TickMs = uint(m.cfg.Lease.Milliseconds() * 3 / 100)
	c.ElectionMs = 10 * c.TickMs
	c.SnapshotCount, c.SnapshotCatchUpEntries = snapEach, catchUp
	c.MaxSnapFiles, c.MaxWalFiles = 2, 2
	c.QuotaBackendBytes, c.MaxRequestBytes = m.cfg.quota, mostRequest
	c.AutoCompactionMode, c.AutoCompactionRetention = "periodic", "10m"
	c.EnableGRPCGateway = false
	// This process is the only client, and needs no connection.
	c.ListenClientUrls, c.AdvertiseClientUrls = nil, []url.URL{{Scheme: "http", Host: nowhere}}
	c.InitialClusterToken = token
	if len(m.cfg.Peers) == 0 {
		c.ListenPeerUrls, c.AdvertisePeerUrls = nil, []url.URL{m.cfg.peerURL(nowhere)}
		c.InitialCluster = m.cfg.Name + "=" + c.AdvertisePeerUrls[0].String()
		return c, nil
	}
	return c, m.peers(ctx, c)
}

// peers says whom the member speaks to, and how.
func (m *member) peers(ctx context.Context, c *embed.Config) error {
	own := m.cfg.Peers[m.cfg.Name]
	listen := m.cfg.Listen
	if listen == "" {
		listen = own
	}
	c.ListenPeerUrls = []url.URL{m.cfg.peerURL(listen)}
	c.AdvertisePeerUrls = []url.URL{m.cfg.peerURL(own)}
	if t := m.cfg.PeerTLS; t.Set() {
		c.PeerTLSInfo = transport.TLSInfo{CertFile: t.Cert, KeyFile: t.Key, TrustedCAFile: t.CA, ClientCertAuth: true}
		for name := range m.cfg.Peers {
			c.PeerTLSInfo.AllowedCNs = append(c.PeerTLSInfo.AllowedCNs, commonName(name))
		}
	}
	members := map[string]string{}
	for name, addr := range m.cfg.Peers {
		u := m.cfg.peerURL(addr)
		members[name] = u.String()
	}
	if m.cfg.Join && !wal.Exist(filepath.Join(m.cfg.Dir, "member", "wal")) {
		c.ClusterState = embed.ClusterStateFlagExisting
		if err := m.currentMembers(ctx, c, members); err != nil {
			return err
		}
	}
	c.InitialCluster = initialCluster(members)
	return nil
}

// commonName is what a controller's certificate has; trust.Issue writes it.
func commonName(controller string) string {
	cn := "controller/" + controller
	return cn[:min(len(cn), 64)]
}

func initialCluster(members map[string]string) string {
	var all []string
	for name, u := range members {
		all = append(all, name+"="+u)
	}
	slices.Sort(all)
	return strings.Join(all, ",")
}

// stop stops the member. One that has failed may never stop; it is left alone then.
func (m *member) stop() error {
	if m.client != nil {
		_ = m.client.Close() // of no consequence; it has no connection
	}
	if m.etcd != nil {
		if m.stopping != nil {
			close(m.stopping)
		}
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			m.etcd.Close()
		}()
		t := time.NewTimer(stopTime)
		defer t.Stop()
		select {
		case <-stopped:
		case <-t.C:
			m.cfg.Log.Warn("the store did not stop in time, as with peers that are gone; it ends with this process", "dir", m.cfg.Dir)
			return nil
		}
	}
	return m.lock.Close()
}

// lockDir makes the directory, and keeps other processes out of it.
func lockDir(dir string) (*fileutil.LockedFile, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory: %w; name one in which this controller may write", err)
	}
	lock, err := fileutil.TryLockFile(filepath.Join(dir, "lock"), os.O_WRONLY|os.O_CREATE, 0o600)
	if errors.Is(err, fileutil.ErrLocked) {
		return nil, fmt.Errorf("another process uses the data directory %s; stop it, or give this controller another directory", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("locking the data directory: %w; name one in which this controller may write", err)
	}
	return lock, nil
}

// zapFor returns a logger for etcd's helpers, which never end a process.
func zapFor(cfg Config) *zap.Logger { return zapLogger(cfg.Log, newFate()) }
