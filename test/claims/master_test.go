//go:build unix

package claims

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
	"github.com/fairlead/fairlead/test/tap"
)

// C9: a proxy does as the controller says, as long as it is connected.
func controllerIsObeyed(t *testing.T, f *fleet) {
	t.Run("each request has its grant", func(t *testing.T) { eachHasItsGrant(t, f) })
	t.Run("a flood", func(t *testing.T) { flood(t, f) })
	t.Run("no", func(t *testing.T) { noMeansNo(t, f) })
	t.Run("queue full", func(t *testing.T) { queueFull(t, f) })
	t.Run("another backend", func(t *testing.T) { anotherBackend(t, f) })
}

// eachHasItsGrant has one request at a time by each proxy, so that each can be told
// apart on the wire.
func eachHasItsGrant(t *testing.T, f *fleet) {
	for range 50 {
		var both []*call
		for _, p := range f.proxies {
			both = append(both, f.get(t, p, "/"))
		}
		for _, c := range both {
			c.awaitHead(t).awaitDone(t)
			if b := f.backend(f.decided(t, c.place, c.by, web).grant.it.GetBackend()); c.backend(t, f) != b {
				t.Fatalf("%s was granted, and %s served", b.name, c.backend(t, f).name)
			}
		}
	}
}

// flood has many requests at once, and wants each backend to have seen as many as
// grants named it; and never more on the way.
func flood(t *testing.T, f *fleet) {
	const many, atOnce = 300, 8
	f.awaitLoads(t, 0, 0, 0) // so that every grant before the mark has been used
	mark := f.tap.Mark()
	before := past{seen: map[*backend]int{}, own: f.ownDecisions(t)}
	for _, b := range f.backends {
		before.seen[b] = len(b.stats(t).IDs)
	}
	var calls []*call
	for i := range many {
		if i >= atOnce {
			calls[i-atOnce].awaitDone(t)
		}
		calls = append(calls, f.get(t, f.proxies[i%2], "/"))
		if i%20 == 0 {
			balance(t, f, mark, before, false)
		}
	}
	served := map[*backend]int{}
	for _, c := range calls {
		served[c.awaitHead(t).awaitDone(t).backend(t, f)]++
	}
	balance(t, f, mark, before, true)
	for _, b := range f.backends {
		if c := b.stats(t); len(c.IDs)-before.seen[b] != served[b] || c.Most > slots {
			t.Errorf("%s saw %d requests and %d answers are its; with %d slots it had %d at once",
				b.name, len(c.IDs)-before.seen[b], served[b], slots, c.Most)
		}
	}
}

// past is what was counted before a flood.
type past struct {
	seen map[*backend]int // requests
	own  int              // decisions of the proxies' own
}

// ownDecisions returns how many requests the proxies have served by their shares: a controller
// that leaves an ask unanswered for 20 ms, as on a machine that is very busy, counts as gone
// until it answers.
func (f *fleet) ownDecisions(t *testing.T) int {
	t.Helper()
	total := 0.0
	for _, p := range f.proxies {
		n, err := testproc.Metric(t.Context(), p.admin, "fairlead_proxy_decisions_total", `by="share",pool="`+web+`"`)
		if err != nil {
			t.Fatal(err)
		}
		total += n
	}
	return int(total)
}

// balance wants no backend to have seen more requests than grants have named it since a
// place on the wire; and once all is over, as many, and some. Where proxies had to decide
// by themselves, no grant of theirs was heard, and some that were heard came too late.
func balance(t *testing.T, f *fleet, from int, before past, over bool) {
	t.Helper()
	for _, b := range f.backends {
		// In this order: what comes between the looks is a grant too many.
		saw := len(b.stats(t).IDs) - before.seen[b]
		granted := 0
		for _, g := range all(f, from, "", grantsIn) {
			if g.it.GetBackend() == b.web {
				granted++
			}
		}
		own := f.ownDecisions(t) - before.own
		if saw > granted+own || over && (own == 0 && saw != granted || saw == 0) {
			t.Fatalf("%s saw %d requests, %d grants named it, and the proxies decided %d times themselves", b.name, saw, granted, own)
		}
	}
}

