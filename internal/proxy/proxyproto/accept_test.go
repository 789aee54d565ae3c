package proxyproto

import (
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// door is a listener that takes headers, from loopback or from nobody near.
type door struct {
	net.Listener
	reg *prometheus.Registry
}

func open(t *testing.T, ctx context.Context, from string) door {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	reg := prometheus.NewRegistry()
	m, err := NewMetrics(reg)
	if err != nil {
		t.Fatal(err)
	}
	a := m.Acceptor("web")
	subnets, err := Subnets([]string{from})
	if err != nil {
		t.Fatal(err)
	}
	a.Expect(subnets)
	return door{a.Listen(ctx, ln), reg}
}

// errors returns how many headers could not be taken, for this reason alone.
func (d door) errors(t *testing.T, reason string) float64 {
	t.Helper()
	families, err := d.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if m := f.GetMetric(); len(m) == 1 && m[0].GetLabel()[1].GetValue() == reason {
			return m[0].GetCounter().GetValue()
		}
	}
	return 0
}

// through has a client send bytes, and returns both ends.
func (d door) through(t *testing.T, bytes []byte) (client *net.TCPConn, server net.Conn) {
	t.Helper()
	c, err := net.Dial("tcp", d.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(bytes); err != nil {
		t.Fatal(err)
	}
	s, err := d.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	return c.(*net.TCPConn), s
}

func TestListen(t *testing.T) {
	d := open(t, t.Context(), "127.0.0.0/8")
	client, c := d.through(t, append(sent(t, 1, theirs), "hello"...))
	client.CloseWrite()
	if got := c.RemoteAddr().String(); got != theirs.Client.String() {
		t.Errorf("the client is %s, want %s", got, theirs.Client)
	}
	if got := c.LocalAddr().String(); got != theirs.Proxy.String() {
		t.Errorf("it went to %s, want %s", got, theirs.Proxy)
	}
	if b, err := io.ReadAll(c); err != nil || string(b) != "hello" {
		t.Errorf("after the header: %q, %v", b, err)
	}
	client, c = d.through(t, append(sent(t, 2, theirs), "hello"...))
	client.CloseWrite()
	if b, err := io.ReadAll(c); err != nil || string(b) != "hello" {
		t.Errorf("read before anything was asked: %q, %v", b, err)
	}
	client, c = d.through(t, append(sent(t, 2, theirs), "hello"...))
	client.CloseWrite()
	if n, err := c.(io.WriterTo).WriteTo(io.Discard); err != nil || n != 5 {
		t.Errorf("copied %d bytes, %v", n, err)
	}
}

// TestOthersSendNone: what others say first is theirs.
func TestOthersSendNone(t *testing.T) {
	d := open(t, t.Context(), "10.0.0.0/8")
	header := sent(t, 1, theirs)
	client, c := d.through(t, header)
	if c.RemoteAddr().String() != client.LocalAddr().String() {
		t.Errorf("the client is %s, want %s", c.RemoteAddr(), client.LocalAddr())
	}
	client.CloseWrite()
	if b, err := io.ReadAll(c); err != nil || string(b) != string(header) {
		t.Errorf("read %q, %v", b, err)
	}
}

func TestErrorsAreCounted(t *testing.T) {
	for reason, first := range map[string]string{"missing": "GET / HTTP/1.1\r\n", "bad": "PROXY TCP4 x\r\n", "gone": ""} {
		d := open(t, t.Context(), "127.0.0.1/32")
		client, c := d.through(t, []byte(first))
		client.CloseWrite()
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: read %d bytes", reason, n)
		}
		if got := c.RemoteAddr().String(); got != client.LocalAddr().String() {
			t.Errorf("%s: the client is %s", reason, got)
		}
		if got := d.errors(t, reason); got != 1 {
			t.Errorf("%v errors with the reason %s", got, reason)
		}
		if _, err := client.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: the client is still connected", reason)
		}
	}
}

// TestStopsWaiting: a peer that says nothing is not waited for after the end.
func TestStopsWaiting(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d := open(t, ctx, "127.0.0.1/32")
	_, c := d.through(t, []byte("PROXY"))
	cancel()
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes", n)
	}
	if got := d.errors(t, "gone"); got != 1 {
		t.Errorf("%v are gone", got)
	}
}

// TestLate: a header that does not come in time is counted as late. The time here is the
// test's own: what is past is over at once.
func TestLate(t *testing.T) {
	d := open(t, t.Context(), "127.0.0.1/32")
	_, c := d.through(t, nil)
	if got := reason(c.(*conn).TCPConn.SetReadDeadline(time.Unix(1, 0))); got != "gone" {
		t.Errorf("an error of another kind is %q", got)
	}
	_, err := c.(*conn).TCPConn.Read(make([]byte, 1))
	if got := reason(err); got != "late" {
		t.Errorf("a timeout is %q", got)
	}
}

func TestNil(t *testing.T) {
	var a *Acceptor
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if a.Listen(t.Context(), ln) != ln {
		t.Error("a listener without an acceptor is another one")
	}
}

func TestSubnets(t *testing.T) {
	if _, err := Subnets([]string{"10.0.0.0"}); err == nil {
		t.Error("an address is taken as a subnet")
	}
	m, err := NewMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	a := m.Acceptor("web")
	if a.expects(tcp("10.0.0.1:1")) {
		t.Error("a header is expected before anybody was named")
	}
	a.Expect([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/10")})
	for address, want := range map[string]bool{
		"10.1.2.3:1": true, "[::ffff:10.1.2.3]:1": true, "[fe80::1%lo]:1": true, "11.0.0.1:1": false, "[::1]:1": false,
	} {
		if got := a.expects(tcp(address)); got != want {
			t.Errorf("from %s a header is expected: %v", address, got)
		}
	}
	if a.expects(&net.UnixAddr{Name: "x"}) {
		t.Error("a header is expected over a Unix socket")
	}
}
