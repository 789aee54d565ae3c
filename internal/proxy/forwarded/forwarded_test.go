package forwarded_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/proxy/forwarded"
)

func networks(t testing.TB, texts ...string) forwarded.Trusted {
	t.Helper()
	all, err := forwarded.Networks(texts)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestClient(t *testing.T) {
	trusted := networks(t, "10.0.0.0/8", "2001:db8::/32", "192.0.2.1/32")
	for name, c := range map[string]struct {
		peer, said, want string // values are parted by |
	}{
		"nothing said":            {"10.0.0.1:5", "", "10.0.0.1:5"},
		"one":                     {"10.0.0.1:5", "203.0.113.7", "203.0.113.7:0"},
		"the client's own word":   {"10.0.0.1:5", "1.1.1.1, 203.0.113.7", "203.0.113.7:0"},
		"through two":             {"10.0.0.1:5", "1.1.1.1, 203.0.113.7, 10.0.0.2", "203.0.113.7:0"},
		"in two fields":           {"10.0.0.1:5", "1.1.1.1, 203.0.113.7|10.0.0.2", "203.0.113.7:0"},
		"who lies is trusted":     {"10.0.0.1:5", "10.0.0.9, 203.0.113.7, 10.0.0.2", "203.0.113.7:0"},
		"all trusted":             {"10.0.0.1:5", "10.0.0.3,10.0.0.2", "10.0.0.3:0"},
		"with a port":             {"10.0.0.1:5", "203.0.113.7:4711", "203.0.113.7:4711"},
		"IPv6":                    {"[2001:db8::1]:5", "2001:db9::7", "[2001:db9::7]:0"},
		"IPv6 in brackets":        {"10.0.0.1:5", "[2001:db9::7]", "[2001:db9::7]:0"},
		"IPv6 with a port":        {"10.0.0.1:5", "[2001:db9::7]:4711", "[2001:db9::7]:4711"},
		"IPv4 within IPv6":        {"[::ffff:10.0.0.1]:5", "::ffff:203.0.113.7", "203.0.113.7:0"},
		"trusted within IPv6":     {"10.0.0.1:5", "203.0.113.7, ::ffff:10.1.1.1", "203.0.113.7:0"},
		"nonsense":                {"10.0.0.1:5", "203.0.113.7, unknown", "10.0.0.1:5"},
		"nonsense beyond":         {"10.0.0.1:5", "203.0.113.7, _x, 10.0.0.2", "10.0.0.2:0"},
		"nonsense at the left":    {"10.0.0.1:5", "<script>, 203.0.113.7, 10.0.0.2", "203.0.113.7:0"},
		"an empty one":            {"10.0.0.1:5", "203.0.113.7,,10.0.0.2", "10.0.0.2:0"},
		"an empty field":          {"10.0.0.1:5", "203.0.113.7|", "10.0.0.1:5"},
		"a zone":                  {"10.0.0.1:5", "203.0.113.7, fe80::1%eth0", "10.0.0.1:5"},
		"no address":              {"10.0.0.1:5", "203.0.113.7, 0.0.0.0", "10.0.0.1:5"},
		"brackets about IPv4":     {"10.0.0.1:5", "[203.0.113.7]", "10.0.0.1:5"},
		"a peer without trust":    {"203.0.113.1:5", "10.0.0.2", "203.0.113.1:5"},
		"blanks":                  {"10.0.0.1:5", " \t203.0.113.7\t ,  10.0.0.2 ", "203.0.113.7:0"},
		"more than there can be":  {"10.0.0.1:5", "203.0.113.7" + strings.Repeat(",10.0.0.2", 200), "10.0.0.2:0"},
		"an address with a slash": {"10.0.0.1:5", "203.0.113.0/24", "10.0.0.1:5"},
	} {
		var values []string
		if c.said != "" {
			values = strings.Split(c.said, "|")
		}
		peer := netip.MustParseAddrPort(c.peer)
		peer = netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())
		if got := trusted.Client(peer, values); got.String() != c.want {
			t.Errorf("%s: of %q by %s it is %s, want %s", name, c.said, c.peer, got, c.want)
		}
	}
	if _, err := forwarded.Networks([]string{"everybody"}); err == nil {
		t.Error("a word is taken for a network")
	}
}

// FuzzClient: whatever is said, the client is the peer, or an address that was said and that
// only trusted ones stand right of.
func FuzzClient(f *testing.F) {
	for _, s := range []string{"", "203.0.113.7", "a,10.0.0.2", "[::1]:5,10.0.0.1", "1.2.3.4:5, 10.9.9.9|10.0.0.1,,"} {
		f.Add(s)
	}
	trusted := networks(f, "10.0.0.0/8")
	peer := netip.MustParseAddrPort("10.0.0.1:5")
	f.Fuzz(func(t *testing.T, said string) {
		client := trusted.Client(peer, strings.Split(said, "|"))
		if client == peer {
			return
		}
		entries := strings.Split(strings.ReplaceAll(said, "|", ","), ",")
		for i := len(entries) - 1; i >= 0; i-- {
			text := strings.Trim(entries[i], " \t")
			if strings.Contains(text, client.Addr().String()) || strings.HasPrefix(text, "[") || strings.Contains(text, ":") {
				return // it, or one of many ways to write it
			}
			a, err := netip.ParseAddr(text)
			if err != nil || !trusted.Has(a) {
				t.Fatalf("of %q it is %s, left of %q", said, client, text)
			}
		}
		t.Fatalf("of %q it is %s, which was not said", said, client)
	})
}
