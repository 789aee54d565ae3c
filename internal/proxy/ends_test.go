//go:build unix

package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
)

// TestDrain ends a proxy under a request: it runs on, is told, and nobody else comes in.
func TestDrain(t *testing.T) {
	c := newController(t)
	b := c.backend(t, 1, "one")
	a := testproc.FreeAddr(t)
	c.tables <- table(webAt(a, 1))
	p := start(t, Config{Dial: c.dial, DrainTimeout: soon})
	newClient(t).await(t, a, "one")
	held := make(chan answer, 1)
	go func() { held <- newClient(t).get("http://" + a + "/hold") }()
	<-b.held
	p.stop()
	awaitClosed(t, a)
	testproc.Await(t, soon, "the proxy to say so", func(context.Context) error {
		if err := p.Ready(); err == nil || !strings.Contains(err.Error(), "draining") {
			return fmt.Errorf("Ready = %v", err)
		}
		return nil
	})
	select {
	case err := <-p.ended:
		t.Fatalf("Run = %v while a request runs", err)
	default:
	}
	close(b.release)
	if got := <-held; got.err != nil || got.code != http.StatusOK || got.body != "one" {
		t.Errorf("the request that ran got %+v", got)
	}
	if err := p.end(t); err != nil {
		t.Errorf("Run = %v", err)
	}
	if grants, dones := c.counts(); grants != dones {
		t.Errorf("%d grants and %d dones when Run has returned", grants, dones)
	}
}

func TestDrainTimeout(t *testing.T) {
	c := newController(t)
	b := c.backend(t, 1, "one")
	a := testproc.FreeAddr(t)
	c.tables <- table(webAt(a, 1))
	p := start(t, Config{Dial: c.dial, DrainTimeout: 50 * time.Millisecond})
	newClient(t).await(t, a, "one")
	held := make(chan answer, 1)
	go func() { held <- newClient(t).get("http://" + a + "/hold") }()
	<-b.held
	p.stop()
	if err := p.end(t); err != nil {
		t.Errorf("Run = %v", err)
	}
	if got := <-held; got.err == nil && got.code == http.StatusOK {
		t.Errorf("a request that was cut got %+v", got)
	}
	if grants, dones := c.counts(); grants != dones {
		t.Errorf("%d grants and %d dones when Run has returned", grants, dones)
	}
}

// TestStartWithoutController starts a proxy that has a table of an earlier run: its
// listener is open, requests wait as long as they may, and are served when a controller
// comes.
func TestStartWithoutController(t *testing.T) {
	data := t.TempDir()
	a := testproc.FreeAddr(t)
	c := newController(t)
	c.backend(t, 1, "one")
	c.tables <- table(webAt(a, 1))
	p := start(t, Config{Dial: c.dial, Data: data})
	newClient(t).await(t, a, "one")
	<-p.Up() // the table is kept before
	p.stop()
	if err := p.end(t); err != nil {
		t.Fatal(err)
	}

	alone := start(t, Config{
		Dial: to(testproc.FreeAddr(t)), Data: data, Patience: 100 * time.Millisecond, StartTimeout: time.Millisecond,
	})
	testproc.AwaitTCP(t, soon, a)
	got := newClient(t).get("http://" + a + "/")
	if got.err != nil || got.code != http.StatusServiceUnavailable || !strings.Contains(got.body, "no controller") {
		t.Errorf("without a controller a request got %+v, want 503 and the reason", got)
	}
	if err := alone.Ready(); err == nil || !strings.Contains(err.Error(), "no controller") {
		t.Errorf("Ready = %v", err)
	}
	alone.stop()
	if err := alone.end(t); err != nil {
		t.Errorf("Run = %v", err)
	}

	again := start(t, Config{Dial: c.dial, Data: data}) // a controller that has said nothing yet
	testproc.AwaitTCP(t, soon, a)
	waits := make(chan answer, 1)
	go func() { waits <- newClient(t).get("http://" + a + "/") }()
	c.tables <- table(webAt(a, 1))
	if got := <-waits; got.err != nil || got.body != "one" {
		t.Errorf("a request that waited for the controller got %+v", got)
	}
	<-again.Up()
}

