//go:build unix

package claims

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/sdk/client"
	"github.com/fairlead/fairlead/test/tap"
)

// C1.f, with direct links: the client is sent on to the granted backend, and talks to it
// without a proxy between. Once for backends that check tickets themselves, and once for
// backends that know nothing, behind the gates of their agents.
func linkIsDirect(t *testing.T) {
	for name, how := range map[string]reporting{"SDK": guards, "gate": gates} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of it waits for tickets to expire
			const link = "link: direct\nticket_life: 1s"
			f := start(t, plan{proxies: 3, backends: 1, slots: slots, queue: queueLimit, reports: how,
				pools: map[string]string{web: link, raw: link}})
			d := &directFleet{fleet: f, b: f.backends[0]}
			d.web, d.raw = d.b.web, d.b.raw
			if how == gates {
				d.web, d.raw = d.b.webGate, d.b.rawGate
			}
			var err error
			if d.sdk, err = client.New(client.Config{Locators: []string{"http://" + f.admin}}); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(d.sdk.CloseIdleConnections)
			for _, part := range []struct {
				name  string
				proof func(*testing.T)
			}{{"HTTP, a ticket", d.ticketsOverHTTP}, {"TCP, a ticket", d.ticketsOverTCP}, {"HTTP", d.overHTTP}, {"TCP", d.overTCP}} {
				t.Run(part.name, func(t *testing.T) {
					t.Cleanup(func() { f.awaitLoads(t, 0) })
					part.proof(t)
				})
			}
		})
	}
}

// directFleet is a fleet of one backend with direct links.
type directFleet struct {
	*fleet
	b        *backend
	web, raw string // where clients come
	sdk      *client.Client
}

func arrivalsIn(h tap.Heard) []*fairleadv1.GrantID {
	m, _ := h.Message.(*fairleadv1.AgentMessage)
	return m.GetArrivals()
}

func endsIn(h tap.Heard) []*fairleadv1.Done {
	m, _ := h.Message.(*fairleadv1.AgentMessage)
	return m.GetDones()
}

// wantOwn wants a client's socket to be connected to the backend's door, and where the
// backend has no gate, to be its peer; and no proxy to have a link.
func (d *directFleet) wantOwn(t *testing.T, local, remote, door string, peers ...string) {
	t.Helper()
	if remote != door {
		t.Errorf("the client's socket leads to %s, and clients come to the backend at %s", remote, door)
	}
	if d.reports == guards && !slices.Contains(peers, local) {
		t.Errorf("the client's socket is %s, and the backend's peers are %v", local, peers)
	}
	if runtime.GOOS != "linux" {
		return // only there /proc tells whose a socket is
	}
	all := established(t)
	if !(socket{local: local, remote: door}).in(t, all, inodesOf(t, os.Getpid())) {
		t.Errorf("the link %s to %s is not the client's", local, door)
	}
	for _, p := range d.alive() {
		its := inodesOf(t, p.PID())
		for _, to := range []string{d.web, d.raw, d.b.web, d.b.raw} {
			if (socket{remote: to}).in(t, all, its) {
				t.Errorf("%s has a link to %s", p.Name(), to)
			}
		}
	}
}

// alive returns the proxies that were not killed.
func (d *directFleet) alive() []*proxy {
	return slices.DeleteFunc(slices.Clone(d.proxies), func(p *proxy) bool {
		select {
		case <-p.Done():
			return true
		default:
			return false
		}
	})
}

