package session

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	mathrand "math/rand/v2"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/permit"
	"github.com/fairlead/fairlead/internal/proxy/classify"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// What this build speaks.
const (
	oldestVersion = 1
	newestVersion = 1
)

const (
	silence    = permit.Lease // without a word, a session is lost
	statusEach = time.Second
	firstPause = 50 * time.Millisecond
	lastPause  = time.Second
)

func nextPause(p time.Duration) time.Duration { return min(2*p, lastPause) }

// sleep waits about d, so that proxies that lost the same controller do not come back
// in step. It returns false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d/2 + mathrand.N(d))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// newInstance returns a name for this run of the proxy.
func newInstance() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	return hex.EncodeToString(b[:])
}

// permanent returns an error that trying again will not mend, or nil.
func permanent(err error) error {
	switch status.Code(err) {
	case codes.FailedPrecondition, codes.InvalidArgument, codes.Unauthenticated, codes.PermissionDenied, codes.Unimplemented:
		return fmt.Errorf("the controller refused this proxy: %s", status.Convert(err).Message())
	}
	return nil
}

type stream = interface {
	Send(*fairleadv1.ProxyMessage) error
	CloseSend() error
	Recv() (*fairleadv1.ControllerMessage, error)
}

// converse keeps one session, from hello to its end, and returns why it ended.
func (s *Session) converse(ctx context.Context) error {
	ending := ctx
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	watchdog := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watchdog.Stop()
	greeted := context.AfterFunc(ending, func() { cancel(context.Canceled) })
	defer greeted()
	conn, err := s.cfg.Dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	st, err := fairleadv1.NewProxiesClient(conn).Session(ctx)
	if err != nil {
		return reason(ctx, err)
	}
	if err := st.Send(&fairleadv1.ProxyMessage{Hello: s.hello()}); err != nil && !errors.Is(err, io.EOF) {
		return reason(ctx, err)
	}
	first, err := st.Recv()
	if err != nil {
		return reason(ctx, err)
	}
	if first.GetWelcome() == nil || first.GetTable() == nil {
		return errors.New("the controller's first message was no welcome with a table")
	}
	if v := first.GetWelcome().GetVersion(); v < oldestVersion || v > newestVersion {
		return fmt.Errorf("the controller chose version %d of the wire; this proxy speaks %d to %d", v, oldestVersion, newestVersion)
	}
	watchdog.Reset(silence)
	greeted() // from here on, an end is told
	s.distance.reset()
	if s.hasMore() {
		return errMore
	}
	s.up(first)
	sent := make(chan struct{})
	received := make(chan struct{})
	go func() {
		defer close(sent)
		s.send(ending, received, st)
		watchdog.Reset(goodbye) // for the controller's own end
	}()
	err = reason(ctx, s.receive(first, st, watchdog, ending))
	close(received)
	cancel(err)
	<-sent
	s.down()
	return err
}

// goodbye is how long the last words to the controller may take.
const goodbye = time.Second

// reason prefers why ctx was ended to the error that came of it.
func reason(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) && status.Code(err) == codes.Canceled {
		return cause
	}
	return err
}

func (s *Session) hello() *fairleadv1.ProxyHello {
	h := &fairleadv1.ProxyHello{
		Versions: &fairleadv1.Versions{Oldest: oldestVersion, Newest: newestVersion},
		Name:     s.cfg.Name, Instance: s.instance, Zone: s.cfg.Zone, Software: s.cfg.Software,
		Advertise: s.cfg.Advertise,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed, s.late, s.unlisted, s.helloAt = map[fleet.GrantID]bool{}, nil, false, s.now()
	for _, held := range s.ledger.Live(s.now()) {
		s.listed[held.ID] = true
		h.Live = append(h.Live, &fairleadv1.LiveGrant{
			Id: grantID(held.ID), Pool: string(held.Pool), Backend: string(held.Backend),
			HeldMs: uint64(max(held.Held, 0) / time.Millisecond), Kept: held.Kept, Uses: held.Uses,
		})
	}
	return h
}

// up starts a session: who waits is asked for again, with the time that it has waited.
func (s *Session) up(m *fairleadv1.ControllerMessage) {
	numbers := s.table(m.GetTable())
	s.mu.Lock()
	s.ledger.Reconnected()
	s.numbers = numbers
	s.limit = int(m.GetWelcome().GetMaxOutstanding())
	s.out = outbox{}
	for _, d := range s.late {
		if d.use {
			s.out.use(numbers[d.pool], d.id, d.uses, nil)
			continue
		}
		s.out.done(numbers[d.pool], d.id, d.result, fleet.Seen{}, d.kept, d.uses)
	}
	s.listed, s.late = nil, nil
	s.ledger.Connected(true)
	s.unheard = nil
	all := make([]*waiter, 0, len(s.waiting))
	for _, w := range s.waiting {
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b *waiter) int { return cmp.Compare(a.id, b.id) })
	for i, w := range all {
		if s.limit > 0 && i >= s.limit {
			s.resolve(w, s.tooMany(w))
			continue
		}
		s.put(w, s.now().Sub(w.arrived))
	}
	s.mu.Unlock()
	s.connected.Store(true)
	s.ever.Store(true)
	s.cfg.Logger.Info("session with the controller", "epoch", m.GetWelcome().GetEpoch(),
		"controller", m.GetWelcome().GetSoftware())
	s.rouse()
}

