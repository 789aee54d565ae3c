package route

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

func pool(name string) *link.Pool { return &link.Pool{Name: fleet.PoolName(name)} }

func name(p *link.Pool) string {
	if p == nil {
		return "-"
	}
	return string(p.Name)
}

// example has one rule a kind, each with a pool named after itself.
func example() []Rule {
	var rules []Rule
	for _, r := range []string{
		"*/", "*/api", "*/api/v1/", "example.org/", "Example.NET:8080/shop",
		"*.example.org/", "*.deep.example.org/api", "[2001:db8::1]/", "127.0.0.1/local",
	} {
		at := strings.IndexByte(r, '/')
		rules = append(rules, Rule{Host: r[:at], Path: r[at:], Pool: pool(r)})
	}
	return rules
}

func TestMatch(t *testing.T) {
	table := New(example())
	for _, c := range []struct{ host, path, want string }{
		{"other", "/", "*/"},
		{"other", "", "*/"},
		{"other", "*", "*/"},
		{"", "/x", "*/"},
		{"other", "/api", "*/api"},
		{"other", "/api/", "*/api"},
		{"other", "/api/x", "*/api"},
		{"other", "/apix", "*/"},
		{"other", "/api/v1", "*/api/v1/"},
		{"other", "/api/v1/", "*/api/v1/"},
		{"other", "/api/v12", "*/api"},
		{"other", "/api/v1/x/y/z", "*/api/v1/"},
		{"example.org", "/api", "example.org/"},
		{"EXAMPLE.org.:443", "/", "example.org/"},
		{"example.net", "/shop/1", "Example.NET:8080/shop"},
		{"example.net", "/", "*/"},
		{"a.example.org", "/", "*.example.org/"},
		{"a.b.EXAMPLE.ORG", "/", "*.example.org/"},
		{"a.deep.example.org", "/api/1", "*.deep.example.org/api"},
		{"a.deep.example.org", "/", "*.example.org/"},
		{"deep.example.org", "/api", "*.example.org/"},
		{"badexample.org", "/", "*/"},
		{".example.org", "/", "*.example.org/"},
		{"[2001:db8::1]:80", "/", "[2001:db8::1]/"},
		{"[2001:db8::1]", "/", "[2001:db8::1]/"},
		{"127.0.0.1:8080", "/local", "127.0.0.1/local"},
		{"other", "//api", "*/"},
	} {
		if got := name(table.Match(c.host, c.path)); got != c.want {
			t.Errorf("%q %q: %s, want %s", c.host, c.path, got, c.want)
		}
	}
}

func TestNoMatch(t *testing.T) {
	for _, table := range []*Table{
		New(nil),
		New([]Rule{{Host: "*", Path: "/", Pool: nil}}),
		New([]Rule{{Host: "a", Path: "/b", Pool: pool("b")}}),
	} {
		if p := table.Match("a", "/"); p != nil {
			t.Errorf("matched %s", p.Name)
		}
	}
}

func TestFirstOfTwoWins(t *testing.T) {
	table := New([]Rule{{"h", "/a", pool("1")}, {"H.", "/a/", pool("2")}})
	if got := name(table.Match("h", "/a")); got != "1" {
		t.Errorf("matched %s", got)
	}
}

// oracle looks at each rule in turn and keeps the best of those that hold the request.
func oracle(rules []Rule, host, path string) *link.Pool {
	host = strings.ToLower(bare(host))
	var best *link.Pool
	bestHost, bestPath := -1, -1
	for _, r := range rules {
		rank, want := -1, strings.ToLower(r.Host)
		switch suffix, wild := strings.CutPrefix(want, "*"); {
		case want == "*":
			rank = 0
		case wild && strings.HasSuffix(host, suffix):
			rank = len(suffix)
		case bare(want) == host:
			rank = 1 << 30
		}
		prefix := strings.TrimRight(r.Path, "/")
		holds := path == prefix || strings.HasPrefix(path, prefix+"/") || prefix == ""
		if rank < 0 || !holds {
			continue
		}
		if rank > bestHost || rank == bestHost && len(prefix) > bestPath {
			best, bestHost, bestPath = r.Pool, rank, len(prefix)
		}
	}
	return best
}

func TestAgainstOracle(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	word := func(letters string, sep string, most int) string {
		var parts []string
		for range rnd.IntN(most + 1) {
			parts = append(parts, string(letters[rnd.IntN(len(letters))]))
		}
		return strings.Join(parts, sep)
	}
	for round := range 3000 {
		var rules []Rule
		for i := range rnd.IntN(12) {
			host := word("ab", ".", 3)
			switch rnd.IntN(4) {
			case 0:
				host = "*"
			case 1:
				host = "*.a" + word("ab", ".", 2)
			}
			rules = append(rules, Rule{host, "/" + word("xyz", "/", 3), pool(fmt.Sprint(i))})
		}
		table := New(rules)
		for range 20 {
			host, path := word("aAbB", ".", 4), "/"+word("xyz/", "/", 4)
			if got, want := table.Match(host, path), oracle(rules, host, path); got != want {
				t.Fatalf("round %d: %q %q: %s, want %s, of %+v", round, host, path, name(got), name(want), rules)
			}
		}
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	table := New(example())
	if n := testing.AllocsPerRun(100, func() {
		table.Match("a.b.example.org:8080", "/api/v1/x/y/z")
		table.Match("[2001:db8::1]:80", "/")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzMatch(f *testing.F) {
	for _, r := range example() {
		f.Add(r.Host, r.Path, r.Host, r.Path)
	}
	f.Add("*.a", "/", strings.Repeat("a.", 40)+"a", strings.Repeat("/", 40))
	f.Fuzz(func(t *testing.T, ruleHost, rulePath, host, path string) {
		table := New([]Rule{{ruleHost, rulePath, pool("rule")}, {"*", "/", pool("any")}})
		if table.Match(host, path) == nil {
			t.Fatal("the rule for everything did not match")
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	rules := example()
	for i := range 1000 {
		rules = append(rules, Rule{fmt.Sprintf("h%d.example.com", i), "/api", pool("many")})
	}
	table := New(rules)
	for _, c := range []struct{ kind, host, path string }{
		{"exact", "h500.example.com", "/api/v1/render"},
		{"suffix", "a.b.c.example.org:8080", "/api/v1/render"},
		{"any", "elsewhere", "/static/js/app.js"},
		{"hostile", strings.Repeat("a.", 20000), strings.Repeat("/", 20000)},
	} {
		b.Run(c.kind, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				table.Match(c.host, c.path)
			}
		})
	}
}
