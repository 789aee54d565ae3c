package wire

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// badVersions are those that no session comes of.
var badVersions = []struct {
	name     string
	versions *fairleadv1.Versions
	code     codes.Code
	words    []string
}{
	{"too new", &fairleadv1.Versions{Oldest: 7, Newest: 9}, codes.FailedPrecondition,
		[]string{"no version in common", "7 to 9", "1 to 1", "same release"}},
	{"too old", &fairleadv1.Versions{}, codes.FailedPrecondition, []string{"no version in common", "0 to 0", "1 to 1"}},
	{"none", nil, codes.InvalidArgument, []string{"names no versions"}},
	{"inverted", &fairleadv1.Versions{Oldest: 2, Newest: 1}, codes.InvalidArgument, []string{"2 to 1", "the oldest comes first"}},
}

func TestVersions(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	for _, c := range badVersions {
		t.Run("proxy "+c.name, func(t *testing.T) {
			m := hello("p", "1")
			m.Hello.Versions = c.versions
			p := r.call()
			p.say(m)
			says(t, p.end(), c.code, c.words...)
		})
		t.Run("agent "+c.name, func(t *testing.T) {
			m := join(b1)
			m.Hello.Versions = c.versions
			a := r.callAgent()
			a.say(m)
			says(t, a.end(), c.code, c.words...)
		})
	}
	m := hello("p", "1")
	m.Hello.Versions = &fairleadv1.Versions{Oldest: 0, Newest: 4}
	p := r.call()
	p.say(m)
	if w := p.next().GetWelcome(); w.GetVersion() != 1 {
		t.Errorf("a proxy that speaks 0 to 4 is welcomed with version %d, want 1", w.GetVersion())
	}
}

func TestFirstMessage(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	change := func(f func(*fairleadv1.ProxyHello)) *fairleadv1.ProxyMessage {
		m := hello("p", "1")
		f(m.Hello)
		return m
	}
	with := func(m *fairleadv1.ProxyMessage) *fairleadv1.ProxyMessage {
		m.Hello = hello("p", "1").Hello
		return m
	}
	const only = "the first message is a hello, and nothing but a hello"
	for _, c := range []struct {
		name, words string
		m           *fairleadv1.ProxyMessage
	}{
		{"empty", only, &fairleadv1.ProxyMessage{}},
		{"asks", only, &fairleadv1.ProxyMessage{Asks: []*fairleadv1.Ask{{Id: 1, Pool: 1}}}},
		{"hello and asks", only, with(&fairleadv1.ProxyMessage{Asks: []*fairleadv1.Ask{{Id: 1, Pool: 1}}})},
		{"hello and dones", only, with(&fairleadv1.ProxyMessage{Dones: []*fairleadv1.Done{{}}})},
		{"hello and withdrawals", only, with(&fairleadv1.ProxyMessage{Withdrawals: []*fairleadv1.Withdrawal{{}}})},
		{"hello and status", only, with(&fairleadv1.ProxyMessage{Status: &fairleadv1.ProxyStatus{}})},
		{"no name", "name is empty", change(func(h *fairleadv1.ProxyHello) { h.Name = "" })},
		{"no instance", "instance is empty", change(func(h *fairleadv1.ProxyHello) { h.Instance = "" })},
		{"long name", "300 bytes", change(func(h *fairleadv1.ProxyHello) { h.Name = strings.Repeat("x", 300) })},
		{"advertises a path", "advertised host", change(func(h *fairleadv1.ProxyHello) { h.Advertise = "evil.example/x?" })},
		{"advertises a port", "without a port", change(func(h *fairleadv1.ProxyHello) { h.Advertise = "lb.example.org:80" })},
		{"control characters", "control character", change(func(h *fairleadv1.ProxyHello) { h.Zone = "a\nb" })},
		{"hello and pool hello", only, with(&fairleadv1.ProxyMessage{PoolHellos: []*fairleadv1.PoolHello{{}}})},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := r.call()
			p.say(c.m)
			says(t, p.end(), codes.InvalidArgument, c.words)
		})
	}
}

