package backend

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pires/go-proxyproto"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
)

var (
	clientAddr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1).To4(), Port: 1234}
	serverAddr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2).To4(), Port: 80}
)

// header makes a header of the PROXY protocol with TLVs.
func header(t testing.TB, version byte, command proxyproto.ProtocolVersionAndCommand, tlvs ...proxyproto.TLV) []byte {
	t.Helper()
	h := proxyproto.HeaderProxyFromAddrs(version, clientAddr, serverAddr)
	h.Command = command
	if err := h.SetTLVs(tlvs); err != nil {
		t.Fatal(err)
	}
	text, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func ticketTLV(text string) proxyproto.TLV {
	return proxyproto.TLV{Type: TicketTLV, Value: []byte(text)}
}

// accepted is what a listener's Accept returns, one after the other.
func accepted(ln net.Listener) <-chan net.Conn {
	all := make(chan net.Conn, 16)
	go func() {
		defer close(all)
		for {
			c, err := ln.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				all <- c
			}
		}
	}()
	return all
}

func dial(t testing.TB, ln *bufconn.Listener, first []byte) net.Conn {
	t.Helper()
	c, err := ln.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.Write(first); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestGuardListenerRefuses(t *testing.T) {
	sound := func(t *testing.T, text string) []byte {
		return header(t, 2, proxyproto.PROXY, ticketTLV(text))
	}
	long := append(bytes.Clone(proxyproto.SIGV2), 0x21, 0x11, 0x10, 0x01)
	for name, c := range map[string]struct {
		first func(t *testing.T, good string) []byte
		shut  bool   // by the client, after what it sent
		want  string // reason; empty: not counted
	}{
		"garbage": {func(*testing.T, string) []byte { return []byte("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n") }, false, "missing"},
		"v1": {func(t *testing.T, _ string) []byte {
			return []byte("PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\nhello")
		}, false, "missing"},
		"no TLV": {func(t *testing.T, _ string) []byte { return header(t, 2, proxyproto.PROXY) }, false, "missing"},
		"another TLV": {func(t *testing.T, good string) []byte {
			return header(t, 2, proxyproto.PROXY, proxyproto.TLV{Type: 0xE0, Value: []byte(good)})
		}, false, "missing"},
		"empty TLV":   {func(t *testing.T, _ string) []byte { return sound(t, "") }, false, "missing"},
		"bad ticket":  {func(t *testing.T, good string) []byte { return sound(t, good[1:]) }, false, "malformed"},
		"huge ticket": {func(t *testing.T, good string) []byte { return sound(t, good+strings.Repeat("A", 2<<10)) }, false, "malformed"},
		"huge header": {func(*testing.T, string) []byte { return long }, false, "malformed"},
		"bad command": {func(t *testing.T, good string) []byte { h := sound(t, good); h[12] = 0x2F; return h }, false, "malformed"},
		"bad TLV":     {func(t *testing.T, good string) []byte { h := sound(t, good); h[28+2]++; return h }, false, "malformed"},
		"breaks off":  {func(t *testing.T, good string) []byte { return sound(t, good)[:40] }, true, "malformed"},
		"slow":        {func(t *testing.T, good string) []byte { return sound(t, good)[:40] }, false, "malformed"},
		"slower":      {func(t *testing.T, good string) []byte { return sound(t, good)[:7] }, false, "missing"},
		"silent":      {func(*testing.T, string) []byte { return nil }, false, "missing"},
		"a check":     {func(*testing.T, string) []byte { return nil }, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				r, k := keyed(t, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
				bare := bufconn.Listen(1 << 16)
				ln := r.GuardListener(bare)
				conns := accepted(ln)
				good := sign(t, k, fleet.GrantID{Number: 1})
				begun := time.Now()
				bad := dial(t, bare, c.first(t, good))
				if c.shut {
					_ = bad.Close()
				}
				quick := dial(t, bare, sound(t, sign(t, k, fleet.GrantID{Number: 2}))) // is not held up
				if got := await(t, "the good one", conns); got.(*Conn).Grant() != "0.2" || time.Since(begun) != 0 {
					t.Errorf("let in %s, after %v", got.(*Conn).Grant(), time.Since(begun))
				}
				if !c.shut {
					if _, err := io.Copy(io.Discard, bad); err != nil || time.Since(begun) > headerTime {
						t.Errorf("the refused one ended after %v: %v", time.Since(begun), err)
					}
				}
				synctest.Wait()
				want := map[string]uint64{}
				if c.want != "" {
					want[c.want] = 1
				}
				if got := r.Refused(); !maps.Equal(got, want) || (log.Len() > 0) != (c.want != "") {
					t.Errorf("refused %v, want %v\n%s", got, want, log.String())
				}
				if strings.Contains(log.String(), good[len(good)-20:]) {
					t.Errorf("the log gives the ticket away: %s", log.String())
				}
				_ = quick.Close()
				_ = ln.Close()
			})
		})
	}
}