// overHTTP: a plain client follows the answer of p1, sdk/client does, and a third has to
// wait until the backend says that one is over, whatever becomes of p1.
func (d *directFleet) overHTTP(t *testing.T) {
	p1, p2 := d.proxies[0], d.proxies[1]
	mark := d.tap.Mark()
	plain := d.hold(t, p1)
	d.wantOwn(t, plain.local, plain.remote, d.web, plain.header.Get("Peer"))
	grant := grantNumber(d.decided(t, mark, p1, web).grant.it.GetId())
	await(t, d.fleet, mark, d.b.web, "that the client of "+grant+" came", arrivalsIn,
		func(id *fairleadv1.GrantID) bool { return grantNumber(id) == grant })
	knowing := d.begin(t, &http.Client{Transport: d.sdk.RoundTripper("web")}, p2, "http://claims.test/hold").awaitHead(t)
	d.wantOwn(t, knowing.local, knowing.remote, d.web, knowing.header.Get("Peer"))
	d.awaitLoads(t, slots)
	waits := d.get(t, p2, "/hold")
	d.awaitQueued(t, 1, slots)
	p1.Kill()
	d.awaitAway(t, p1)
	d.awaitQueued(t, 1, slots)
	if said := slices.Concat(all(d.fleet, mark, "", endsIn), all(d.fleet, mark, "", donesIn)); len(said) > 0 {
		t.Errorf("both requests run, and %s said that one is over: %v", said[0].Who, said[0].it)
	}
	d.b.release(t, 1)
	waits.awaitHead(t)
	await(t, d.fleet, mark, d.b.web, "that one is over", endsIn, whatever)
	d.b.release(t, 2)
	for _, c := range []*call{plain, knowing, waits} {
		if c.awaitDone(t); c.err != nil || c.body != d.b.name {
			t.Errorf("an answer is %q, error %v", c.body, c.err)
		}
	}
}

// awaitAway waits until the controller knows that a proxy is gone.
func (d *directFleet) awaitAway(t *testing.T, gone *proxy) {
	t.Helper()
	d.awaitProxy(t, gone, "away", func(s *fairleadv1.ProxyStanding) bool { return !s.GetConnected() })
}

// ticketsOverHTTP: a ticket is good once, and one that nobody uses frees its slot.
func (d *directFleet) ticketsOverHTTP(t *testing.T) {
	p := d.proxies[2]
	address := d.sentTo(t, p)
	for _, want := range []struct {
		status int
		reason string
	}{{http.StatusOK, ""}, {http.StatusForbidden, "ticket_replayed"}} {
		d.wantAnswer(t, address, want.status, want.reason)
	}
	d.awaitLoads(t, 0)
	mark := d.tap.Mark()
	address = d.sentTo(t, p)
	d.awaitLoads(t, 1)
	d.awaitLoads(t, 0)
	if came := all(d.fleet, mark, "", arrivalsIn); len(came) > 0 {
		t.Errorf("a client never came, and %s said that it did", came[0].Who)
	}
	d.wantAnswer(t, address, http.StatusForbidden, "ticket_expired")
	resp, err := fetch(t.Context(), direct, "http://"+d.web+"/")
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a ticket: %s", resp.Status)
	}
}