// noMeansNo: the backends are alive and can be reached, but an operator has drained them.
func noMeansNo(t *testing.T, f *fleet) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*soon)
	defer cancel()
	undrain := func() {
		for _, b := range f.backends {
			for _, address := range []string{b.web, b.raw} {
				if _, err := f.tools.Undrain(ctx, &fairleadv1.UndrainRequest{Backend: address}); err != nil {
					t.Error(err)
				}
			}
		}
	}
	defer undrain() // before ctx ends
	for _, b := range f.backends {
		for _, address := range []string{b.web, b.raw} {
			if _, err := f.tools.Drain(ctx, &fairleadv1.DrainRequest{Backend: address}); err != nil {
				t.Fatal(err)
			}
		}
		testproc.AwaitHTTP(t, soon, "http://"+b.web+"/")
	}
	for _, p := range f.proxies {
		wantRefused(t, f, f.get(t, p, "/"), http.StatusServiceUnavailable, fairleadv1.Reason_REASON_NO_BACKEND, "no_backend")
		wantReset(t, f, p)
	}
	undrain()
	for _, p := range f.proxies {
		f.get(t, p, "/").awaitHead(t).awaitDone(t)
	}
}

// wantRefused wants the client to be told what the controller said, and no backend to
// have seen the request.
func wantRefused(t *testing.T, f *fleet, c *call, status int, why fairleadv1.Reason, word string) {
	t.Helper()
	wait(t, "an answer", c.done)
	said := await(t, f, c.place, c.by.Name(), "a refusal", refusalsIn, whatever)
	if said.it.GetReason() != why {
		t.Errorf("refused for %v, not %v", said.it.GetReason(), why)
	}
	if c.status != status || c.header.Get("Fairlead-Reason") != word || c.header.Get("Retry-After") == "" {
		t.Errorf("the controller refused, and %s answered %d, %v", c.by.Name(), c.status, c.header)
	}
	if saw := f.sawWhere(t, c.id); len(saw) > 0 {
		t.Errorf("the controller refused a request, and %v saw it", saw)
	}
}

// wantReset wants a TCP connection to be ended before any backend has greeted.
func wantReset(t *testing.T, f *fleet, p *proxy) {
	t.Helper()
	mark := f.tap.Mark()
	conn, err := net.DialTimeout("tcp", p.raw, soon)
	switch {
	case errors.Is(err, syscall.ECONNRESET): // so soon that connecting fails
	case err != nil:
		t.Fatal(err)
	default:
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(soon)); err != nil {
			t.Fatal(err)
		}
		if heard, err := io.ReadAll(conn); len(heard) > 0 || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the controller refused a connection, and the client heard %q, error %v", heard, err)
		}
	}
	await(t, f, mark, p.Name(), "a refusal", refusalsIn, whatever)
}

// queueFull: every slot is taken, and as many wait as may.
func queueFull(t *testing.T, f *fleet) {
	f.fill(t)
	var waiting []*call
	for i := range queueLimit {
		waiting = append(waiting, f.get(t, f.proxies[i%2], "/"))
	}
	f.awaitQueued(t, queueLimit, 2, 2, 2)
	for _, p := range f.proxies {
		wantRefused(t, f, f.get(t, p, "/"), http.StatusTooManyRequests, fairleadv1.Reason_REASON_QUEUE_FULL, "queue_full")
	}
	f.free(t, 1, 1, 1)
	for _, c := range waiting {
		c.awaitHead(t).awaitDone(t)
	}
}

// anotherBackend: grants are changed on their way, and the proxy obeys the word that it
// gets, whatever the backend.
func anotherBackend(t *testing.T, f *fleet) {
	f.awaitLoads(t, 0, 0, 0)
	for _, b := range f.backends {
		f.edit(t, func(h tap.Heard) {
			for _, g := range grantsIn(h) {
				g.Backend = b.addressIn(f.poolOf(g.GetBackend()))
			}
		})
		for range 3 {
			for _, p := range f.proxies {
				c := f.get(t, p, "/").awaitHead(t).awaitDone(t)
				if saw := f.sawWhere(t, c.id); !slices.Equal(saw, []string{b.name}) {
					t.Errorf("the grant names %s, and %v saw the request", b.name, saw)
				}
				l := f.dial(t, p)
				if l.to != b {
					t.Errorf("the grant names %s, and %s greets", b.name, l.to.name)
				}
				l.Close()
			}
		}
	}
}

// poolOf returns which pool has a backend at an address.
func (f *fleet) poolOf(address string) string {
	if b := f.backend(address); b != nil && b.raw == address {
		return raw
	}
	return web
}
