package backend

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/ticket"
)

// keyed returns a Reporter that does not run, and knows a Keyring.
func keyed(t testing.TB, cfg Config) (*Reporter, *ticket.Keyring) {
	t.Helper()
	cfg.Controller, cfg.Pool, cfg.Address = "127.0.0.1:7400", "render", "10.0.0.1:9101"
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	k := ticket.NewKeyring(time.Now())
	r.tickets.SetKeys(k.Public())
	return r, k
}

func TestGuard(t *testing.T) {
	var log bytes.Buffer
	r, k := keyed(t, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	n := uint64(0)
	fresh := func() string { n++; return sign(t, k, fleet.GrantID{Epoch: 7, Number: n}) }
	used := fresh()
	if _, err := r.tickets.Check(time.Now(), used); err != nil {
		t.Fatal(err)
	}
	other := sign(t, ticket.NewKeyring(time.Now()), fleet.GrantID{Epoch: 7, Number: 1})
	refused := map[string]uint64{}
	for _, c := range []struct {
		name, target, header string
		status               int
		reason               string
		uri                  string // that the handler sees
		noReferrer           bool
	}{
		{"none", "/x?a=1", "", 401, "ticket_missing", "", true},
		{"empty parameter", "/x?fairlead-ticket=", "", 401, "ticket_missing", "", true},
		{"bad header", "/x", "let me in", 403, "ticket_malformed", "", true},
		{"bad parameter", "/x?fairlead-ticket=%zz", "", 401, "ticket_missing", "", true},
		{"another's", "/x", other, 403, "ticket_unknown_key", "", true},
		{"used", "/x", used, 403, "ticket_replayed", "", true},
		{"header", "/x?a=1&b=%20&a=2", fresh(), 200, "", "/x?a=1&b=%20&a=2", false},
		{"parameter", "/x?fairlead-ticket=" + fresh(), "", 200, "", "/x", true},
		{"among others", "/x?a=1&fairlead%2Dticket=" + fresh() + "&b=%2f;&&c", "", 200, "", "/x?a=1&b=%2f;&&c", true},
		{"twice", "/x?fairlead-ticket=" + fresh() + "&fairlead-ticket=" + fresh(), "", 200, "", "/x", true},
		{"both", "/x?fairlead-ticket=nonsense&a", fresh(), 200, "", "/x?a", true},
		{"absolute", "http://a.example/x?a&fairlead-ticket=" + fresh(), "", 200, "", "http://a.example/x?a", true},
	} {
		seen := ""
		h := r.Guard(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			seen = req.RequestURI
			if strings.Contains(req.URL.String()+req.FormValue(TicketParam)+req.Header.Get(TicketHeader), "icket") {
				t.Errorf("%s: the handler sees the ticket: %s, %v", c.name, req.URL, req.Header)
			}
			if got := r.current().Named[InFlight]; got != 1 {
				t.Errorf("%s: %v in flight, want 1", c.name, got)
			}
		}))
		req := httptest.NewRequest("GET", c.target, nil)
		if c.header != "" {
			req.Header.Set(TicketHeader, c.header)
		}
		before := req.Clone(context.Background())
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		head := w.Result().Header
		if w.Code != c.status || head.Get(reasonHeader) != c.reason || seen != c.uri {
			t.Errorf("%s: %d %q, seen as %q; want %d %q, %q", c.name, w.Code, head.Get(reasonHeader), seen, c.status, c.reason, c.uri)
		}
		if got := head.Get("Referrer-Policy") == "no-referrer"; got != c.noReferrer {
			t.Errorf("%s: no-referrer is %v", c.name, got)
		}
		if req.RequestURI != before.RequestURI || req.URL.String() != before.URL.String() || !maps.EqualFunc(req.Header, before.Header, func(a, b []string) bool { return a[0] == b[0] }) {
			t.Errorf("%s: the request that was handed in is altered", c.name)
		}
		if c.reason == "" {
			continue
		}
		refused[strings.TrimPrefix(c.reason, "ticket_")]++
		if head.Get("Cache-Control") != "no-store" || (c.status == 401) != (head.Get("WWW-Authenticate") != "") ||
			!strings.HasPrefix(w.Body.String(), "ticket: ") {
			t.Errorf("%s: %v\n%s", c.name, head, w.Body)
		}
	}
	if got := r.Refused(); !maps.Equal(got, refused) {
		t.Errorf("refused %v, want %v", got, refused)
	}
	if text := log.String(); !strings.Contains(text, "peer=192.0.2.1:1234") || strings.Contains(text, used[len(used)-20:]) {
		t.Errorf("the log: %s", text)
	}
	if got := r.count.finished.Load(); got != 6 {
		t.Errorf("%d requests are counted, want the 6 that were let in", got)
	}
}

