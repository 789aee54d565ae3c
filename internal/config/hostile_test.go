package config_test

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

// TestHostile feeds files on which the YAML parser alone takes time by the square of
// their size, or fills the stack. They must be turned away before it sees them, which
// the error tells; a clock would tell it less surely.
func TestHostile(t *testing.T) {
	const (
		deep, wide, holes = "nested more than 32 levels deep", "a section of more than 64 keys", "more than 1000 keys or items without a value"
		alien, second     = "not supported", "a second document begins"
	)
	for unit, want := range map[string]string{
		"[": deep, "{a: ": deep, "- ": deep,
		"a: 1\n": wide, "a:\n": wide, "\"a\": 1\n": wide, "a: 1\n b: 1\n": wide,
		"- a:\n": holes, "-\n": holes, "- a:\n  b: 1\n": holes,
		"? ": alien, "? a\n": alien, "!a ": alien, "! ": alien, "&a ": alien, "- *a\n": alien,
		"a: 1\n---\n": second,
	} {
		turnedAway(t, strings.Repeat(unit, 1500), want)
	}
	for unit, want := range map[string]string{
		",": holes, "{a},": holes, "a: ,": holes, "{a: },": holes, "*a,": alien,
	} {
		turnedAway(t, "["+strings.Repeat(unit, 1500)+"]", want)
		turnedAway(t, "pools: ["+strings.Repeat(unit, 1500), want)
	}
	turnedAway(t, "{"+strings.Repeat("a,", 1500)+"}", holes)
	turnedAway(t, "{"+strings.Repeat("a: b,", 1500)+"}", wide)
	var stairs strings.Builder
	for i := range 100 {
		stairs.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	turnedAway(t, stairs.String(), deep)
}

func turnedAway(t *testing.T, text, want string) {
	t.Helper()
	if _, err := config.Parse(file, []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%q and so on: got %.300v, want an error that says %q", text[:min(20, len(text))], err, want)
	}
}

// TestLarge holds the bounds on a file's shape against a fleet that somebody may have.
func TestLarge(t *testing.T) {
	var b strings.Builder
	b.WriteString("pools:\n")
	for p := range 200 {
		fmt.Fprintf(&b, "  - name: pool-%d\n    slots: 4\n    backends:\n", p)
		for i := range 100 {
			fmt.Fprintf(&b, "      - address: 10.0.%d.%d:9000\n        zone: z%d\n        slots: 2\n", p, i, i%3)
		}
	}
	c, err := config.Parse(file, []byte(b.String()))
	if err != nil || len(c.Pools) != 200 || len(c.Pools[199].Backends) != 100 {
		t.Fatalf("%.500v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(example))
	f.Add([]byte(secure))
	f.Add([]byte(classified))
	for _, c := range slices.Concat(syntaxCases, shapeCases, valueCases, joinCases, reachCases, classifyCases, decideCases) {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse(file, data)
		if err == nil {
			checkGood(t, c)
			return
		}
		errs, ok := err.(config.Errors)
		if !ok || len(errs) == 0 || c != nil {
			t.Fatalf("config %v with error %T %v", c, err, err)
		}
		for i, e := range errs {
			if e.File != file || e.Line < 1 || e.Column < 1 || e.Problem == "" || e.Fix == "" {
				t.Errorf("not told in full: %#v", e)
			}
			if i > 0 && (e.Line < errs[i-1].Line || e.Line == errs[i-1].Line && e.Column < errs[i-1].Column) {
				t.Errorf("out of order: %v", errs)
			}
		}
	})
}

// checkGood holds what the rest of Fairlead takes for granted.
func checkGood(t *testing.T, c *config.Config) {
	pools := map[string]bool{}
	for _, p := range c.Pools {
		pools[string(p.Name)] = true
		if p.Name == "" || (p.Slots < 1) == (p.Workers < 1) || p.Learn && p.Workers < 1 || p.Queue.Timeout <= 0 || p.ConnectTimeout <= 0 || !p.Agents && len(p.Backends) == 0 {
			t.Errorf("pool %+v", p)
		}
		for _, b := range p.Backends {
			if fleet.CheckLabels(b.Labels) != nil || !(b.Weight >= 0) || b.Workers < 0 {
				t.Errorf("backend %+v", b)
			}
			if again, err := config.BackendAddress(b.Address); err != nil || again != b.Address || b.Slots < 0 {
				t.Errorf("backend %+v: %q, %v", b, again, err)
			}
			if b.Public != "" {
				checkPublic(t, b.Public)
			}
		}
		if p.Link == config.Direct && !p.Tickets || p.TicketLife < time.Second || p.AssignTimeout <= 0 {
			t.Errorf("pool %+v", p)
		}
	}
	checkReach(t, c)
	checkClassified(t, c)
	for _, r := range c.Routes {
		if !pools[string(r.Pool)] || r.Host == "" || !strings.HasPrefix(r.Path, "/") {
			t.Errorf("route %+v", r)
		}
	}
}

// checkClassified holds what proxies and the pools' minds take for granted.
func checkClassified(t *testing.T, c *config.Config) {
	for _, p := range c.Pools {
		for flow, weight := range p.FlowWeights {
			if flow == "" || !(weight > 0) {
				t.Errorf("flow %q weighs %v", flow, weight)
			}
		}
		for _, k := range []config.Key{p.Flow, p.Affinity} {
			if named := k.By == config.ByHeader || k.By == config.ByCookie || k.By == config.ByClaim; named != (k.Name != "") {
				t.Errorf("key %+v", k)
			}
		}
		if e := p.Eject; e.Errors < 0 || e.Errors > 0 && (e.For <= 0 || !(e.Most > 0 && e.Most <= 1)) {
			t.Errorf("eject %+v", e)
		}
		if b := p.RetryBudget; !(b.Ratio >= 0 && b.Least >= 0 && b.Ratio+b.Least > 0) {
			t.Errorf("retry budget %+v", b)
		}
	}
	for _, r := range c.Routes {
		if fleet.CheckLabels(r.Labels) != nil || r.Class >= fleet.Classes {
			t.Errorf("route %+v", r)
		}
	}
}

// checkReach holds what is taken for granted of certificates, clients and zones.
func checkReach(t *testing.T, c *config.Config) {
	if tls := c.Controller.TLS; (tls.Cert == "") != (tls.Key == "") || (tls.Key == "") != (tls.CA == "") || tls.Cert != "" && c.Controller.Insecure {
		t.Errorf("controller %+v", c.Controller)
	}
	if l := c.Locate; l.Domain == "" || l.Domain != strings.ToLower(l.Domain) || strings.HasSuffix(l.Domain, ".") || l.TTL < time.Second || l.TTL%time.Second != 0 {
		t.Errorf("locate %+v", l)
	}
	names, subnets := map[string]bool{}, map[netip.Prefix]bool{}
	for _, z := range c.Zones {
		if z.Name == "" || names[z.Name] || len(z.Subnets) == 0 {
			t.Errorf("zone %+v", z)
		}
		names[z.Name] = true
		for _, s := range z.Subnets {
			if !s.IsValid() || s != s.Masked() || s.Addr().Is4In6() || subnets[s] {
				t.Errorf("zone %+v: %v", z, s)
			}
			subnets[s] = true
		}
	}
	for _, note := range c.Notes() {
		if note == "" || strings.Contains(note, "\n") {
			t.Errorf("note %q", note)
		}
	}
}

// checkPublic holds a public address against what proxies make of it: the beginning of
// a URL in the head of an answer.
func checkPublic(t *testing.T, public string) {
	if again, err := config.PublicAddress(public); err != nil || again != public {
		t.Errorf("the public address %q is read again as %q, %v", public, again, err)
	}
	if !strings.Contains(public, "://") {
		public = "http://" + public
	}
	u, err := url.Parse(public)
	if err != nil || u.Hostname() == "" || u.Port() == "" || u.Scheme+"://"+u.Host != public {
		t.Errorf("the public address %q is no beginning of a URL: %+v, %v", public, u, err)
	}
}

// FuzzPublicAddress feeds what an agent may say.
func FuzzPublicAddress(f *testing.F) {
	for _, s := range []string{
		"a:1", "HTTPS://A.example.", "http://[2001:db8::1]", "http://b:", "[::ffff:10.0.0.1]:80",
		"[::1%a\r\nX: y]:80", "http://[fe80::1%25eth0]:80", "http://u@b:1", "http://b#", "//b:1", "0.0.0.0:1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, written string) {
		if public, err := config.PublicAddress(written); err == nil {
			checkPublic(t, public)
		}
	})
}
