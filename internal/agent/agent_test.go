package agent

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/sdk/backend"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second // for an event that has to come

type stream = grpc.BidiStreamingServer[fairleadv1.AgentMessage, fairleadv1.BackendMessage]

// controller is a stand-in: each session gets a welcome, and then what serve does.
type controller struct {
	fairleadv1.UnimplementedAgentsServer
	serve func(*fairleadv1.AgentHello, stream) error
	keys  *fairleadv1.Keys // come with the welcome
}

func (c *controller) Session(s stream) error {
	hello, err := s.Recv()
	if err != nil {
		return err
	}
	if err := s.Send(&fairleadv1.BackendMessage{
		Welcome: &fairleadv1.BackendWelcome{Version: 1, Epoch: 7}, Keys: c.keys,
	}); err != nil {
		return err
	}
	return c.serve(hello.GetHello(), s)
}

func serve(t *testing.T, c *controller) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	fairleadv1.RegisterAgentsServer(server, c)
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Stop(); <-served })
	return listener.Addr().String()
}

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

// fixed is a Sampler that knows one load.
type fixed struct {
	load backend.Load
	err  error
}

func (f fixed) Sample() (backend.Load, error) { return f.load, f.err }

func run(t *testing.T, cfg Config) (cancel func(), result chan error) {
	t.Helper()
	cfg.Pool, cfg.Address, cfg.Slots = "render", "10.0.0.1:9101", 4
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	result = make(chan error, 1)
	go func() { result <- a.Run(ctx) }()
	return cancel, result
}

func TestReportsThenDrainsThenLeaves(t *testing.T) {
	said := make(chan string, 64)
	address := serve(t, &controller{serve: func(hello *fairleadv1.AgentHello, s stream) error {
		said <- hello.GetAddress()
		for {
			m, err := s.Recv()
			switch {
			case err != nil:
				said <- "left"
				return nil
			case m.GetReport() != nil && m.GetReport().GetCpuUtilization() == 0.25:
				said <- "report"
			case m.GetDrain():
				said <- "drain"
				state := &fairleadv1.BackendState{Slots: 4, Draining: true, Drained: true}
				if err := s.Send(&fairleadv1.BackendMessage{State: state}); err != nil {
					return err
				}
			}
		}
	}})
	cancel, result := run(t, Config{Controller: address, Sampler: fixed{load: backend.Load{CPU: 0.25}}})
	for _, want := range []string{"10.0.0.1:9101", "report"} {
		if got := await(t, want, said); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	cancel()
	for want := "drain"; want != ""; {
		switch got := await(t, want, said); {
		case got == "report":
		case got != want:
			t.Fatalf("got %s, want %s", got, want)
		case want == "drain":
			want = "left"
		default:
			want = ""
		}
	}
	if err := await(t, "the end of Run", result); err != nil {
		t.Error(err)
	}
}

func TestTheDrainIsBounded(t *testing.T) {
	joined := make(chan struct{}, 1)
	address := serve(t, &controller{serve: func(_ *fairleadv1.AgentHello, s stream) error {
		for {
			m, err := s.Recv()
			if err != nil {
				return nil
			}
			if m.GetReport() != nil {
				select {
				case joined <- struct{}{}:
				default:
				}
			}
		}
	}})
	cancel, result := run(t, Config{Controller: address, Sampler: fixed{}, DrainTimeout: 50 * time.Millisecond})
	await(t, "a report", joined)
	cancel()
	if err := await(t, "the end of Run", result); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run: %v, want that requests are in flight", err)
	}
}

// TestDoesNotWaitForAControllerThatIsAway: everything was once told to stop at the same
// time, and agents waited out their drain for a controller that was gone.
func TestDoesNotWaitForAControllerThatIsAway(t *testing.T) {
	var gone atomic.Bool
	joined := make(chan struct{}, 100)
	address := serve(t, &controller{serve: func(_ *fairleadv1.AgentHello, s stream) error {
		for !gone.Load() {
			m, err := s.Recv()
			if err != nil {
				return nil
			}
			if m.GetDrain() {
				gone.Store(true)
			}
			joined <- struct{}{}
		}
		return status.Error(codes.Unavailable, "the controller is stopping")
	}})
	cancel, result := run(t, Config{
		Controller: address, Sampler: fixed{}, DrainTimeout: time.Hour, AwayTimeout: 50 * time.Millisecond,
	})
	await(t, "a report", joined)
	cancel()
	if err := await(t, "the end of Run", result); !errors.Is(err, errAlone) {
		t.Errorf("Run: %v, want %v", err, errAlone)
	}
}

func TestLeavesAtOnceWithoutAController(t *testing.T) {
	cancel, result := run(t, Config{Controller: "127.0.0.1:1", Sampler: fixed{}, DrainTimeout: time.Hour})
	cancel()
	if err := await(t, "the end of Run", result); err != nil {
		t.Error(err)
	}
}

func TestARejectionEndsRun(t *testing.T) {
	address := serve(t, &controller{serve: func(*fairleadv1.AgentHello, stream) error {
		return status.Error(codes.NotFound, "there is no pool render")
	}})
	_, result := run(t, Config{Controller: address, Sampler: fixed{}})
	err := await(t, "the end of Run", result)
	var rejected *backend.RejectedError
	if !errors.As(err, &rejected) || !strings.Contains(err.Error(), "there is no pool render") {
		t.Errorf("Run: %v", err)
	}
}

func TestWhatCannotBeMeasuredIsSaidOnce(t *testing.T) {
	var log bytes.Buffer
	a, err := New(Config{
		Controller: "127.0.0.1:7400", Pool: "render", Address: "10.0.0.1:9101",
		Sampler: fixed{load: backend.Load{Memory: 0.5}, err: errors.New("no CPU here")},
		Logger:  slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got := a.sample(); got.Memory != 0.5 {
			t.Errorf("sample %v", got)
		}
	}
	if got := strings.Count(log.String(), "no CPU here"); got != 1 {
		t.Errorf("said %d times:\n%s", got, log.String())
	}
}

func TestNewChecksTheConfig(t *testing.T) {
	if _, err := New(Config{Controller: "127.0.0.1:7400", Pool: "render"}); err == nil {
		t.Error("no address, and no error")
	}
	cfg := Config{Controller: "127.0.0.1:7400", Pool: "render", Address: "10.0.0.1:9101", DrainTimeout: -1}
	if _, err := New(cfg); err == nil {
		t.Error("a negative drain timeout, and no error")
	}
}