func TestAFormThatWasParsedBefore(t *testing.T) {
	r, k := keyed(t, Config{})
	req := httptest.NewRequest("GET", "/?a=1&fairlead-ticket="+sign(t, k, fleet.GrantID{Number: 1}), nil)
	if err := req.ParseForm(); err != nil {
		t.Fatal(err)
	}
	r.Guard(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		if req.Form.Has(TicketParam) || req.FormValue("a") != "1" {
			t.Errorf("the form is %v", req.Form)
		}
	})).ServeHTTP(httptest.NewRecorder(), req)
	if !req.Form.Has(TicketParam) {
		t.Error("the form of the request that was handed in is altered")
	}
}

func TestOneOfManyWithTheSameTicketIsLetIn(t *testing.T) {
	r, k := keyed(t, Config{})
	text := sign(t, k, fleet.GrantID{Number: 1})
	var in atomic.Int32
	h := r.Guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { in.Add(1) }))
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			req := httptest.NewRequest("GET", "/", nil)
			req.Header.Set(TicketHeader, text)
			h.ServeHTTP(httptest.NewRecorder(), req)
		})
	}
	all.Wait()
	if in.Load() != 1 || r.Refused()["replayed"] != 15 {
		t.Errorf("%d were let in; refused %v", in.Load(), r.Refused())
	}
}

func TestLinesOnRefusalsAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r, _ := keyed(t, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		h := r.Guard(http.NotFoundHandler())
		for _, pause := range []time.Duration{0, 0, 0, logGap} {
			synctest.Wait()
			<-time.After(pause)
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		}
		if got := log.String(); strings.Count(got, "\n") != 2 || strings.Count(got, "left_out=2") != 1 {
			t.Errorf("want two lines, the second with left_out=2:\n%s", got)
		}
	})
}

// visit has a request served in a goroutine of its own.
func visit(h http.Handler, text string) (leave context.CancelFunc, over chan any) {
	ctx, leave := context.WithCancel(context.Background())
	over = make(chan any, 1)
	req := httptest.NewRequestWithContext(ctx, "GET", "/", nil)
	req.Header.Set(TicketHeader, text)
	go func() {
		defer func() { over <- recover() }()
		h.ServeHTTP(httptest.NewRecorder(), req)
	}()
	return leave, over
}

