package wire

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/config"
)

// TestTCPInTheTable: what the config says of TCP listeners and of PROXY protocol headers is
// what proxies are told.
func TestTCPInTheTable(t *testing.T) {
	t.Parallel()
	file := onePool(oneBackend, func(p *config.Pool) { p.SendProxy = config.SendProxyV2 })
	file.Listeners = append(file.Listeners, config.Listener{
		Name: "db", Address: "127.0.0.1:5432", Protocol: config.TCP, IdleTimeout: 90 * time.Second,
		AcceptProxyFrom: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")},
	})
	file.Routes = append(file.Routes, config.Route{Listener: "db", Host: "*.example.org", Path: "/", Pool: pool})
	table := newRig(t, file).connect("p", "1").first.GetTable()
	web, db := table.GetListeners()[0], table.GetListeners()[1]
	if web.GetIdleTimeoutMs() != 0 || len(web.GetAcceptProxyFrom()) > 0 {
		t.Errorf("proxies are told %v", web)
	}
	if db.GetIdleTimeoutMs() != 90_000 || !slices.Equal(db.GetAcceptProxyFrom(), []string{"10.0.0.0/8", "::1/128"}) {
		t.Errorf("proxies are told %v", db)
	}
	if r := table.GetRoutes()[1]; r.GetListener() != "db" || r.GetHost() != "*.example.org" {
		t.Errorf("proxies are told of the route %v", r)
	}
	if p := table.GetPools()[0]; p.GetSendProxy() != 2 {
		t.Errorf("proxies are told of the pool %v", p)
	}
}