func TestSecondHello(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	p := r.connect("p", "1")
	p.say(hello("p", "1"))
	says(t, p.end(), codes.InvalidArgument, "a second hello")
	a := r.join(b1)
	a.say(join(b1))
	says(t, a.end(), codes.InvalidArgument, "a second hello")
}

func TestNameTaken(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	first := r.connect("p", "1")
	second := r.call()
	second.say(hello("p", "2"))
	says(t, second.end(), codes.AlreadyExists, `"p"`, "127.0.0.1", "--name")
	first.serves()
	// A name is free again when its proxy is gone.
	first.leave()
	r.awaitAny("the name to be free", func() error {
		if r.connected("p") {
			return errNot
		}
		return nil
	})
	r.connect("p", "2").serves()
}

func (r *rig) connected(name string) bool {
	r.t.Helper()
	s, err := r.c.Snapshot(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, p := range s.GetProxies() {
		if p.GetName() == name {
			return p.GetConnected()
		}
	}
	return false
}

// TestPoolHelloIsChecked breaks what a pool hello may say.
func TestPoolHelloIsChecked(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	for _, c := range []struct {
		name, words string
		live        *fairleadv1.LiveGrant
	}{
		{"live without ID", "no ID", &fairleadv1.LiveGrant{Backend: b1}},
		{"live without backend", "backend is empty", &fairleadv1.LiveGrant{Id: &fairleadv1.GrantID{Epoch: 1, Number: 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := r.call()
			p.say(hello("p", "1"))
			p.next()
			p.say(&fairleadv1.ProxyMessage{PoolHellos: []*fairleadv1.PoolHello{{Pool: 1, Live: []*fairleadv1.LiveGrant{c.live}}}})
			says(t, p.end(), codes.InvalidArgument, c.words)
		})
	}
}

// TestSameInstanceReplaces reconnects a proxy whose old stream the controller still takes
// for alive, many times over, because the old session's end has several parts.
func TestSameInstanceReplaces(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(oneBackend))
	p := r.connect("p", "1")
	id := p.ask()
	held := p.granted()
	if held.GetAsk() != id {
		t.Fatalf("grant = %v", held)
	}
	live := &fairleadv1.LiveGrant{Id: held.GetId(), Backend: held.GetBackend()}
	for range 20 {
		next := r.connect("p", "1", live)
		says(t, p.end(), codes.Aborted, "another session")
		p = next
		if n := r.snapshot().GetInFlight(); n != 1 {
			t.Fatalf("%d in flight after a new session that holds one grant", n)
		}
	}
	// What a session no longer names is over.
	next := r.connect("p", "1")
	says(t, p.end(), codes.Aborted)
	r.awaitFlight(0, 0)
	next.serves()
}

func TestSilence(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	began := time.Now()
	mute, never, agent := r.call(), r.call(), r.callAgent()
	mute.say(hello("p", "1"))
	if mute.next().GetWelcome() == nil {
		t.Fatal("no welcome")
	}
	agent.say(join(b1))
	agent.next()
	if !r.connected("p") {
		t.Error("the proxy does not stand as connected")
	}
	says(t, mute.end(), codes.DeadlineExceeded, "nothing was heard for 3s")
	says(t, agent.end(), codes.DeadlineExceeded, "nothing was heard for 3s")
	says(t, never.end(), codes.DeadlineExceeded, "no hello")
	if took := time.Since(began); took < grace-10*time.Millisecond {
		t.Errorf("silence ended a session after %v, want 3 s", took)
	}
	r.awaitAny("the session to be lost", func() error {
		if r.connected("p") {
			return errNot
		}
		return nil
	})
}

func TestEachStatusIsAnswered(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	p := r.call()
	p.say(hello("p", "1"))
	p.next()
	for range 100 {
		p.say(&fairleadv1.ProxyMessage{Status: &fairleadv1.ProxyStatus{Connections: 3}})
		if m := p.next(); len(m.GetGrants())+len(m.GetRefusals()) > 0 || m.GetWelcome() != nil {
			t.Fatalf("the answer to a status is %v, want an empty one", m)
		}
	}
	s, err := r.c.Snapshot(t.Context())
	if err != nil || s.GetProxies()[0].GetStatus().GetConnections() != 3 {
		t.Errorf("proxies = %v, %v; want the status there", s.GetProxies(), err)
	}
}
