//go:build unix

package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
)

const soon = 20 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// controller is a fake one: it grants each ask at once, on the backend that the test
// gives its pool, and hands out the tables that the test makes.
type controller struct {
	fairleadv1.UnimplementedProxiesServer
	dial   func() (*grpc.ClientConn, error)
	tables chan *fairleadv1.Table

	mu       sync.Mutex // guards what is below
	backends map[uint32]string
	grants   uint64
	dones    uint64
	status   *fairleadv1.ProxyStatus
}

func newController(t *testing.T) *controller {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &controller{tables: make(chan *fairleadv1.Table, 10), backends: map[uint32]string{}}
	srv := grpc.NewServer(grpc.WaitForHandlers(true))
	fairleadv1.RegisterProxiesServer(srv, c)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = srv.Serve(ln)
	}()
	c.dial = to(ln.Addr().String())
	t.Cleanup(func() {
		srv.Stop()
		<-served
	})
	return c
}

// to returns what connects to an address.
func to(address string) func() (*grpc.ClientConn, error) {
	return func() (*grpc.ClientConn, error) {
		return grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
}

// Session implements the service. The first message takes a table, so a controller
// without one says nothing.
func (c *controller) Session(st fairleadv1.Proxies_SessionServer) error {
	if _, err := st.Recv(); err != nil {
		return err
	}
	var sending sync.Mutex
	send := func(m *fairleadv1.ControllerMessage) {
		sending.Lock()
		defer sending.Unlock()
		_ = st.Send(m)
	}
	select {
	case t := <-c.tables:
		send(&fairleadv1.ControllerMessage{Welcome: &fairleadv1.Welcome{Version: 1, Epoch: 7}, Table: t})
	case <-st.Context().Done():
		return nil
	}
	var talking sync.WaitGroup
	over := make(chan struct{})
	defer func() { close(over); talking.Wait() }()
	talking.Go(func() {
		for {
			select {
			case t := <-c.tables:
				send(&fairleadv1.ControllerMessage{Table: t})
			case <-over:
				return
			}
		}
	})
	for {
		m, err := st.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		send(c.answer(m))
	}
}

// answer grants what is asked for.
func (c *controller) answer(m *fairleadv1.ProxyMessage) *fairleadv1.ControllerMessage {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := &fairleadv1.ControllerMessage{}
	if s := m.GetStatus(); s != nil {
		c.status = s
	}
	c.dones += uint64(len(m.GetDones()))
	for _, a := range m.GetAsks() {
		c.grants++
		out.Grants = append(out.Grants, &fairleadv1.Grant{
			Ask: a.GetId(), Id: &fairleadv1.GrantID{Epoch: 7, Number: c.grants}, Backend: c.backends[a.GetPool()], Pool: a.GetPool(),
		})
	}
	return out
}

func (c *controller) counts() (grants, dones uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.grants, c.dones
}

// backend serves a pool: its name at /, and at /hold only once it is released.
type backend struct {
	*httptest.Server
	held    chan struct{} // a value for each that came to /hold
	release chan struct{} // closed by the test
}

func (c *controller) backend(t *testing.T, pool uint32, name string) *backend {
	t.Helper()
	b := &backend{held: make(chan struct{}, 10), release: make(chan struct{})}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			b.held <- struct{}{}
			select {
			case <-b.release:
			case <-r.Context().Done():
			}
		}
		fmt.Fprint(w, name)
	}))
	t.Cleanup(b.Close)
	c.mu.Lock()
	c.backends[pool] = b.Listener.Addr().String()
	c.mu.Unlock()
	return b
}

// place is a listener of a table, and the pool that its route leads to.
type place struct {
	name, address string
	protocol      fairleadv1.Protocol
	pool          uint32
}

func webAt(address string, pool uint32) place {
	return place{"web", address, fairleadv1.Protocol_PROTOCOL_HTTP, pool}
}

func table(places ...place) *fairleadv1.Table {
	t := &fairleadv1.Table{}
	for n := range uint32(3) {
		t.Pools = append(t.Pools, &fairleadv1.PoolEntry{Number: n + 1, Name: fmt.Sprintf("pool%d", n+1), ConnectTimeoutMs: 1000})
	}
	for _, p := range places {
		t.Listeners = append(t.Listeners, &fairleadv1.Listener{Name: p.name, Address: p.address, Protocol: p.protocol})
		t.Routes = append(t.Routes, &fairleadv1.Route{Listener: p.name, Host: "*", Path: "/", Pool: p.pool})
	}
	return t
}

// running is a proxy whose Run goes on.
type running struct {
	*Proxy
	stop  context.CancelFunc
	ended chan error // Run's, once
}

// start runs a proxy, and ends it with the test.
func start(t *testing.T, cfg Config) *running {
	t.Helper()
	cfg.Name, cfg.Logger, cfg.Registerer = "p", slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	if cfg.Patience == 0 {
		cfg.Patience = soon
	}
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &running{p, stop, make(chan error, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.ended <- p.Run(ctx)
	}()
	t.Cleanup(func() { stop(); <-done })
	return r
}

// end returns what Run returned.
func (r *running) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.ended:
		return err
	case <-time.After(soon):
		t.Fatal("Run does not end")
		return nil
	}
}

// client keeps its connections, and tells whether a request had to open one.
type client struct{ *http.Client }

func newClient(t *testing.T) client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return client{&http.Client{Transport: transport, Timeout: soon}}
}

// answer is what a GET was answered with.
type answer struct {
	code   int
	body   string
	reused bool // on a connection that was there
	err    error
}

func (c client) get(url string) (a answer) {
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { a.reused = i.Reused }}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), http.MethodGet, url, nil)
	if err != nil {
		return answer{err: err}
	}
	resp, err := c.Do(req)
	if err != nil {
		a.err = err
		return a
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	a.code, a.body, a.err = resp.StatusCode, string(b), err
	return a
}

// await waits until an address answers with a body.
func (c client) await(t *testing.T, address, body string) {
	t.Helper()
	testproc.Await(t, soon, address+" to answer "+body, func(context.Context) error {
		if a := c.get("http://" + address + "/"); a.err != nil || a.code != http.StatusOK || a.body != body {
			return fmt.Errorf("%+v", a)
		}
		return nil
	})
}

// awaitClosed waits until nothing listens at an address.
func awaitClosed(t *testing.T, address string) {
	t.Helper()
	testproc.Await(t, soon, address+" to be closed", func(context.Context) error {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return nil
		}
		c.Close()
		return errors.New("it accepts")
	})
}
