//go:build unix

package grpc_test

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/fairlead/fairlead/internal/testproc"
)

// watched is a server whose streams last until their client is gone.
type watched struct {
	health.UnimplementedHealthServer
	begun    chan time.Duration // of each stream: until its deadline, 0 if it has none
	ended    chan error         // and why it ended
	released chan struct{}
}

// Watch implements health.HealthServer. It answers those that ask for "answer".
func (w *watched) Watch(r *health.HealthCheckRequest, s grpc.ServerStreamingServer[health.HealthCheckResponse]) error {
	if r.GetService() == "answer" {
		if err := s.Send(&health.HealthCheckResponse{Status: health.HealthCheckResponse_SERVING}); err != nil {
			return err
		}
	}
	left := time.Duration(0)
	if at, ok := s.Context().Deadline(); ok {
		left = time.Until(at)
	}
	w.begun <- left
	select {
	case <-s.Context().Done():
		w.ended <- s.Context().Err()
	case <-w.released:
	}
	return nil
}

// Check implements health.HealthServer.
func (w *watched) Check(context.Context, *health.HealthCheckRequest) (*health.HealthCheckResponse, error) {
	return &health.HealthCheckResponse{Status: health.HealthCheckResponse_SERVING}, nil
}

func serveWatched(t *testing.T) (w *watched, address string) {
	t.Helper()
	w = &watched{begun: make(chan time.Duration, 8), ended: make(chan error, 8), released: make(chan struct{})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	health.RegisterHealthServer(s, w)
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	t.Cleanup(func() {
		close(w.released)
		s.Stop()
		if err := <-failed; err != nil {
			t.Error(err)
		}
	})
	return w, l.Addr().String()
}

// TestCancelReachesBackend: a call that its client gives up, or whose deadline passes, ends at
// the backend too, and its slot, the only one, serves the next call.
func TestCancelReachesBackend(t *testing.T) {
	w, backend := serveWatched(t)
	f := start(t, backend, 1)
	secure := credentials.NewTLS(&tls.Config{RootCAs: testproc.Trusts(t, f.cert), MinVersion: tls.VersionTLS12})
	for name, at := range map[string]struct {
		address string
		creds   credentials.TransportCredentials
	}{"plain text": {f.plain, insecure.NewCredentials()}, "TLS": {f.safe, secure}} {
		conn, err := grpc.NewClient("passthrough:///"+at.address, grpc.WithTransportCredentials(at.creds))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		client := health.NewHealthClient(conn)
		t.Run(name+"/cancelled before an answer", func(t *testing.T) { giveUp(t, f.Site, w, client, "", 0) })
		t.Run(name+"/cancelled after an answer", func(t *testing.T) { giveUp(t, f.Site, w, client, "answer", 0) })
		t.Run(name+"/deadline", func(t *testing.T) { giveUp(t, f.Site, w, client, "answer", time.Second) })
	}
}

// giveUp has a call end from the client's side: at its deadline if it has one, else by a cancel
// while the backend serves it.
func giveUp(t *testing.T, site *testproc.Site, w *watched, client health.HealthClient, service string, deadline time.Duration) {
	t.Helper()
	before := site.Quiet(t, "grpc")
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	want := codes.Canceled
	if deadline > 0 {
		cancel()
		ctx, cancel = context.WithTimeout(t.Context(), deadline)
		want = codes.DeadlineExceeded
	}
	defer cancel()
	stream, err := client.Watch(ctx, &health.HealthCheckRequest{Service: service})
	if err != nil {
		t.Fatal(err)
	}
	if service == "answer" {
		if _, err := stream.Recv(); err != nil {
			t.Fatalf("the first answer: %v", err)
		}
	}
	if left := receive(t, "the backend to have the call", w.begun); deadline > 0 && (left <= 0 || left > deadline) {
		t.Errorf("the backend has %v until the deadline, which was %v for the client", left, deadline)
	}
	if deadline == 0 {
		cancel()
	}
	if _, err := stream.Recv(); status.Code(err) != want {
		t.Errorf("the client's call ended with %v, want %v", err, want)
	}
	if err := receive(t, "the backend's call to end", w.ended); err == nil {
		t.Error("the backend's call ended, but not by its client")
	}
	if got := site.Took(t, "grpc", before, 1); got != 1 {
		t.Errorf("%d grants for a call", got)
	}
	next, done := context.WithTimeout(t.Context(), soon)
	defer done()
	if _, err := client.Check(next, &health.HealthCheckRequest{}); err != nil {
		t.Errorf("the next call: %v", err)
	}
}

func receive[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	limit := time.NewTimer(soon)
	defer limit.Stop()
	select {
	case v := <-from:
		return v
	case <-limit.C:
		t.Fatalf("waiting for %s: not within %v", what, soon)
		panic("unreachable")
	}
}