func TestDirectGrantsAreTold(t *testing.T) {
	for name, c := range map[string]struct {
		serve func(w http.ResponseWriter, leave func(), revoke func(), ctx context.Context)
		want  fairleadv1.Outcome
		took  time.Duration
	}{
		"ok":     {func(w http.ResponseWriter, _, _ func(), _ context.Context) { <-time.After(time.Millisecond) }, fairleadv1.Outcome_OUTCOME_OK, time.Millisecond},
		"500":    {func(w http.ResponseWriter, _, _ func(), _ context.Context) { w.WriteHeader(500) }, fairleadv1.Outcome_OUTCOME_OK, 0},
		"502":    {func(w http.ResponseWriter, _, _ func(), _ context.Context) { w.WriteHeader(502) }, fairleadv1.Outcome_OUTCOME_FAILED, 0},
		"503":    {func(w http.ResponseWriter, _, _ func(), _ context.Context) { w.WriteHeader(503) }, fairleadv1.Outcome_OUTCOME_FAILED, 0},
		"504":    {func(w http.ResponseWriter, _, _ func(), _ context.Context) { w.WriteHeader(504) }, fairleadv1.Outcome_OUTCOME_FAILED, 0},
		"panics": {func(http.ResponseWriter, func(), func(), context.Context) { panic(http.ErrAbortHandler) }, fairleadv1.Outcome_OUTCOME_FAILED, 0},
		"gone": {func(_ http.ResponseWriter, leave, _ func(), ctx context.Context) {
			<-time.After(time.Millisecond)
			leave()
			<-ctx.Done()
		}, fairleadv1.Outcome_OUTCOME_CANCELLED, 0},
		"gone with all": {func(w http.ResponseWriter, leave, _ func(), ctx context.Context) {
			w.Header().Set("Content-Length", "5")
			_, _ = w.Write([]byte("hello"))
			leave()
			<-ctx.Done()
		}, fairleadv1.Outcome_OUTCOME_OK, 0},
		"gone with all, and a panic": {func(w http.ResponseWriter, leave, _ func(), ctx context.Context) {
			w.WriteHeader(http.StatusNoContent)
			leave()
			<-ctx.Done()
			panic(http.ErrAbortHandler)
		}, fairleadv1.Outcome_OUTCOME_OK, 0},
		"gone with less": {func(w http.ResponseWriter, leave, _ func(), ctx context.Context) {
			w.Header().Set("Content-Length", "5")
			_, _ = w.Write([]byte("hell"))
			leave()
			<-ctx.Done()
		}, fairleadv1.Outcome_OUTCOME_CANCELLED, 0},
		"revoked": {func(_ http.ResponseWriter, _, revoke func(), ctx context.Context) {
			revoke()
			<-ctx.Done()
			if context.Cause(ctx) != ErrRevoked {
				panic("the cause is " + context.Cause(ctx).Error())
			}
		}, fairleadv1.Outcome_OUTCOME_REVOKED, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t)
				cfg := m.config()
				cfg.Direct = true
				r, _ := start(t, cfg)
				talk := await(t, "a session", m.sessions)
				talk.report(t)
				var leave context.CancelFunc
				arrived := make(chan struct{})
				leave, over := visit(r.Guard(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					<-arrived
					c.serve(w, leave, func() { talk.revoke(41) }, req.Context())
				})), m.ticket(t, 41))
				defer leave()
				begun := time.Now()
				if got := talk.word(t); !proto.Equal(got, &fairleadv1.AgentMessage{Arrivals: []*fairleadv1.GrantID{grantOf(41)}}) {
					t.Errorf("got %v, want the arrival", got)
				}
				if took := time.Since(begun); took != 0 {
					t.Errorf("the arrival was told after %v", took)
				}
				close(arrived)
				want := &fairleadv1.AgentMessage{Dones: []*fairleadv1.Done{{
					Grant: grantOf(41), Outcome: c.want, LatencyUs: uint64(c.took.Microseconds()),
				}}}
				if got := talk.word(t); !proto.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
				if p := <-over; p != nil && p != http.ErrAbortHandler {
					t.Error(p)
				}
			})
		})
	}
}

func TestWithoutDirectTheProxiesTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		r, _ := start(t, m.config())
		talk := await(t, "a session", m.sessions)
		talk.report(t)
		_, over := visit(r.Guard(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
			talk.revoke(41)
			<-req.Context().Done()
		})), m.ticket(t, 41))
		if p := <-over; p != nil {
			t.Error(p)
		}
		synctest.Wait()
		if got := talk.words(); got != nil {
			t.Errorf("told %v", got)
		}
	})
}

