package wire

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
)

// TestBackendsInTheTable: what the config says of TLS to backends, of trusted networks and of
// tunnels is what proxies are told.
func TestBackendsInTheTable(t *testing.T) {
	t.Parallel()
	file := onePool(oneBackend, func(p *config.Pool) {
		p.TLS = &config.BackendTLS{CA: "ca.pem", ServerName: "render.test", Cert: "a", Key: "b", InsecureSkipVerify: true}
	})
	file.Listeners[0].Trusted = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	file.Listeners[0].Timeouts.Tunnel = -1
	table := newRig(t, file).connect("p", "1").first.GetTable()
	want := &fairleadv1.BackendTLS{Ca: "ca.pem", ServerName: "render.test", Cert: "a", Key: "b", InsecureSkipVerify: true}
	if got := table.GetPools()[0].GetTls(); !proto.Equal(got, want) {
		t.Errorf("proxies are told %v, want %v", got, want)
	}
	web := table.GetListeners()[0]
	if !slices.Equal(web.GetTrusted(), []string{"10.0.0.0/8"}) {
		t.Errorf("proxies are told to trust %v", web.GetTrusted())
	}
	if waits := web.GetTimeouts(); waits == nil || waits.TunnelMs == nil || waits.GetTunnelMs() != 0 {
		t.Errorf("proxies are told %v, want a tunnel of any time", waits)
	}
	file = onePool(oneBackend)
	file.Listeners[0].Timeouts.Tunnel = time.Minute
	table = newRig(t, file).connect("p", "1").first.GetTable()
	if got := table.GetListeners()[0].GetTimeouts().GetTunnelMs(); got != 60_000 || table.GetPools()[0].GetTls() != nil {
		t.Errorf("proxies are told %d, and %v", got, table.GetPools()[0])
	}
}
