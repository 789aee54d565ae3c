package session

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	mathrand "math/rand/v2"
	"runtime"
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
func (p *peer) converse(ctx context.Context) error {
	ending := ctx
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	watchdog := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watchdog.Stop()
	greeted := context.AfterFunc(ending, func() { cancel(context.Canceled) })
	defer greeted()
	conn, err := p.to.Dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	st, err := fairleadv1.NewProxiesClient(conn).Session(ctx)
	if err != nil {
		return reason(ctx, err)
	}
	if err := st.Send(&fairleadv1.ProxyMessage{Hello: p.s.hello()}); err != nil && !errors.Is(err, io.EOF) {
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
	p.distance.reset()
	p.up(first)
	sent := make(chan struct{})
	received := make(chan struct{})
	go func() {
		defer close(sent)
		p.send(ending, received, st)
		watchdog.Reset(goodbye) // for the controller's own end
	}()
	err = reason(ctx, p.receive(first, st, watchdog, ending))
	close(received)
	cancel(err)
	<-sent
	p.down()
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
	return &fairleadv1.ProxyHello{
		Versions: &fairleadv1.Versions{Oldest: oldestVersion, Newest: newestVersion},
		Name:     s.cfg.Name, Instance: s.instance, Zone: s.cfg.Zone, Software: s.cfg.Software,
		Advertise: s.cfg.Advertise, Replaces: s.cfg.Replaces,
	}
}

// up starts a session.
func (p *peer) up(m *fairleadv1.ControllerMessage) {
	s := p.s
	s.takeTable(p, m.GetTable())
	s.mu.Lock()
	p.limit = int(m.GetWelcome().GetMaxOutstanding())
	p.out = outbox{}
	p.unheard = nil
	s.ledger.Quiet(p.index, false)
	p.takeLeads(m)
	s.settle()
	s.mu.Unlock()
	p.connected.Store(true)
	s.ever.Store(true)
	s.cfg.Logger.Info("session with the controller", "at", p.to.Name, "epoch", m.GetWelcome().GetEpoch(),
		"controller", m.GetWelcome().GetSoftware())
	p.rouse()
}

// down ends a session. Asks wait for the next one, or for another controller; grants live on.
func (p *peer) down() {
	s := p.s
	p.connected.Store(false)
	s.mu.Lock()
	p.numbers, p.leads = nil, nil
	p.out = outbox{}
	p.unheard = nil
	p.alarm.Stop()
	s.settle()
	s.mu.Unlock()
}

// takeTable notes the numbers of a table's pools, and hands the table on if it is this
// controller's that goes: while an earlier one of the list answers, that one's does.
func (s *Session) takeTable(from *peer, t *fairleadv1.Table) {
	numbers := make(map[fleet.PoolName]uint32, len(t.GetPools()))
	for _, e := range t.GetPools() {
		numbers[fleet.PoolName(e.GetName())] = e.GetNumber()
	}
	goes := true
	for _, p := range s.peers[:from.index] {
		goes = goes && !p.connected.Load()
	}
	s.mu.Lock()
	from.numbers = numbers
	s.mu.Unlock()
	if goes {
		s.tables.Lock()
		defer s.tables.Unlock()
		s.mayDecide(t)
		s.cfg.OnTable(t, Pools(t))
	}
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
			SendProxy:    int(min(p.GetSendProxy(), 2)), HTTP2: p.GetHttp2(),
		}
	}
	return pools
}

// send sends whatever gathers, until the stream breaks or nothing more is received.
// When ending is over it says what is left to say, and that it was the last.
func (p *peer) send(ending context.Context, received <-chan struct{}, st stream) {
	tick := time.NewTicker(statusEach)
	defer tick.Stop()
	due := true
	for {
		// Before the look at what there is to say: what was said before the end is told.
		over := ending.Err() != nil
		m, more := p.next(p.statusDue.Swap(false) || due, over)
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
		case <-p.wake:
			// Whoever else is about to ask does so first: their asks go in the same message. It
			// costs nothing when nobody is.
			runtime.Gosched()
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
func (p *peer) next(telling, over bool) (m *fairleadv1.ProxyMessage, more bool) {
	s := p.s
	var status *fairleadv1.ProxyStatus
	if telling {
		status = s.cfg.Status() // before the lock: the proxy looks at all its connections
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if telling {
		p.tellPools()
	}
	if over || status.GetDraining() {
		s.ledger.Leave()
		s.giveBackUnused()
	}
	if m, more = p.out.take(); m != nil {
		p.sent(m)
	}
	if telling {
		if m == nil {
			m = &fairleadv1.ProxyMessage{}
		}
		m.Status = status
		m.Status.Waiting, m.Status.InFlight = uint32(len(s.waiting)), uint32(s.ledger.InFlight())
		m.Status.Number = p.distance.ask()
	}
	return m, more
}

// receive takes in what the controller says, from its first message on, until the stream
// ends.
func (p *peer) receive(first *fairleadv1.ControllerMessage, st stream, watchdog *time.Timer, ending context.Context) error {
	p.take(first)
	for {
		m, err := st.Recv()
		if err != nil {
			return err
		}
		if ending.Err() == nil {
			watchdog.Reset(silence)
		}
		if t := m.GetTable(); t != nil {
			p.s.takeTable(p, t)
		}
		p.take(m)
	}
}

// take takes in the answers, revokes and backends of a message.
func (p *peer) take(m *fairleadv1.ControllerMessage) {
	s := p.s
	s.mu.Lock()
	if sent, ok := p.distance.answered(m.GetStatus()); ok {
		s.ledger.Heard(p.index, fleet.Time(sent.Sub(s.start))+1)
	}
	if m.GetWelcome() == nil && (m.GetLeads() != nil || m.GetTable() != nil) {
		p.takeLeads(m)
		s.settle()
	}
	if n := m.GetHeard(); n > 0 {
		p.heard(n)
	}
	for _, g := range m.GetGrants() {
		s.granted(p, g)
	}
	for _, r := range m.GetRefusals() {
		s.refused(r)
	}
	s.mu.Unlock()
	if len(m.GetGrants()) > 0 {
		p.rouse() // some may have been given back
	}
	for _, r := range m.GetRevokes() {
		id := fleet.GrantID{Epoch: r.GetGrant().GetEpoch(), Number: r.GetGrant().GetNumber()}
		if s.runs(id, r.GetUses()) {
			s.cut([]fleet.GrantID{id}, fleet.Reason(min(r.GetReason(), math.MaxUint8)))
		}
	}
	if len(m.GetReclaims()) > 0 {
		s.reclaimed(m.GetReclaims())
	}
	if len(m.GetBackends()) > 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, b := range m.GetBackends() {
			s.choosable(p, b)
		}
	}
}