func TestRunningGrantsAreListedWhenTheControllerComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		cfg := m.config()
		cfg.Direct = true
		r, _ := start(t, cfg)
		first := await(t, "a session", m.sessions)
		first.report(t)
		release := map[uint64]chan struct{}{}
		over := map[uint64]chan any{}
		for n := uint64(41); n <= 43; n++ {
			hold := make(chan struct{})
			release[n] = hold
			_, over[n] = visit(r.Guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold })), m.ticket(t, n))
		}
		synctest.Wait()
		first.finish <- status.Error(codes.Unavailable, "the controller stops")
		<-first.gone
		synctest.Wait()
		if r.State().Connected {
			t.Fatal("still connected")
		}
		close(release[41]) // nobody is there to be told
		<-over[41]
		second := await(t, "another session", m.sessions)
		held := map[uint64]uint64{}
		for _, g := range second.hello.GetHello().GetLive() {
			held[g.GetId().GetNumber()] = g.GetHeldMs()
		}
		if len(held) != 2 || held[42] == 0 || held[42] != held[43] {
			t.Errorf("live: %v, want 42 and 43, and for how long", held)
		}
		close(release[42])
		<-over[42]
		got := second.word(t)
		if len(got.Dones) != 1 || got.Dones[0].GetGrant().GetNumber() != 42 || got.Arrivals != nil {
			t.Errorf("got %v, want the done of 42 alone", got)
		}
		second.revoke(43)
		close(release[43])
		<-over[43]
	})
}

func TestKeysAreReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		r, _ := start(t, m.config())
		talk := await(t, "a session", m.sessions)
		talk.report(t)
		old := m.ticket(t, 41)
		m.keyring = ticket.NewKeyring(time.Now())
		talk.say(&fairleadv1.BackendMessage{Keys: m.keys()})
		synctest.Wait()
		if _, err := r.tickets.Check(time.Now(), old); err == nil {
			t.Error("a ticket of the old key is taken")
		}
		if _, err := r.tickets.Check(time.Now(), m.ticket(t, 42)); err != nil {
			t.Error(err)
		}
		if _, err := r.tickets.Check(time.Now(), sign(t, m.keyring, fleet.GrantID{Epoch: 6, Number: 1})); err == nil {
			t.Error("a ticket of an earlier epoch than the welcome's is taken")
		}
	})
}

func TestCanonical(t *testing.T) {
	for written, want := range map[string]string{
		"10.0.0.1:9101": "10.0.0.1:9101", "Render-1.Example.:080": "render-1.example:80",
		"[0:0::1]:9101": "[::1]:9101", "[::ffff:10.0.0.1]:1": "10.0.0.1:1",
	} {
		if got := canonical(written); got != want {
			t.Errorf("%s is %s, want %s", written, got, want)
		}
	}
}

func FuzzCutParam(f *testing.F) {
	for _, seed := range []string{"", "a=1", "fairlead-ticket=x", "a&fairlead%2dticket=%78&b=;", "&&=", "%zz=1&fairlead-ticket", "fairlead-ticket=1&fairlead-ticket=2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		value, found, rest := cutParam(query)
		if !found && rest != query {
			t.Fatalf("%q became %q", query, rest)
		}
		if _, again, _ := cutParam(rest); again {
			t.Fatalf("%q is left of %q", rest, query)
		}
		want, err := url.ParseQuery(query)
		if err != nil {
			return // it drops what it cannot read
		}
		got, err := url.ParseQuery(rest)
		if err != nil || found != want.Has(TicketParam) || value != want.Get(TicketParam) {
			t.Fatalf("%q: %q, %v, %v", query, value, found, err)
		}
		want.Del(TicketParam)
		if got.Encode() != want.Encode() {
			t.Fatalf("%q: left is %v, want %v", query, got, want)
		}
	})
}