// sentTo returns the address to which a proxy sends a client, who does not go there.
func (d *directFleet) sentTo(t *testing.T, p *proxy) string {
	t.Helper()
	resp, err := fetch(t.Context(), stay, "http://"+p.web+"/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	to := resp.Header.Get("Location")
	if resp.StatusCode != http.StatusTemporaryRedirect || !strings.HasPrefix(to, "http://"+d.web+"/") {
		t.Fatalf("%s answers %s and %v, and does not send the client on", p.Name(), resp.Status, resp.Header)
	}
	return to
}

func (d *directFleet) wantAnswer(t *testing.T, address string, status int, reason string) {
	t.Helper()
	resp, err := fetch(t.Context(), direct, address)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("Fairlead-Reason"); resp.StatusCode != status || got != reason {
		t.Errorf("a ticket was answered %s, %q; want %d, %q", resp.Status, got, status, reason)
	}
}

// overTCP is overHTTP for connections, by sdk/client. The proxy that is killed is the one
// that gave the grants.
func (d *directFleet) overTCP(t *testing.T) {
	choice, err := d.sdk.Choose(t.Context(), "raw")
	if err != nil || choice.Link != client.Direct {
		t.Fatalf("the choice is %v, error %v", choice, err)
	}
	p := d.proxy(choice.Proxies[0].Name)
	mark := d.tap.Mark()
	var lines []*line
	for range slots {
		conn, err := d.sdk.DialContext(t.Context(), "raw")
		if err != nil {
			t.Fatal(err)
		}
		l := d.greeted(t, p, conn)
		d.wantOwn(t, l.LocalAddr().String(), l.RemoteAddr().String(), d.raw, d.b.stats(t).TCPPeers...)
		lines = append(lines, l)
	}
	p.Kill()
	d.awaitAway(t, p)
	third := d.dialing()
	d.awaitQueued(t, 1, slots)
	for _, l := range lines {
		if err := l.echo("hello"); err != nil {
			t.Errorf("%s was killed, and a direct connection says %v", p.Name(), err)
		}
	}
	if said := all(d.fleet, mark, "", endsIn); len(said) > 0 {
		t.Errorf("both connections are open, and %s said that one is over: %v", said[0].Who, said[0].it)
	}
	lines[0].Close()
	last := <-third
	if last.err != nil {
		t.Fatal(last.err)
	}
	await(t, d.fleet, mark, d.b.raw, "that one is over", endsIn, whatever)
	l := d.greeted(t, p, last.conn)
	d.awaitLoads(t, slots)
	l.Close()
	lines[1].Close()
}

type dialed struct {
	conn net.Conn
	err  error
}

// dialing begins a connection by sdk/client.
func (d *directFleet) dialing() <-chan dialed {
	c := make(chan dialed, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), soon)
		defer cancel()
		conn, err := d.sdk.DialContext(ctx, "raw")
		c <- dialed{conn, err}
	}()
	return c
}

// ticketsOverTCP is ticketsOverHTTP for connections.
func (d *directFleet) ticketsOverTCP(t *testing.T) {
	ticket := d.grantOf(t, d.proxies[2])
	for i, want := range []string{d.b.name + "\n", ""} {
		conn := d.show(t, ticket)
		greeting := make([]byte, len(d.b.name)+1)
		n, err := io.ReadFull(conn, greeting)
		if string(greeting[:n]) != want || want == "" && errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("use %d of a ticket was greeted with %q, error %v", i+1, greeting[:n], err)
		}
		conn.Close()
	}
	d.awaitLoads(t, 0)
	mark := d.tap.Mark()
	ticket = d.grantOf(t, d.proxies[2])
	d.awaitLoads(t, 1)
	d.awaitLoads(t, 0)
	if came := all(d.fleet, mark, "", arrivalsIn); len(came) > 0 {
		t.Errorf("a client never came, and %s said that it did", came[0].Who)
	}
	conn := d.show(t, ticket)
	if heard, err := io.ReadAll(conn); len(heard) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a ticket that has expired was greeted with %q, error %v", heard, err)
	}
}

// grantOf has a proxy give a grant, and returns its ticket.
func (d *directFleet) grantOf(t *testing.T, p *proxy) string {
	t.Helper()
	resp, err := direct.Post("http://"+p.raw+"/v1/grant", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var grant struct{ Public, Ticket string }
	if err := json.NewDecoder(resp.Body).Decode(&grant); err != nil || grant.Public != d.raw {
		t.Fatalf("%s answers %s, %v, error %v", p.Name(), resp.Status, grant, err)
	}
	return grant.Ticket
}

// show connects to the backend and shows a ticket.
func (d *directFleet) show(t *testing.T, ticket string) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", d.raw, soon)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	head := proxyproto.HeaderProxyFromAddrs(2, conn.LocalAddr(), conn.RemoteAddr())
	err = errors.Join(conn.SetDeadline(time.Now().Add(soon)), head.SetTLVs([]proxyproto.TLV{{Type: 0xE4, Value: []byte(ticket)}}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := head.WriteTo(conn); err != nil {
		t.Fatal(fmt.Errorf("the ticket: %w", err))
	}
	return conn
}
