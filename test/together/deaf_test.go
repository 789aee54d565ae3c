package together

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// TestDeafPeer: a proxy that asks and does not read once kept its session, and what it
// was answered kept memory, for as long as it liked.
func TestDeafPeer(t *testing.T) {
	f := start(t, "a")
	conn, err := grpc.NewClient("passthrough:///"+f.address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithInitialWindowSize(64<<10), grpc.WithStaticStreamWindowSize(64<<10), grpc.WithStaticConnWindowSize(64<<10))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, end := context.WithCancel(t.Context())
	st, err := fairleadv1.NewProxiesClient(conn).Session(ctx)
	if err != nil {
		t.Fatal(err)
	}
	hello := &fairleadv1.ProxyHello{Versions: &fairleadv1.Versions{Oldest: 1, Newest: 1}, Name: "deaf", Instance: "1"}
	if err := st.Send(&fairleadv1.ProxyMessage{Hello: hello}); err != nil {
		t.Fatal(err)
	}
	flooded := make(chan struct{})
	go func() {
		defer close(flooded)
		id := uint64(0)
		for err := error(nil); err == nil; {
			m := &fairleadv1.ProxyMessage{}
			for range 1000 {
				id++
				m.Asks = append(m.Asks, &fairleadv1.Ask{Id: id, Pool: 77}) // refused: no such pool
			}
			err = st.Send(m)
		}
	}()
	seen := false
	f.await(t, "the deaf proxy to come and be thrown out", func(s *fairleadv1.Snapshot) bool {
		for _, p := range s.GetProxies() {
			seen = seen || p.GetConnected()
			return seen && !p.GetConnected()
		}
		return false
	})
	end()
	<-flooded
	// Others do not notice.
	ask(t, f.join(t, "p1"), "a").Done(link.Result{Outcome: fleet.OK})
}