func TestGuardListenerLetsIn(t *testing.T) {
	for name, c := range map[string]struct {
		command proxyproto.ProtocolVersionAndCommand
		remote  string
	}{
		"PROXY": {proxyproto.PROXY, "192.0.2.1:1234"},
		"LOCAL": {proxyproto.LOCAL, "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			bare, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			r, k := keyed(t, Config{})
			ln := r.GuardListener(bare)
			defer ln.Close()
			conns := accepted(ln)
			client, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			first := header(t, 2, c.command, ticketTLV(sign(t, k, fleet.GrantID{Number: 1})))
			if _, err := client.Write(append(first, "hello, "...)); err != nil {
				t.Fatal(err)
			}
			server := await(t, "the connection", conns)
			if got := server.RemoteAddr().String(); !strings.HasPrefix(got, c.remote) {
				t.Errorf("from %s, want %s", got, c.remote)
			}
			if got := r.current().Named[InFlight]; got != 1 {
				t.Errorf("%v in flight, want 1", got)
			}
			go func() {
				_, _ = io.WriteString(client, "world")
				_ = client.(*net.TCPConn).CloseWrite()
			}()
			if got, err := io.ReadAll(server); string(got) != "hello, world" || err != nil {
				t.Errorf("read %q, %v", got, err)
			}
			if _, err := io.Copy(server, strings.NewReader("bye")); err != nil { // by ReadFrom
				t.Error(err)
			}
			if err := server.(*Conn).CloseWrite(); err != nil {
				t.Error(err)
			}
			if got, err := io.ReadAll(client); string(got) != "bye" || err != nil {
				t.Errorf("the client read %q, %v", got, err)
			}
			_ = server.Close()
			_ = server.Close()
			if r.count.inFlight.Load() != 0 || r.count.finished.Load() != 1 {
				t.Errorf("%d in flight, %d finished", r.count.inFlight.Load(), r.count.finished.Load())
			}
		})
	}
}

func TestACopyTakesWhatCameWithTheHeader(t *testing.T) {
	r, k := keyed(t, Config{})
	bare := bufconn.Listen(1 << 16)
	ln := r.GuardListener(bare)
	defer ln.Close()
	conns := accepted(ln)
	first := header(t, 2, proxyproto.PROXY, ticketTLV(sign(t, k, fleet.GrantID{Number: 1})))
	client := dial(t, bare, append(first, "hello"...))
	server := await(t, "the connection", conns)
	two := make([]byte, 2)
	if _, err := io.ReadFull(server, two); err != nil || string(two) != "he" {
		t.Errorf("read %q, %v", two, err)
	}
	_ = client.Close()
	var rest bytes.Buffer
	if _, err := io.Copy(&rest, server); err != nil || rest.String() != "llo" {
		t.Errorf("copied %q, %v", rest.String(), err)
	}
	if err := server.(*Conn).CloseWrite(); err == nil {
		t.Error("this kind of connection cannot be closed one way, and there is no error")
	}
	_ = server.Close()
}

