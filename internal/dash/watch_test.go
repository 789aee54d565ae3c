package dash

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// nextEvent reads one server-sent event: its name and its data.
func nextEvent(t *testing.T, from *bufio.Scanner) (name, data string) {
	t.Helper()
	for from.Scan() {
		line := from.Text()
		switch {
		case line == "":
			return name, data
		case strings.HasPrefix(line, "event: "):
			name = line[len("event: "):]
		case strings.HasPrefix(line, "data: "):
			data = line[len("data: "):]
		default:
			t.Fatalf("not a line of an event: %q", line)
		}
	}
	t.Fatalf("the stream ended: %v", from.Err())
	return "", ""
}

func TestWatch(t *testing.T) {
	f := &fakeFleet{}
	server := httptest.NewServer(newTestServer(f).Handler())
	defer server.Close()
	answer, err := server.Client().Get(server.URL + "/api/v1/watch")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if mime := answer.Header.Get("Content-Type"); mime != "text/event-stream" {
		t.Fatalf("got %s", mime)
	}
	events := bufio.NewScanner(answer.Body)
	events.Buffer(nil, 1<<20)
	if name, data := nextEvent(t, events); name != "ready" || data != `{"ready":true,"why":""}` {
		t.Errorf("got %q %s", name, data)
	}
	name, first := nextEvent(t, events)
	if name != "" || !strings.Contains(first, `"render"`) {
		t.Errorf("got %q %s", name, first)
	}
	f.set(func() { f.notYet = errBroken })
	for name != "ready" {
		name, _ = nextEvent(t, events)
	}
	if _, second := nextEvent(t, events); second == first {
		t.Error("the snapshot did not change")
	}
	f.set(func() { f.err = errBroken })
	for name != "problem" {
		var data string
		if name, data = nextEvent(t, events); name == "problem" && data != `{"error":"the disk is on fire"}` {
			t.Errorf("got %s", data)
		}
	}
}

func TestSamplerLivesWhileSomebodyWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		samples := 0
		h := newHub(func(context.Context) []byte {
			samples++
			return fmt.Appendf(nil, "%d", samples)
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if samples != 0 {
			t.Fatalf("%d samples, and nobody watches", samples)
		}
		a, _ := h.join()
		if got := string(<-a); got != "1" {
			t.Fatalf("first frame: %s", got)
		}
		b, _ := h.join()
		if got := string(<-b); got != "1" {
			t.Fatalf("who comes later waits for a frame: %s", got)
		}
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if samples != 21 {
			t.Errorf("%d samples in 10 s for two, want 21", samples)
		}
		if got := string(<-a); got != "21" {
			t.Errorf("who was slow got frame %s, not the newest", got)
		}
		h.leave(a)
		h.leave(a) // twice does nothing
		h.leave(b)
		time.Sleep(time.Minute)
		synctest.Wait()
		if samples != 21 {
			t.Errorf("%d samples after all left", samples)
		}
		c, _ := h.join() // and it starts again
		if got := string(<-c); got != "22" {
			t.Errorf("got frame %s", got)
		}
		h.leave(c)
	})
}

func TestSlowSamplesComeSlower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		samples := 0
		h := newHub(func(context.Context) []byte {
			samples++
			time.Sleep(40 * time.Millisecond)
			return nil
		})
		w, _ := h.join()
		defer h.leave(w)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if samples < 12 || samples > 14 {
			t.Errorf("%d samples of 40 ms in 10 s", samples)
		}
	})
}

func TestSamplerIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running, most := 0, 0
		h := newHub(func(ctx context.Context) []byte {
			running++
			most = max(most, running)
			<-ctx.Done()
			running--
			return nil
		})
		w, _ := h.join()
		synctest.Wait()
		left := make(chan struct{})
		go func() {
			h.leave(w)
			close(left)
		}()
		again, _ := h.join()
		<-left
		synctest.Wait()
		h.leave(again)
		if most != 1 || running != 0 {
			t.Errorf("%d samplers at once, %d left", most, running)
		}
	})
}

func TestTooManyWatch(t *testing.T) {
	s := newTestServer(&fakeFleet{})
	all := make([]watcher, 0, maxWatchers)
	for range maxWatchers {
		w, err := s.hub.join()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, w)
	}
	w := serve(t, s, request("GET", "/api/v1/watch", ""))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
	for _, w := range all {
		s.hub.leave(w)
	}
	s.hub.close()
	if w := serve(t, s, request("GET", "/api/v1/watch", "")); w.Code != http.StatusServiceUnavailable {
		t.Errorf("after the end: got %d", w.Code)
	}
}
