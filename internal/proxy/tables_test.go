//go:build unix

package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
)

// TestTablesChange brings a proxy from table to table while a client's connection to the
// listener that stays, and a request on one that goes, go on.
func TestTablesChange(t *testing.T) {
	c := newController(t)
	first, _ := c.backend(t, 1, "one"), c.backend(t, 2, "two")
	a, b, moved := testproc.FreeAddr(t), testproc.FreeAddr(t), testproc.FreeAddr(t)
	http1 := fairleadv1.Protocol_PROTOCOL_HTTP
	c.tables <- table(webAt(a, 1))
	p := start(t, Config{Dial: c.dial, DrainTimeout: soon})
	stays := newClient(t)
	stays.await(t, a, "one")
	if p.Ready() != nil || p.Address("web") != a {
		t.Errorf("Ready = %v, the address is %q; want %s", p.Ready(), p.Address("web"), a)
	}

	c.tables <- table(webAt(a, 1), place{"other", b, http1, 2})
	newClient(t).await(t, b, "two")
	goesOn(t, stays, a, "one")

	c.tables <- table(webAt(a, 2), place{"other", b, http1, 1})
	newClient(t).await(t, b, "one") // by its new route
	goesOn(t, stays, a, "two")

	held := make(chan answer, 1)
	go func() { held <- newClient(t).get("http://" + b + "/hold") }()
	<-first.held
	c.tables <- table(webAt(a, 2), place{"other", moved, http1, 1})
	newClient(t).await(t, moved, "one")
	awaitClosed(t, b)
	goesOn(t, stays, a, "two")

	c.tables <- table(webAt(a, 2))
	awaitClosed(t, moved)
	if got := p.Address("other"); got != "" {
		t.Errorf("a listener that is gone is at %q", got)
	}
	goesOn(t, stays, a, "two")
	close(first.release)
	if got := <-held; got.err != nil || got.code != http.StatusOK || got.body != "one" {
		t.Errorf("the request on the listener that moved got %+v", got)
	}
}

// goesOn shows that a client's connection is still the one that it had.
func goesOn(t *testing.T, c client, address, body string) {
	t.Helper()
	if got := c.get("http://" + address + "/"); got.err != nil || got.body != body || !got.reused {
		t.Errorf("on a kept connection: %+v, want %q on the same one", got, body)
	}
}

// TestAddressChangesHands has listeners swap addresses, and one take another's place and
// protocol, all of which need the old ones to be closed first.
func TestAddressChangesHands(t *testing.T) {
	c := newController(t)
	c.backend(t, 1, "one")
	c.backend(t, 2, "two")
	echo := greeter(t)
	c.mu.Lock()
	c.backends[3] = echo
	c.mu.Unlock()
	a, b := testproc.FreeAddr(t), testproc.FreeAddr(t)
	http1, tcp := fairleadv1.Protocol_PROTOCOL_HTTP, fairleadv1.Protocol_PROTOCOL_TCP
	c.tables <- table(webAt(a, 1), place{"other", b, http1, 2})
	p := start(t, Config{Dial: c.dial})
	newClient(t).await(t, b, "two")
	for range 5 {
		c.tables <- table(webAt(b, 1), place{"other", a, http1, 2})
		newClient(t).await(t, b, "one")
		c.tables <- table(webAt(a, 1), place{"other", b, http1, 2})
		newClient(t).await(t, b, "two")
	}
	c.tables <- table(place{"third", a, tcp, 3}, place{"other", b, tcp, 3})
	for _, address := range []string{a, b} {
		testproc.Await(t, soon, "a greeting", func(context.Context) error {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				return err
			}
			defer conn.Close()
			if got, err := io.ReadAll(conn); string(got) != "hello" {
				return fmt.Errorf("%q, %v", got, err)
			}
			return nil
		})
	}
	if s := p.status(); len(s.GetListeners()) != 2 || s.GetListeners()[0].GetError() != "" {
		t.Errorf("status = %v", s)
	}
}

// greeter is a TCP backend that says hello and closes.
func greeter(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, "hello")
			c.Close()
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return ln.Addr().String()
}

func TestPortInUseAtStart(t *testing.T) {
	taken := greeter(t)
	c := newController(t)
	c.tables <- table(webAt(taken, 1))
	err := start(t, Config{Dial: c.dial}).end(t)
	if err == nil {
		t.Fatal("Run = nil")
	}
	for _, words := range []string{`listener "web"`, taken, "in use", "--listen web="} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("Run = %v, want it to say %q", err, words)
		}
	}
	if strings.Contains(err.Error(), "bind:") {
		t.Errorf("Run = %v, want a plain sentence", err)
	}
}

// TestPortInUseLater shows that a table with a listener that cannot be opened harms no
// other, is told to the controller, and is mended when the port is free.
func TestPortInUseLater(t *testing.T) {
	t.Parallel()
	c := newController(t)
	c.backend(t, 1, "one")
	a := testproc.FreeAddr(t)
	ln, err := net.Listen("tcp", testproc.FreeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	taken := ln.Addr().String()
	c.tables <- table(webAt(a, 1))
	start(t, Config{Dial: c.dial})
	stays := newClient(t)
	stays.await(t, a, "one")
	c.tables <- table(webAt(a, 1), place{"other", taken, fairleadv1.Protocol_PROTOCOL_HTTP, 1})
	testproc.Await(t, soon, "the controller to hear of it", func(context.Context) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, l := range c.status.GetListeners() {
			if l.GetName() == "other" && l.GetAddress() == "" && strings.Contains(l.GetError(), "in use") {
				return nil
			}
		}
		return errors.New("it has not")
	})
	goesOn(t, stays, a, "one")
	ln.Close()
	newClient(t).await(t, taken, "one")
}

func TestOverrides(t *testing.T) {
	c := newController(t)
	c.backend(t, 1, "one")
	c.tables <- table(webAt("192.0.2.1:80", 1)) // not an address of this host
	here := testproc.FreeAddr(t)
	start(t, Config{Dial: c.dial, Listen: map[string]string{"web": here}})
	newClient(t).await(t, here, "one")

	c = newController(t)
	c.tables <- table(webAt(testproc.FreeAddr(t), 1))
	err := start(t, Config{Dial: c.dial, Listen: map[string]string{"wbe": here}}).end(t)
	if err == nil || !strings.Contains(err.Error(), `no listener named "wbe"`) || !strings.Contains(err.Error(), `"web"`) {
		t.Errorf("with an override of an unknown listener Run = %v; want the names", err)
	}
}
