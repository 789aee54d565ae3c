package config_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/config"
)

// believes is a file whose listener trusts these.
func believes(protocol, trusted string) string {
	return "listeners:\n  - {name: web, address: \":80\", protocol: " + protocol + ", trusted: " + trusted + "}\n" +
		"routes:\n  - {listener: web, pool: p}\npools:\n  - {name: p, slots: 1, agents: true}\n"
}

var trustedCases = []bad{
	{"nobody is trusted", believes("http", "[]"), `
2:58: listeners[0].trusted: is empty, so nobody would be believed; list the subnets of the proxies in front that speak HTTP, as in [10.0.0.0/24], or remove the key`},
	{"trusted over TCP", believes("tcp", "[10.0.0.0/8]"), `
2:57: listeners[0].trusted: has no meaning for a listener that speaks tcp; remove the key; accept_proxy tells clients' addresses over tcp`},
	{"trusted networks that are none", believes("http", "[10.0.0.1/8, x]"), `
2:59: listeners[0].trusted[0]: "10.0.0.1/8" has bits set beyond its length; write 10.0.0.0/8, or one address without a length
2:71: listeners[0].trusted[1]: must be a subnet, got "x"; write an address and a length, as in 10.0.0.0/16 or "2001:db8::/32", or one address`},
	{"trusted twice", believes("http", "[10.0.0.0/8, 10.0.0.0/8]"), `
2:71: listeners[0].trusted[1]: subnet "10.0.0.0/8" is given twice, first in line 2; rename or remove one of them`},
	{"too many trusted networks", believes("http", "["+strings.Repeat("10.0.0.1, ", 257)+"]"), `
2:58: listeners[0].trusted: has 257 subnets, at most 256 are possible; join some of them`},
}

// TestTunnel: what is not said, any time, and a time are three things.
func TestTunnel(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, ", timeouts: {tunnel: 0}": -1, ", timeouts: {tunnel: 48h}": 48 * time.Hour} {
		c, err := config.Parse(file, []byte(believes("http", "[10.0.0.0/8]"+text)))
		if err != nil || c.Listeners[0].Timeouts.Tunnel != want {
			t.Errorf("%q: %v, want %v", text, c, want)
		}
	}
}

func TestTrusted(t *testing.T) {
	c, err := config.Parse(file, []byte(believes("http", "[10.0.0.0/8, 192.0.2.1, \"::/0\"]")))
	if err != nil {
		t.Fatal(err)
	}
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("::/0")}
	if got := c.Listeners[0].Trusted; !slices.Equal(got, want) {
		t.Errorf("trusted: %v, want %v", got, want)
	}
	if notes := strings.Join(c.Notes(), "\n"); !strings.Contains(notes, "trusted: ::/0") || strings.Contains(notes, "10.0.0.0/8") {
		t.Errorf("notes: %s", notes)
	}
}
