package wire

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// raw sends bytes as they are.
type raw struct{}

// Marshal implements encoding.Codec.
func (raw) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }

// Unmarshal implements encoding.Codec.
func (raw) Unmarshal(b []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), b...)
	return nil
}

// Name implements encoding.Codec.
func (raw) Name() string { return "proto" }

// sendRaw opens a stream, says each of the messages and returns why the stream ended.
func (r *rig) sendRaw(method string, messages ...[]byte) error {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), soon)
	defer cancel()
	desc := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	st, err := r.dial().NewStream(ctx, desc, method, grpc.ForceCodec(raw{}))
	if err != nil {
		r.t.Fatal(err)
	}
	for _, m := range messages {
		if err := st.SendMsg(&m); err != nil {
			break // the stream has ended, and says why
		}
	}
	for {
		var in []byte
		if err := st.RecvMsg(&in); err != nil {
			return err
		}
	}
}

const (
	proxies = fairleadv1.Proxies_Session_FullMethodName
	agents  = fairleadv1.Agents_Session_FullMethodName
)

// TestGarbageHarmsNobodyElse sends what no decoder takes, while another proxy's asks go
// on being answered.
func TestGarbageHarmsNobodyElse(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	bystander := r.connect("bystander", "1")
	for name, b := range map[string][]byte{
		"open tag":       {0xff},
		"long length":    {0x0a, 0xff, 0xff, 0xff, 0xff, 0x07, 1},
		"wrong wiretype": {0x0f},
		"text":           []byte("GET / HTTP/1.1\r\n\r\n"),
		"bad UTF-8":      {0x0a, 0x04, 0x12, 0x02, 0xff, 0xfe},
		"zeros":          make([]byte, 1000),
	} {
		for _, method := range []string{proxies, agents} {
			err := r.sendRaw(method, b)
			if c := status.Code(err); c != codes.Internal && c != codes.InvalidArgument {
				t.Errorf("%s to %s: %v, want a status that says it is malformed", name, method, err)
			}
			bystander.serves()
		}
	}
}

func TestOversizedMessages(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	bystander := r.connect("bystander", "1")
	for _, method := range []string{proxies, agents} {
		says(t, r.sendRaw(method, make([]byte, 5<<20)), codes.ResourceExhausted, "larger")
		bystander.serves()
	}
	p := r.connect("p", "1")
	p.say(&fairleadv1.ProxyMessage{Status: &fairleadv1.ProxyStatus{
		Listeners: []*fairleadv1.BoundListener{{Name: strings.Repeat("x", 5<<20)}},
	}})
	says(t, p.end(), codes.ResourceExhausted)

	a := r.join(b1)
	a.say(&fairleadv1.AgentMessage{Report: &fairleadv1.OrcaLoadReport{
		Utilization: map[string]float64{strings.Repeat("x", 65<<10): 1},
	}})
	says(t, a.end(), codes.ResourceExhausted, "at most 65536")
	long := join(b1)
	long.Hello.Zone = strings.Repeat("x", 65<<10)
	b := r.callAgent()
	b.say(long)
	says(t, b.end(), codes.ResourceExhausted, "at most 65536")
	bystander.serves()
}