func TestConnectionsOfDirectGrantsAreTold(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(talk *conversation, server *Conn)
		want fairleadv1.Outcome
	}{
		"closed":  {func(_ *conversation, server *Conn) { _ = server.Close() }, fairleadv1.Outcome_OUTCOME_OK},
		"failed":  {func(_ *conversation, server *Conn) { server.Fail(); _ = server.Close() }, fairleadv1.Outcome_OUTCOME_FAILED},
		"revoked": {func(talk *conversation, _ *Conn) { talk.revoke(41) }, fairleadv1.Outcome_OUTCOME_REVOKED},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t)
				cfg := m.config()
				cfg.Direct = true
				r, _ := start(t, cfg)
				talk := await(t, "a session", m.sessions)
				talk.report(t)
				bare := bufconn.Listen(1 << 16)
				ln := r.GuardListener(bare)
				conns := accepted(ln)
				client := dial(t, bare, header(t, 2, proxyproto.PROXY, ticketTLV(m.ticket(t, 41))))
				server := await(t, "the connection", conns)
				if got := talk.word(t); !proto.Equal(got, &fairleadv1.AgentMessage{Arrivals: []*fairleadv1.GrantID{grantOf(41)}}) {
					t.Errorf("got %v, want the arrival", got)
				}
				c.end(talk, server.(*Conn))
				want := &fairleadv1.AgentMessage{Dones: []*fairleadv1.Done{{Grant: grantOf(41), Outcome: c.want}}}
				if got := talk.word(t); !proto.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
				if _, err := io.Copy(io.Discard, client); err != nil {
					t.Errorf("the client: %v", err)
				}
				_ = ln.Close()
			})
		})
	}
}

// TestCloseEndsWhatNobodyAccepted: a listener that is closed leaves no connection open,
// no goroutine behind, and no grant untold.
func TestCloseEndsWhatNobodyAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		cfg := m.config()
		cfg.Direct = true
		r, _ := start(t, cfg)
		talk := await(t, "a session", m.sessions)
		talk.report(t)
		bare := bufconn.Listen(1 << 16)
		ln := r.GuardListener(bare)
		conns := make(chan net.Conn, 1)
		go func() {
			c, _ := ln.Accept()
			conns <- c
		}()
		tlv := func(n uint64) []byte { return header(t, 2, proxyproto.PROXY, ticketTLV(m.ticket(t, n))) }
		dial(t, bare, tlv(41))
		first := await(t, "a connection", conns)
		waiting, silent := dial(t, bare, tlv(42)), dial(t, bare, nil)
		synctest.Wait()
		if err := ln.Close(); err != nil {
			t.Error(err)
		}
		for _, c := range []net.Conn{waiting, silent} {
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Error(err)
			}
		}
		if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
		_ = first.Close()
		synctest.Wait()
		said := &fairleadv1.AgentMessage{}
		for _, word := range talk.words() {
			proto.Merge(said, word)
		}
		want := &fairleadv1.AgentMessage{
			Arrivals: []*fairleadv1.GrantID{grantOf(41), grantOf(42)},
			Dones: []*fairleadv1.Done{
				{Grant: grantOf(42), Outcome: fairleadv1.Outcome_OUTCOME_UNUSED},
				{Grant: grantOf(41), Outcome: fairleadv1.Outcome_OUTCOME_OK},
			},
		}
		if !proto.Equal(said, want) || len(r.Refused()) != 0 {
			t.Errorf("said %v, want %v; refused %v", said, want, r.Refused())
		}
	})
}

// failing is a listener whose first Accept fails.
type failing struct {
	net.Listener
	errs chan error
}

func (l failing) Accept() (net.Conn, error) {
	select {
	case err := <-l.errs:
		return nil, err
	default:
		return l.Listener.Accept()
	}
}

func TestAnErrorOfTheListenerIsHandedOn(t *testing.T) {
	r, k := keyed(t, Config{})
	bare := bufconn.Listen(1 << 16)
	errs := make(chan error, 1)
	errs <- errors.New("too many open files")
	ln := r.GuardListener(failing{bare, errs})
	if _, err := ln.Accept(); err == nil || err.Error() != "too many open files" {
		t.Errorf("Accept: %v", err)
	}
	dial(t, bare, header(t, 2, proxyproto.PROXY, ticketTLV(sign(t, k, fleet.GrantID{Number: 1}))))
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	_ = ln.Close()
}

func FuzzReadHeader(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\n"))
	f.Add(append(header(f, 2, proxyproto.PROXY, ticketTLV("text")), "more"...))
	f.Add(header(f, 2, proxyproto.LOCAL, ticketTLV("text"), proxyproto.TLV{Type: 0xE0}))
	f.Fuzz(func(t *testing.T, text []byte) {
		h, early, err := readHeader(bytes.NewReader(text))
		if err != nil {
			return
		}
		if !bytes.Contains(text, early) {
			t.Fatalf("%q comes after the header of %q", early, text)
		}
		if _, err := proxyproto.Read(bufio.NewReader(bytes.NewReader(text))); err != nil {
			t.Fatal(err)
		}
		_, _ = ticketOf(h)
	})
}
