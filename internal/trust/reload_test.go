package trust

import (
	"os"
	"slices"
	"testing"
	"time"
)

// following is credentials whose clock and log a test has.
type following struct {
	*Credentials
	files Files
	now   *clock
	logs  *logs
}

func (a authority) follow(t *testing.T, role Role, name string) *following {
	t.Helper()
	f := &following{files: a.give(t, role, name), now: newClock(), logs: &logs{}}
	var err error
	if f.Credentials, err = load(f.files, f.logs.logger(), f.now.time); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestReload(t *testing.T) {
	ca := newAuthority(t)
	s := serve(t, ca.load(t, Controller, "c1").Server)
	p := ca.follow(t, Proxy, "p1")
	old := s.dial(t, p.Client(Controller))
	s.works(t, old, "proxy/p1")

	p.files.move(t, ca.give(t, Proxy, "p2"))
	s.works(t, s.dial(t, p.Client(Controller)), "proxy/p1") // it was looked at less than a second ago
	p.now.add(lookEach)
	s.works(t, s.dial(t, p.Client(Controller)), "proxy/p2")
	s.works(t, old, "proxy/p1")
	if _, n := old.dialed(); n != 1 {
		t.Errorf("the old client has connected %d times", n)
	}
	if got := p.Identity().String(); got != "proxy/p2" {
		t.Errorf("the identity is %s", got)
	}
	if p.logs.lines("new certificates are in use") != 1 {
		t.Errorf("the log says %s", &p.logs.text)
	}
}

// TestReloadBroken: whatever is wrong with new files, the old ones stay in use, and it is
// told once.
func TestReloadBroken(t *testing.T) {
	ca := newAuthority(t)
	other := ca.give(t, Proxy, "p2")
	for name, spoil := range map[string]func(f Files) error{
		"no key":       func(f Files) error { return os.Remove(f.Key) },
		"empty":        func(f Files) error { return os.Truncate(f.Cert, 0) },
		"half written": func(f Files) error { return os.Truncate(f.CA, 100) },
		"other key":    func(f Files) error { return copyFile(other.Key, f.Key) },
		"other role":   func(f Files) error { return copyPair(ca.give(t, Operator, "o"), f) },
		"other CA":     func(f Files) error { return copyPair(newAuthority(t).give(t, Proxy, "p1"), f) },
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, ca.load(t, Controller, "c1").Server)
			p := ca.follow(t, Proxy, "p1")
			if err := spoil(p.files); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				p.now.add(lookEach)
				s.works(t, s.dial(t, p.Client(Controller)), "proxy/p1")
			}
			if n := p.logs.lines("not good"); n != 1 {
				t.Errorf("it is told %d times: %s", n, &p.logs.text)
			}
			p.files.move(t, ca.give(t, Proxy, "p3"))
			p.now.add(lookEach)
			s.works(t, s.dial(t, p.Client(Controller)), "proxy/p3")
		})
	}
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

func copyPair(from, to Files) error {
	if err := copyFile(from.Cert, to.Cert); err != nil {
		return err
	}
	return copyFile(from.Key, to.Key)
}

// TestReloadEarly: a certificate that is not valid yet is taken when it is, though its
// file does not change again.
func TestReloadEarly(t *testing.T) {
	ca := newAuthority(t)
	p := ca.follow(t, Proxy, "p1")
	signer, key, err := issuer(ca.cert, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, secret, err := issue(signer, key, Identity{Proxy, "p2"}, nil, time.Now().Add(time.Hour), time.Now().Add(year))
	if err != nil {
		t.Fatal(err)
	}
	replace(t, p.files.Cert, cert)
	replace(t, p.files.Key, secret)
	for _, want := range []string{"proxy/p1", "proxy/p1", "proxy/p2"} {
		p.now.add(25 * time.Minute)
		if got := p.current().identity.String(); got != want {
			t.Errorf("it is %s, want %s: %s", got, want, &p.logs.text)
		}
		if n := p.logs.lines("not valid before"); n != 1 {
			t.Errorf("it is told %d times: %s", n, &p.logs.text)
		}
	}
}

// TestRotateCA replaces the CA of a fleet step by step, without a moment in which a peer
// is refused that should not be.
func TestRotateCA(t *testing.T) {
	first, second := newAuthority(t), newAuthority(t)
	both := slices.Concat(first.cert, second.cert)
	c, p := first.follow(t, Controller, "c1"), first.follow(t, Proxy, "p1")
	s := serve(t, c.Server)
	step := func(what string, f *following, change func(Files)) {
		t.Helper()
		change(f.files)
		f.now.add(lookEach)
		t.Log(what)
		s.works(t, s.dial(t, p.Client(Controller)), "proxy/p1")
	}
	trustBoth := func(f Files) { replace(t, f.CA, both) }
	trustSecond := func(f Files) { replace(t, f.CA, second.cert) }
	renew := func(role Role, name string) func(Files) {
		return func(f Files) {
			if err := copyPair(second.give(t, role, name), f); err != nil {
				t.Fatal(err)
			}
		}
	}
	step("the controller trusts both", c, trustBoth)
	step("the proxy trusts both", p, trustBoth)
	step("the proxy has one of the second", p, renew(Proxy, "p1"))
	step("the controller has one of the second", c, renew(Controller, "c1"))
	step("the controller trusts the second", c, trustSecond)
	step("the proxy trusts the second", p, trustSecond)

	late := first.follow(t, Proxy, "p2")
	trustBoth(late.files)
	late.now.add(lookEach)
	s.failsFor(t, late.Client(Controller), UnknownCA)
}

// TestExpiresWhileRunning: a certificate that was good at the start is refused later.
func TestExpiresWhileRunning(t *testing.T) {
	ca := newAuthority(t)
	c := ca.follow(t, Controller, "c1")
	s := serve(t, c.Server)
	p := ca.load(t, Proxy, "p1")
	s.works(t, s.dial(t, p.Client(Controller)), "proxy/p1")
	c.now.add(2 * year)
	s.failsFor(t, p.Client(Controller), Expired)
}
