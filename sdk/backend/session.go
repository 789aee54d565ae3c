package backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
)

// The range of wire versions that this package speaks.
const (
	oldestVersion = 1
	newestVersion = 1
)

const (
	// silence is how long a controller may say nothing: it answers each report. gRPC's
	// own keepalive would not do, as it looks no more often than every ten seconds.
	silence = 3 * time.Second
	// reportGap is the least time between two reports: 20 a second.
	reportGap = 50 * time.Millisecond
	// farewell is how long the controller gets to take note that we leave.
	farewell = 500 * time.Millisecond
)

var errSilent = errors.New("the controller said nothing for 3 s")

type agentStream = grpc.BidiStreamingClient[fairleadv1.AgentMessage, fairleadv1.BackendMessage]

// session is one conversation with a controller. The contact's goroutine owns it; receive
// runs in one of its own.
type session struct {
	r      *Reporter
	c      *contact
	number uint64 // as the outbox counts
	stream agentStream
	words  chan *fairleadv1.BackendMessage // from receive
	lost   chan error                      // holds one: why receive ended
	sent   time.Time                       // when the last report was
	last   Load                            // what it said
}

// client makes a connection that is not yet dialled.
func (c *contact) client() (*grpc.ClientConn, error) {
	return grpc.NewClient(c.address, c.r.dial...)
}

// session connects, joins and reports until something ends it. joined tells whether the
// controller had welcomed the backend. Each session has a connection of its own: the
// pauses between tries are then ours alone to choose.
func (c *contact) session(ctx context.Context) (joined bool, err error) {
	conn, err := c.client()
	if err != nil {
		return false, fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()

	// Once welcomed, the stream outlives ctx by a farewell.
	live, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	hurried := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	defer hurried()
	watch := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watch.Stop()

	defer c.outbox.end()
	stream, first, err := c.join(live, conn)
	if err != nil {
		return false, because(live, err)
	}
	if !hurried() {
		return false, context.Cause(ctx)
	}
	s := c.begin(stream, first)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.lost <- s.receive(live, watch)
	}()
	c.r.cfg.Logger.Info("joined the controller", "controller", c.address,
		"pool", c.r.cfg.Pool, "backend", c.r.cfg.Address)
	c.change(func() { c.state.Connected, c.rejected = true, nil })
	s.hear(first) // the welcome may bring the state with it
	err = because(live, s.talk(ctx))
	cancel(nil)
	<-done
	return true, err
}

// begin makes a session, and takes in what tickets are checked with before anyone hears
// that there is one.
func (c *contact) begin(stream agentStream, first *fairleadv1.BackendMessage) *session {
	s := &session{
		r: c.r, c: c, stream: stream, number: c.outbox.number(),
		words: make(chan *fairleadv1.BackendMessage), lost: make(chan error, 1),
	}
	c.term(first.GetWelcome().GetEpoch())
	c.learnKeys(first.GetKeys())
	return s
}

// because prefers the reason for which we ended a stream over gRPC's word for it.
func because(live context.Context, err error) error {
	if cause := context.Cause(live); cause != nil && err != nil {
		return cause
	}
	return err
}

// join opens the stream, says hello and awaits the message with the welcome.
func (c *contact) join(live context.Context, conn *grpc.ClientConn) (agentStream, *fairleadv1.BackendMessage, error) {
	stream, err := fairleadv1.NewAgentsClient(conn).Session(live)
	if err != nil {
		return nil, nil, fmt.Errorf("connect: %w", err)
	}
	err = stream.Send(&fairleadv1.AgentMessage{Hello: c.hello()})
	if err != nil && !errors.Is(err, io.EOF) { // of an EOF, Recv tells the reason
		return nil, nil, fmt.Errorf("say hello: %w", err)
	}
	answer, err := stream.Recv()
	if err != nil {
		return nil, nil, fmt.Errorf("await the welcome: %w", err)
	}
	if v := answer.GetWelcome().GetVersion(); v < oldestVersion || v > newestVersion {
		return nil, nil, &RejectedError{Code: codes.FailedPrecondition, Message: fmt.Sprintf(
			"it chose version %d, and this program speaks %d to %d", v, oldestVersion, newestVersion)}
	}
	return stream, answer, nil
}

