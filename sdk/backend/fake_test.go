package backend

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/ticket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds how long a test awaits an event that has to come.
const patience = 20 * time.Second

// controller is a stand-in for the real one. It welcomes, answers each report, and leaves
// the rest to the test.
type controller struct {
	fairleadv1.UnimplementedAgentsServer
	// refuse, if set, is asked before the welcome.
	refuse func(*fairleadv1.AgentHello) error
	// early, if set, comes in one message with the welcome.
	early *fairleadv1.BackendState
	// version is that of the welcome, as is epoch.
	version  uint32
	epoch    uint64
	keyring  *ticket.Keyring // its keys come with the welcome; nil: none
	sessions chan *conversation
}

// conversation is one session at the controller.
type conversation struct {
	hello    *fairleadv1.AgentMessage
	messages chan *fairleadv1.AgentMessage // what came after the hello
	finish   chan error                    // what is put here ends the stream
	gone     chan struct{}                 // closed when the agent has left

	mu     sync.Mutex // guards sending, and what is below
	stream grpc.BidiStreamingServer[fairleadv1.AgentMessage, fairleadv1.BackendMessage]
	mute   bool // answer no report
}

func newController() *controller {
	return &controller{
		version: 1, epoch: 7, keyring: ticket.NewKeyring(time.Now()), sessions: make(chan *conversation, 64),
	}
}

func (c *controller) Session(stream grpc.BidiStreamingServer[fairleadv1.AgentMessage, fairleadv1.BackendMessage]) error {
	hello, err := stream.Recv()
	if err != nil {
		return err
	}
	if c.refuse != nil {
		if err := c.refuse(hello.GetHello()); err != nil {
			return err
		}
	}
	talk := &conversation{
		hello: hello, stream: stream,
		messages: make(chan *fairleadv1.AgentMessage, 4096),
		finish:   make(chan error, 1), gone: make(chan struct{}),
	}
	talk.say(&fairleadv1.BackendMessage{
		Welcome: &fairleadv1.BackendWelcome{Version: c.version, Epoch: c.epoch}, State: c.early, Keys: c.keys(),
	})
	c.sessions <- talk
	go talk.listen()
	select {
	case err := <-talk.finish:
		return err
	case <-talk.gone:
		return nil
	}
}

func (c *conversation) listen() {
	defer close(c.gone)
	for {
		m, err := c.stream.Recv()
		if err != nil {
			return
		}
		c.messages <- m
		c.mu.Lock()
		mute := c.mute
		c.mu.Unlock()
		if m.Report != nil && !mute {
			c.say(&fairleadv1.BackendMessage{})
		}
	}
}

func (c *conversation) say(m *fairleadv1.BackendMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.stream.Send(m) // the agent may be gone
}

func (c *conversation) state(slots uint32, draining, drained bool) {
	c.say(&fairleadv1.BackendMessage{State: &fairleadv1.BackendState{
		Slots: slots, Draining: draining, Drained: drained,
	}})
}

func (c *conversation) silence() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mute = true
}

func (c *controller) keys() *fairleadv1.Keys {
	if c.keyring == nil {
		return nil
	}
	m := &fairleadv1.Keys{}
	for _, k := range c.keyring.Public() {
		m.Keys = append(m.Keys, &fairleadv1.Key{Id: k.ID, Public: k.Public})
	}
	return m
}

// ticket signs a ticket for the backend of config.
func (c *controller) ticket(t testing.TB, number uint64) string {
	t.Helper()
	return sign(t, c.keyring, fleet.GrantID{Epoch: c.epoch, Number: number})
}

func sign(t testing.TB, k *ticket.Keyring, g fleet.GrantID) string {
	t.Helper()
	text, err := k.Sign(time.Now(), "render", "10.0.0.1:9101", g, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func grantOf(number uint64) *fairleadv1.GrantID {
	return &fairleadv1.GrantID{Epoch: 7, Number: number}
}

func (c *conversation) revoke(number uint64) {
	c.say(&fairleadv1.BackendMessage{Revokes: []*fairleadv1.Revoke{{Grant: grantOf(number)}}})
}

// word returns the next message that is no report.
func (c *conversation) word(t *testing.T) *fairleadv1.AgentMessage {
	t.Helper()
	for {
		if m := await(t, "a word on grants", c.messages); m.Report == nil {
			return m
		}
	}
}

// words returns what came so far but reports.
func (c *conversation) words() (all []*fairleadv1.AgentMessage) {
	for {
		select {
		case m := <-c.messages:
			if m.Report == nil {
				all = append(all, m)
			}
		default:
			return all
		}
	}
}

// await returns what the channel gives, or fails the test.
func await[T any](t *testing.T, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("awaited in vain: %s", what)
		panic("unreachable")
	}
}

// report returns the next report, which is to be the next message.
func (c *conversation) report(t *testing.T) *fairleadv1.OrcaLoadReport {
	t.Helper()
	m := await(t, "a report", c.messages)
	if m.Report == nil {
		t.Fatalf("got %v instead of a report", m)
	}
	return m.Report
}

// memory is an in-memory network with a controller on it.
type memory struct {
	*controller
	listener *bufconn.Listener
}

func newMemory(t *testing.T) *memory {
	m := &memory{controller: newController(), listener: bufconn.Listen(1 << 16)}
	server := grpc.NewServer()
	fairleadv1.RegisterAgentsServer(server, m.controller)
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(m.listener) }()
	t.Cleanup(func() { server.Stop(); <-served })
	return m
}

func (m *memory) config() Config {
	return Config{
		Controller: "127.0.0.1:7400", Pool: "render", Address: "10.0.0.1:9101", Slots: 4, Zone: "a",
		DialOptions: []grpc.DialOption{grpc.WithContextDialer(
			func(ctx context.Context, _ string) (net.Conn, error) { return m.listener.DialContext(ctx) })},
	}
}

// start runs a Reporter until the test ends or stop is called, which returns its error.
func start(t *testing.T, cfg Config) (r *Reporter, stop func() error) {
	t.Helper()
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- r.Run(ctx) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return await(t, "the end of Run", result)
	})
	t.Cleanup(func() { _ = stop() })
	return r, stop
}