// down ends a session. Asks wait for the next one; grants live on.
func (s *Session) down() {
	s.connected.Store(false)
	s.mu.Lock()
	s.numbers = nil
	s.since = s.now()
	s.out = outbox{}
	s.unheard = nil
	s.alarm.Stop()
	s.ledger.Connected(false)
	clear(s.choices.told)
	s.decideWaiting()
	s.serveWaiting("")
	s.mu.Unlock()
}

// table hands a table on, and returns the numbers of its pools.
func (s *Session) table(t *fairleadv1.Table) map[fleet.PoolName]uint32 {
	numbers := make(map[fleet.PoolName]uint32, len(t.GetPools()))
	for _, p := range t.GetPools() {
		numbers[fleet.PoolName(p.GetName())] = p.GetNumber()
	}
	s.mayDecide(t)
	s.cfg.OnTable(t, Pools(t))
	return numbers
}

// Pools returns a table's pools as carriers need them, by number.
func Pools(t *fairleadv1.Table) map[uint32]*link.Pool {
	pools := make(map[uint32]*link.Pool, len(t.GetPools()))
	for _, p := range t.GetPools() {
		pools[p.GetNumber()] = &link.Pool{
			Number: p.GetNumber(), Name: fleet.PoolName(p.GetName()), Retries: int(p.GetRetries()),
			ConnectTimeout: time.Duration(p.GetConnectTimeoutMs()) * time.Millisecond,
			Direct:         p.GetLink() == fairleadv1.Link_LINK_DIRECT,
			About:          p.GetAbout(), Tickets: p.GetTickets(), Classify: classify.New(p.GetClassify()),
			Alone: p.GetAlone(), QueueLimit: int(min(p.GetQueueLimit(), math.MaxInt32)),
			QueueTimeout: time.Duration(min(p.GetQueueTimeoutMs(), 1<<40)) * time.Millisecond,
		}
	}
	return pools
}

// send sends whatever gathers, until the stream breaks or nothing more is received.
// When ending is over it says what is left to say, and that it was the last.
func (s *Session) send(ending context.Context, received <-chan struct{}, st stream) {
	tick := time.NewTicker(statusEach)
	defer tick.Stop()
	due := true
	for {
		// Before the look at what there is to say: what was said before the end is told.
		over := ending.Err() != nil
		m, more := s.next(s.statusDue.Swap(false) || due, over)
		due = false
		if m != nil {
			if err := st.Send(m); err != nil {
				return // receive meets the reason
			}
		}
		if more || m != nil {
			continue
		}
		if over {
			_ = st.CloseSend() // receive meets the reason
			return
		}
		select {
		case <-s.wake:
		case <-tick.C:
			due = true
		case <-ending.Done():
		case <-received:
			return
		}
	}
}

// next returns what to send now, or nil, with the proxy's state where it is to be told, and
// whether there is more. A proxy that ends gives back what it keeps.
func (s *Session) next(telling, over bool) (m *fairleadv1.ProxyMessage, more bool) {
	var status *fairleadv1.ProxyStatus
	if telling {
		status = s.cfg.Status() // before the lock: the proxy looks at all its connections
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if telling {
		s.tellPools()
	}
	if over || status.GetDraining() {
		s.ledger.Leave()
		s.giveBackUnused()
	}
	if m, more = s.out.take(); m != nil {
		s.sent(m)
	}
	if telling {
		if m == nil {
			m = &fairleadv1.ProxyMessage{}
		}
		m.Status = status
		m.Status.Waiting, m.Status.InFlight = uint32(len(s.waiting)), uint32(s.ledger.InFlight())
		m.Status.Number = s.distance.ask()
	}
	return m, more
}

// receive takes in what the controller says, from its first message on, until the stream
// ends.
func (s *Session) receive(first *fairleadv1.ControllerMessage, st stream, watchdog *time.Timer, ending context.Context) error {
	s.take(first)
	for {
		m, err := st.Recv()
		if err != nil {
			return err
		}
		if ending.Err() == nil {
			watchdog.Reset(silence)
		}
		if t := m.GetTable(); t != nil {
			numbers := s.table(t)
			s.mu.Lock()
			s.numbers = numbers
			s.mu.Unlock()
		}
		if sent, ok := s.distance.answered(m.GetStatus()); ok {
			s.mu.Lock()
			s.ledger.Heard(fleet.Time(sent.Sub(s.start)) + 1)
			s.mu.Unlock()
		}
		s.take(m)
	}
}

// take takes in the answers, revokes and backends of a message.
func (s *Session) take(m *fairleadv1.ControllerMessage) {
	s.mu.Lock()
	if n := m.GetHeard(); n > 0 {
		s.heard(n)
	}
	for _, g := range m.GetGrants() {
		s.granted(g)
	}
	for _, r := range m.GetRefusals() {
		s.refused(r)
	}
	s.mu.Unlock()
	if len(m.GetGrants()) > 0 {
		s.rouse() // some may have been given back
	}
	for _, r := range m.GetRevokes() {
		id := fleet.GrantID{Epoch: r.GetGrant().GetEpoch(), Number: r.GetGrant().GetNumber()}
		if s.runs(id, r.GetUses()) {
			s.cut([]fleet.GrantID{id}, fleet.Reason(min(r.GetReason(), math.MaxUint8)))
		}
	}
	if len(m.GetReclaims()) > 0 {
		s.reclaimed(m.GetReclaims())
		s.rouse()
	}
	if len(m.GetBackends()) > 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, b := range m.GetBackends() {
			s.choosable(b)
		}
	}
}