// hello begins a session.
func (c *contact) hello() *fairleadv1.AgentHello {
	r := c.r
	live, left := c.outbox.begin(time.Now())
	if left > 0 {
		r.cfg.Logger.Warn("more direct grants run than a controller can be told of; their slots are given away while they run",
			"told", len(live), "not_told", left)
	}
	return &fairleadv1.AgentHello{
		Versions: &fairleadv1.Versions{Oldest: oldestVersion, Newest: newestVersion},
		Pool:     r.cfg.Pool,
		Address:  r.cfg.Address,
		Slots:    uint32(r.cfg.Slots),
		Workers:  uint32(r.cfg.Workers),
		Labels:   fleet.Labels(r.cfg.Labels),
		Zone:     r.cfg.Zone,
		Instance: r.instance,
		Software: r.cfg.Software,
		Public:   r.cfg.Public,

		Assignments: true,
		Direct:      r.cfg.Direct,
		Live:        live,
	}
}

// receive hands on what the controller says, and puts off the watch each time. While
// talk cannot take a word because it cannot send, the watch runs: a controller that
// reads nothing is as dead as one that says nothing.
func (s *session) receive(live context.Context, watch *time.Timer) error {
	for {
		watch.Reset(silence)
		m, err := s.stream.Recv()
		if errors.Is(err, io.EOF) {
			return errors.New("the controller ended the session")
		}
		if err != nil {
			return fmt.Errorf("hear the controller: %w", err)
		}
		select {
		case s.words <- m:
		case <-live.Done():
			return context.Cause(live)
		}
	}
}

// talk reports until the session is lost or ctx ends.
func (s *session) talk(ctx context.Context) error {
	tick := time.NewTicker(s.r.cfg.Interval)
	defer tick.Stop()
	soon := time.NewTimer(0) // fires when a change may be sent; the first report is one
	defer soon.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return s.leave()
		case err := <-s.lost:
			return err
		case m := <-s.words:
			s.hear(m)
		case <-tick.C:
			s.r.sample()
			err = s.report()
		case <-s.c.outbox.wake:
			err = s.tellGrants()
		case <-s.c.poke:
			soon.Reset(reportGap - time.Since(s.sent))
		case <-soon.C:
			err = s.reportChange()
		}
		if errors.Is(err, io.EOF) {
			return <-s.lost // gRPC tells the reason to the receiver
		}
		if err != nil {
			return fmt.Errorf("tell the controller: %w", err)
		}
	}
}

// hear takes in what the controller says. An empty message only says that it lives.
func (s *session) hear(m *fairleadv1.BackendMessage) {
	if word := m.GetState(); word != nil {
		s.c.change(func() {
			st := &s.c.state
			st.Slots, st.Draining, st.Drained = int(word.Slots), word.Draining, word.Drained
		})
	}
	for _, a := range m.GetAssignments() {
		s.assigned(a)
	}
	for _, x := range m.GetRevokes() {
		s.revoked(grantID(x.GetGrant()))
	}
	s.c.term(m.GetEpoch())
	s.c.learnKeys(m.GetKeys())
}

// tellGrants sends what has gathered of grants.
func (s *session) tellGrants() error {
	for {
		m, err := s.c.outbox.take()
		if m == nil || err != nil {
			return err
		}
		if err := s.stream.Send(m); err != nil {
			return err
		}
	}
}

// reportChange sends what cannot wait for the interval, if anything.
func (s *session) reportChange() error {
	if s.sent.IsZero() {
		s.r.sample()
		return s.report()
	}
	if err := s.tellDrain(); err != nil {
		return err
	}
	if !s.r.current().moved(s.last, s.r.State().Slots) {
		return nil
	}
	return s.report()
}

func (s *session) report() error {
	if err := s.tellDrain(); err != nil {
		return err
	}
	load := s.r.current()
	s.sent, s.last = time.Now(), load
	return s.stream.Send(&fairleadv1.AgentMessage{Report: load.proto()})
}

// tellDrain asks for the drain, once a session.
func (s *session) tellDrain() error {
	r := s.r
	r.mu.Lock()
	due := r.drain && !s.c.told
	r.mu.Unlock()
	if !due {
		return nil
	}
	if err := s.stream.Send(&fairleadv1.AgentMessage{Drain: true}); err != nil {
		return err
	}
	r.mu.Lock()
	s.c.told = true
	r.announce()
	r.mu.Unlock()
	return nil
}

// leave ends the stream in order, so that the controller need not take us for dead.
func (s *session) leave() error {
	if err := s.tellGrants(); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("leave: %w", err)
	}
	if err := s.stream.CloseSend(); err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	limit := time.NewTimer(farewell)
	defer limit.Stop()
	for {
		select {
		case m := <-s.words:
			s.hear(m)
		case <-s.lost:
			return nil
		case <-limit.C:
			return nil
		}
	}
}