// TestRulesOfProxies breaks each rule for what a session may say.
func TestRulesOfProxies(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	bystander := r.connect("bystander", "1")
	asks := func(all ...*fairleadv1.Ask) *fairleadv1.ProxyMessage {
		for _, a := range all {
			a.Pool = 1
		}
		return &fairleadv1.ProxyMessage{Asks: all}
	}
	done := func(d *fairleadv1.Done) *fairleadv1.ProxyMessage {
		d.Pool, d.Grant = 1, &fairleadv1.GrantID{Epoch: 1, Number: 1}
		return &fairleadv1.ProxyMessage{Dones: []*fairleadv1.Done{d}}
	}
	load := func(v float64) *fairleadv1.BackendSeen {
		return &fairleadv1.BackendSeen{Backend: b1, Load: &fairleadv1.OrcaLoadReport{CpuUtilization: v}}
	}
	for i, c := range []struct {
		name, words string
		m           *fairleadv1.ProxyMessage
	}{
		{"asks of ID 0", "rise", asks(&fairleadv1.Ask{})},
		{"falling asks", "ask 4 comes after ask 5", asks(&fairleadv1.Ask{Id: 5}, &fairleadv1.Ask{Id: 4})},
		{"an ask twice", "ask 5 comes after ask 5", asks(&fairleadv1.Ask{Id: 5}, &fairleadv1.Ask{Id: 5})},
		{"many excludes", "excludes 65", asks(&fairleadv1.Ask{Id: 1, Exclude: make([]string, 65)})},
		{"many seen", "tells of 65", asks(&fairleadv1.Ask{Id: 1, Seen: make([]*fairleadv1.BackendSeen, 65)})},
		{"seen without a name", "empty", asks(&fairleadv1.Ask{Id: 1, Seen: []*fairleadv1.BackendSeen{{}}})},
		{"NaN in an ask", "cpu_utilization is NaN", asks(&fairleadv1.Ask{Id: 1, Seen: []*fairleadv1.BackendSeen{load(math.NaN())}})},
		{"no outcome", "outcome 0", done(&fairleadv1.Done{})},
		{"unknown outcome", "outcome 99", done(&fairleadv1.Done{Outcome: 99})},
		{"negative outcome", "outcome -1", done(&fairleadv1.Done{Outcome: -1})},
		{"wrapped outcome", "outcome 257", done(&fairleadv1.Done{Outcome: 257})},
		{"negative load in a done", "cpu_utilization is -1", done(&fairleadv1.Done{Outcome: 1, Seen: load(-1)})},
		{"infinite load in a done", "cpu_utilization is +Inf", done(&fairleadv1.Done{Outcome: 1, Seen: load(math.Inf(1))})},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := r.connect(fmt.Sprintf("p%d", i), "1")
			p.say(c.m)
			says(t, p.end(), codes.InvalidArgument, c.words)
			bystander.serves()
		})
	}
}

// TestUnreadAnswers floods a controller with asks and reads no answer: what waits to be
// sent is bounded, and nobody else waits for it.
func TestUnreadAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	bystander := r.connect("bystander", "1")
	st, err := fairleadv1.NewProxiesClient(r.dial()).Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Send(hello("deaf", "1")); err != nil {
		t.Fatal(err)
	}
	go func() { // until the stream has ended
		id := uint64(0)
		for err := error(nil); err == nil; {
			m := &fairleadv1.ProxyMessage{}
			for range 1000 {
				id++
				m.Asks = append(m.Asks, &fairleadv1.Ask{Id: id, Pool: 7})
			}
			err = st.Send(m)
		}
	}()
	r.awaitAny("the deaf proxy to be thrown out", func() error {
		all, err := r.c.Snapshot(t.Context())
		if err != nil {
			return err
		}
		for _, p := range all.GetProxies() {
			if p.GetName() == "deaf" && !p.GetConnected() {
				return nil
			}
		}
		return errors.New("it is not gone")
	})
	for err = nil; err == nil; {
		_, err = st.Recv()
	}
	says(t, err, codes.ResourceExhausted, "wait to be read")
	bystander.serves()
}

// TestStrayWordsAreNoHarm says what is well formed and names nothing.
func TestStrayWordsAreNoHarm(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(oneBackend))
	p := r.connect("p", "1")
	p.ask()
	held := p.granted()
	other := r.connect("other", "1")
	other.say(&fairleadv1.ProxyMessage{
		Dones: []*fairleadv1.Done{
			{Grant: held.GetId(), Pool: 1, Outcome: 1}, // another's
			{Grant: &fairleadv1.GrantID{Epoch: 9, Number: 9}, Pool: 1, Outcome: 1},
			{Pool: 1, Outcome: 1}, {Pool: 0, Outcome: 1}, {Pool: math.MaxUint32, Outcome: 1},
		},
		Withdrawals: []*fairleadv1.Withdrawal{{Pool: 1, Ask: 7}, {Pool: 0}, {Pool: math.MaxUint32, Ask: 1}},
	})
	other.ask()
	r.awaitFlight(1, 1) // a slot freed by the strays would have been granted
	p.done(held.GetId(), fairleadv1.Outcome_OUTCOME_OK)
	p.done(held.GetId(), fairleadv1.Outcome_OUTCOME_OK) // twice
	g := other.granted()
	if n := r.snapshot().GetInFlight(); n != 1 {
		t.Errorf("%d in flight on one slot", n)
	}
	other.done(g.GetId(), fairleadv1.Outcome_OUTCOME_OK)
	r.awaitFlight(0, 0)
}
