package wire

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	real "github.com/fairlead/fairlead/internal/proxy"
	sdk "github.com/fairlead/fairlead/sdk/backend"
)

// classifiedFile is a config whose pool wants to know all that there is to know, and has its
// one backend told. The backend's address is to be filled in.
const classifiedFile = `
listeners: [{name: web, address: "127.0.0.1:0", protocol: http}]
routes:
  - {listener: web, pool: work}
  - {listener: web, path: /batch, pool: work, class: sheddable, labels: {tier: gold}}
pools:
  - name: work
    slots: 4
    assign: notify
    class_header: X-Class
    flow: {by: claim, name: tenant, weights: {t1: 4}}
    affinity: {by: cookie, name: lead}
    labels_from: {gpu: X-Gpu}
    deadline: 9s
    health: {type: none}
    backends: [{address: %q, labels: {tier: gold, gpu: a100}}]
`

// site is a controller, a proxy and a backend that records its assignments.
type site struct {
	*rig
	web      string // where the proxy listens
	assigned chan sdk.Assignment
}

func newSite(t *testing.T) *site {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	file, err := config.Parse("fairlead.yaml", fmt.Appendf(nil, classifiedFile, address))
	if err != nil {
		t.Fatal(err)
	}
	s := &site{rig: newRig(t, file), assigned: make(chan sdk.Assignment, 10)}
	reporter, err := sdk.New(sdk.Config{
		Controller: s.address, Pool: "work", Address: address, Labels: map[string]string{"tier": "gold", "gpu": "a100"},
		OnAssign: func(a sdk.Assignment) error { s.assigned <- a; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.run("the reporter", reporter.Run)
	p, err := real.New(real.Config{
		Dial: func() (*grpc.ClientConn, error) {
			return grpc.NewClient("passthrough:///"+s.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		},
		Name: "p1", Patience: soon, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.run("the proxy", p.Run)
	s.awaitState(address, "up")
	s.await("the agent", func(pool *fairleadv1.PoolStatus) error {
		if !backend(pool, address).GetHasAgent() {
			return errNot
		}
		return nil
	})
	select {
	case <-p.Up():
	case <-time.After(soon):
		t.Fatal("the proxy does not listen")
	}
	s.web = "http://" + p.Address("web")
	return s
}

// run has something run until the test ends.
func (s *site) run(what string, run func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	s.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			s.t.Errorf("%s ended with %v", what, err)
		}
	})
}

// get sends a request, and returns the answer's head and what the backend was told before.
func (s *site) get(path string, fields ...string) (http.Header, sdk.Assignment) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.web+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		req.Header.Set(fields[i], fields[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: soon}
	res, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		s.t.Fatalf("%s is answered %d, %v", path, res.StatusCode, res.Header)
	}
	select {
	case a := <-s.assigned:
		return res.Header, a
	case <-time.After(soon):
		s.t.Fatal("the backend was told nothing")
	}
	panic("not reached")
}

// TestWhatRequestsAre follows what a request is from the config file and the client to the
// pool's mind, which tells the backend of it.
func TestWhatRequestsAre(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	head, a := s.get("/x")
	set := head.Get("Set-Cookie")
	if a.Class != "normal" || a.Flow != "127.0.0.1" || len(a.Labels) > 0 || !strings.HasPrefix(set, "lead="+a.Affinity+";") || len(a.Affinity) < 26 {
		t.Errorf("a request that says nothing is %+v, and its client gets the cookie %q", a, set)
	}
	if left := time.Until(a.Deadline); left < time.Second || left > 9*time.Second {
		t.Errorf("the pool's own deadline is in %v", left)
	}
	token := "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"tenant":"t1"}`)) + ".s"
	head, b := s.get("/batch/7", "Cookie", "lead="+a.Affinity, "Authorization", "Bearer "+token, "X-Gpu", "a100", "Grpc-Timeout", "500S")
	if b.Class != "sheddable" || b.Flow != "t1" || !slices.Equal(b.Labels, []string{"gpu=a100", "tier=gold"}) {
		t.Errorf("by its route and fields a request is %+v", b)
	}
	if b.Affinity != a.Affinity || head.Get("Set-Cookie") != "" {
		t.Errorf("the affinity is %q and then %q, and the cookie set again: %q", a.Affinity, b.Affinity, head.Get("Set-Cookie"))
	}
	if left := time.Until(b.Deadline); left < 20*time.Second {
		t.Errorf("the request says 500 s, and has %v", left)
	}
	if _, c := s.get("/batch", "X-Class", "critical", "Cookie", "lead=x"); c.Class != "critical" || !slices.Equal(c.Labels, []string{"tier=gold"}) {
		t.Errorf("a request that says its class is %+v", c)
	}
}

// TestClassifyTable: what proxies are told is what the config says.
func TestClassifyTable(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(func(p *config.Pool) { p.Affinity = config.Key{By: config.ByHeader, Name: "X-Key"} }))
	table := r.connect("p", "1").first.GetTable()
	pool := table.GetPools()[0]
	if a := pool.GetClassify().GetAffinity(); !pool.GetAbout() || a.GetKind() != fairleadv1.Source_KIND_HEADER || a.GetName() != "X-Key" {
		t.Errorf("the table's pool is %v", pool)
	}
	r = newRig(t, onePool())
	if pool := r.connect("p", "1").first.GetTable().GetPools()[0]; pool.GetAbout() || pool.GetClassify() != nil {
		t.Errorf("nothing is to be known, and the table's pool is %v", pool)
	}
	file := onePool()
	file.Routes[0].Class, file.Routes[0].Labels = 3, []string{"gpu=a100"}
	table = newRig(t, file).connect("p", "1").first.GetTable()
	if route := table.GetRoutes()[0]; !table.GetPools()[0].GetAbout() || route.GetClass() != fairleadv1.Class_CLASS_SHEDDABLE || len(route.GetLabels()) != 1 {
		t.Errorf("the table is %v", table)
	}
}

// TestStatusNumber: the message that answers a status names it, and no other does.
func TestStatusNumber(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	p := r.connect("p", "1")
	p.say(&fairleadv1.ProxyMessage{Status: &fairleadv1.ProxyStatus{Number: 7}})
	p.say(&fairleadv1.ProxyMessage{Status: &fairleadv1.ProxyStatus{Number: 9}})
	for {
		if n := p.next().GetStatus(); n == 9 {
			break
		} else if n != 0 && n != 7 {
			t.Fatalf("a message answers status %d", n)
		}
	}
}

// TestAskBeyondCaps: what an ask may say of its request is bounded.
func TestAskBeyondCaps(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	long := strings.Repeat("x", 256)
	for name, about := range map[string]*fairleadv1.About{
		"labels":          {Labels: strings.Fields(strings.Repeat("a=b ", 17))},
		"label":           {Labels: []string{long}},
		"empty label":     {Labels: []string{""}},
		"affinity":        {Affinity: long},
		"flow of 256":     {Flow: long},
		"a label's break": {Labels: []string{"a=b\n"}},
	} {
		p := r.connect(name, "1")
		p.askAbout(about)
		says(t, p.end(), codes.InvalidArgument)
	}
}

// TestAgentCapacity: an agent counts as its pool does, and its labels are labels.
func TestAgentCapacity(t *testing.T) {
	t.Parallel()
	slots := newRig(t, onePool())
	workers := newRig(t, onePool(func(p *config.Pool) { p.Slots, p.Workers = 0, 4 }))
	for _, c := range []struct {
		r     *rig
		hello func(*fairleadv1.AgentHello)
		code  codes.Code
		words string
	}{
		{slots, func(h *fairleadv1.AgentHello) { h.Workers = 2 }, codes.FailedPrecondition, "say slots"},
		{workers, func(h *fairleadv1.AgentHello) { h.Slots = 2 }, codes.FailedPrecondition, "say workers"},
		{workers, func(h *fairleadv1.AgentHello) { h.Workers = 1_000_001 }, codes.InvalidArgument, "at most"},
		{slots, func(h *fairleadv1.AgentHello) { h.Labels = []string{"gpu"} }, codes.InvalidArgument, "name=value"},
		{slots, func(h *fairleadv1.AgentHello) { h.Labels = []string{"gpu=a", "gpu=b"} }, codes.InvalidArgument, "twice"},
	} {
		m := join(stranger)
		c.hello(m.GetHello())
		a := c.r.callAgent()
		a.say(m)
		says(t, a.end(), c.code, c.words)
	}
	workers.join(stranger, func(h *fairleadv1.AgentHello) { h.Workers, h.Labels = 3, []string{"gpu=a100"} })
	if got := workers.snapshot().GetWorkers(); got != 4 {
		t.Errorf("the pool has %d workers, want 4", got)
	}
}

// TestExplainChecks: what a tool says of a request is checked as what a proxy says.
func TestExplainChecks(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	good := &fairleadv1.ExplainRequest{
		Pool: pool, Class: fairleadv1.Class_CLASS_CRITICAL, Flow: "t1", Labels: []string{"gpu=a100"}, Affinity: "k", DeadlineMs: 1000,
	}
	if _, err := r.tools().Explain(t.Context(), good); err != nil {
		t.Error(err)
	}
	for _, bad := range []*fairleadv1.ExplainRequest{
		{Class: 4}, {Flow: strings.Repeat("x", 256)}, {Affinity: "\n"}, {Labels: make([]string, 17)},
	} {
		bad.Pool = pool
		_, err := r.tools().Explain(t.Context(), bad)
		says(t, err, codes.InvalidArgument)
	}
}