// TestServeAloneFromTheStart starts a proxy whose controller is away, with what an earlier run
// has kept: it serves within its share of the slots.
func TestServeAloneFromTheStart(t *testing.T) {
	data, a := t.TempDir(), testproc.FreeAddr(t)
	c := newController(t)
	c.backend(t, 1, "one")
	tab := table(webAt(a, 1))
	tab.Pools = tab.Pools[:1]
	tab.Pools[0].Alone, tab.Pools[0].QueueLimit, tab.Pools[0].QueueTimeoutMs = true, 10, uint64(soon.Milliseconds())
	backends := &fairleadv1.LastBackends{Pools: map[string]*fairleadv1.PoolBackends{
		tab.Pools[0].Name: {Pool: 1, Backends: []*fairleadv1.ChoosableBackend{{Address: c.backends[1], Share: 1}}},
	}}
	if err := errors.Join(writeKept(data, tableFile, tab), writeKept(data, backendsFile, backends)); err != nil {
		t.Fatal(err)
	}
	p := start(t, Config{Dial: to(testproc.FreeAddr(t)), Data: data, StartTimeout: time.Millisecond})
	testproc.AwaitTCP(t, soon, a)
	if got := newClient(t).get("http://" + a + "/"); got.err != nil || got.body != "one" {
		t.Errorf("without a controller a request got %+v, want an answer", got)
	}
	if err := p.Ready(); err != nil {
		t.Errorf("Ready = %v", err)
	}
	p.stop()
	if err := p.end(t); err != nil {
		t.Errorf("Run = %v", err)
	}
	kept := &fairleadv1.LastBackends{}
	if err := readKept(filepath.Join(data, backendsFile), kept); err != nil || len(kept.GetPools()) != 1 {
		t.Errorf("what is known of backends was not kept: %v, %v", kept, err)
	}
}

// TestKeptFilesAreWholeOrNothing cuts and changes a file at each place.
func TestKeptFilesAreWholeOrNothing(t *testing.T) {
	dir := t.TempDir()
	if err := writeKept(dir, tableFile, table(webAt("127.0.0.1:1", 1))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, tableFile)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 4
		for what, content := range map[string][]byte{"cut": whole[:i], "changed": changed} {
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
			got := &fairleadv1.Table{}
			if err := readKept(file, got); err == nil {
				t.Errorf("%s at byte %d it reads as %v", what, i, got)
			}
		}
	}
}

// TestBadTableFile starts proxies whose kept table is no table, or one that does not fit.
func TestBadTableFile(t *testing.T) {
	for name, content := range map[string][]byte{
		"garbage": []byte("\xff\xff no table"), "empty": {}, "cut": {0x12, 0x50, 0x0a},
		"large": make([]byte, maxKept+1),
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			if err := os.WriteFile(filepath.Join(data, tableFile), content, 0o600); err != nil {
				t.Fatal(err)
			}
			c := newController(t)
			c.backend(t, 1, "one")
			a := testproc.FreeAddr(t)
			c.tables <- table(webAt("192.0.2.1:80", 1))
			p := start(t, Config{Dial: c.dial, Data: data, Listen: map[string]string{"web": a}})
			newClient(t).await(t, a, "one")
			<-p.Up()
			kept := &fairleadv1.Table{}
			if err := readKept(filepath.Join(data, tableFile), kept); err != nil || len(kept.GetListeners()) != 1 {
				t.Errorf("the file was not mended: %v, %v", kept, err)
			}
		})
	}
}

// TestDataThatCannotBeWritten shows that a proxy serves without a place for its table.
func TestDataThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := newController(t)
	c.backend(t, 1, "one")
	a := testproc.FreeAddr(t)
	c.tables <- table(webAt(a, 1))
	start(t, Config{Dial: c.dial, Data: filepath.Join(file, "below")})
	newClient(t).await(t, a, "one")
}

func TestNoControllerAtStart(t *testing.T) {
	err := start(t, Config{Dial: to(testproc.FreeAddr(t)), StartTimeout: 100 * time.Millisecond}).end(t)
	if err == nil || !strings.Contains(err.Error(), "no session with a controller") {
		t.Errorf("Run = %v, want it to say that there was none", err)
	}
}
