//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testImage() image.Image {
	m := image.NewRGBA(image.Rect(0, 0, 400, 300))
	for y := range 300 {
		for x := range 400 {
			m.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x * y), 255})
		}
	}
	return m
}

func encoded(t *testing.T, encode func(io.Writer, image.Image) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b, testImage()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// fakeConvert writes a program that does what the shell script says instead of convert's
// work, with the directory's path as $0's.
func fakeConvert(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "convert")
	text := "#!/bin/sh\nif [ \"$1\" = -version ]; then echo 'Version: ImageMagick for a test'; exit; fi\n" +
		"cd " + filepath.Dir(path) + "\n" + script + "\n"
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func newWorker(convert string) *worker {
	return &worker{slots: 1, convert: convert, timeout: 20 * time.Second, log: slog.New(slog.DiscardHandler)}
}

func post(w *worker, target, body string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.handler().ServeHTTP(rec, httptest.NewRequest(http.MethodPost, target, strings.NewReader(body)))
	return rec
}

func TestImageMagick(t *testing.T) {
	convert, err := findConvert(t.Context(), "")
	if err != nil {
		t.Skip(err)
	}
	for _, c := range []struct {
		name, target  string
		encode        func(io.Writer, image.Image) error
		width, height int
	}{
		{"png", "/thumbnail?width=100", png.Encode, 100, 75},
		{"jpeg", "/thumbnail?width=40", func(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, nil) }, 40, 30},
		{"gif", "/blur?radius=2", func(w io.Writer, m image.Image) error { return gif.Encode(w, m, nil) }, 400, 300},
		{"small stays", "/thumbnail?width=2048", png.Encode, 400, 300},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorker(convert)
			rec := post(w, c.target, encoded(t, c.encode))
			if rec.Code != 200 {
				t.Fatalf("%d: %s", rec.Code, rec.Body)
			}
			m, err := png.Decode(rec.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Bounds().Size(); got != image.Pt(c.width, c.height) {
				t.Errorf("size %v, want %dx%d", got, c.width, c.height)
			}
			if got := w.stats(); got.Done != 1 || got.MostInFlight != 1 || got.InFlight != 0 {
				t.Errorf("stats %+v", got)
			}
		})
	}
	t.Run("broken", func(t *testing.T) {
		rec := post(newWorker(convert), "/thumbnail", encoded(t, png.Encode)[:100])
		if rec.Code != http.StatusUnprocessableEntity {
			t.Errorf("%d: %s", rec.Code, rec.Body)
		}
	})
}

func TestRefusals(t *testing.T) {
	picture := encoded(t, png.Encode)
	for _, c := range []struct {
		name, convert, target, body string
		code                        int
		contains                    string
	}{
		{"no number", "exit 0", "/thumbnail?width=x", picture, 400, "1 to 2048"},
		{"too wide", "exit 0", "/thumbnail?width=2049", picture, 400, "1 to 2048"},
		{"radius", "exit 0", "/blur?radius=0", picture, 400, "1 to 20"},
		{"text", "exit 0", "/blur", "push graphic-context", 415, "PNG, JPEG"},
		{"PostScript", "exit 0", "/blur", "%!PS-Adobe-3.0", 415, "PNG, JPEG"},
		{"SVG", "exit 0", "/blur", "<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "PNG, JPEG"},
		{"empty", "exit 0", "/blur", "", 415, "PNG, JPEG"},
		{"too large", "exit 0", "/blur", strings.Repeat("x", maxBody+1), 413, "16777216 bytes"},
		{"convert fails", "echo first line >&2; echo second >&2; exit 1", "/blur", picture, 422, "first line"},
		{"convert writes too much", "exec cat /dev/zero", "/blur", picture, 422, "too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := post(newWorker(fakeConvert(t, c.convert)), c.target, c.body)
			if rec.Code != c.code || !strings.Contains(rec.Body.String(), c.contains) || strings.Contains(rec.Body.String(), "second") {
				t.Errorf("%d %q, want %d with %q", rec.Code, rec.Body, c.code, c.contains)
			}
		})
	}
	t.Run("too large, of unknown length", func(t *testing.T) {
		r := httptest.NewRequest(http.MethodPost, "/blur", io.MultiReader(strings.NewReader(strings.Repeat("x", maxBody+1))))
		rec := httptest.NewRecorder()
		newWorker("none").handler().ServeHTTP(rec, r)
		if rec.Code != 413 {
			t.Errorf("%d %q", rec.Code, rec.Body)
		}
	})
	t.Run("convert is missing", func(t *testing.T) {
		if rec := post(newWorker("/nonexistent/convert"), "/blur", picture); rec.Code != 500 {
			t.Errorf("%d %q", rec.Code, rec.Body)
		}
	})
}

// await looks until the condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for !holds() {
		select {
		case <-pace.C:
		case <-limit.C:
			t.Fatalf("in vain: %s", what)
		}
	}
}

// endless starts a worker on a port of its own whose convert writes its id and never
// ends, and sends it a job. The channel tells the answer's status, 0 for none.
func endless(t *testing.T, ctx context.Context, w *worker) (url string, pid int, status <-chan int, end func() error) {
	t.Helper()
	w.convert = fakeConvert(t, "echo $$ > pid.new; mv pid.new pid; exec sleep 600")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serving, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(serving, l, w) }()
	end = func() error { stop(); return <-ended }
	url = "http://" + l.Addr().String()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/blur", strings.NewReader(encoded(t, png.Encode)))
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan int, 1)
	go func() {
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err != nil {
			answers <- 0
			return
		}
		_ = resp.Body.Close()
		answers <- resp.StatusCode
	}()
	await(t, "convert's start", func() bool {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(w.convert), "pid"))
		if err != nil {
			return false
		}
		pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	})
	return url, pid, answers, end
}

func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func TestClientGoneKillsConvert(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	w := newWorker("")
	_, pid, status, end := endless(t, ctx, w)
	leave()
	if got := <-status; got != 0 {
		t.Errorf("status %d for a client that left", got)
	}
	await(t, "convert's end", func() bool { return gone(pid) })
	await(t, "the job's end", func() bool { return w.stats().InFlight == 0 })
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestTimeoutKillsConvert(t *testing.T) {
	w := newWorker("")
	w.timeout = 500 * time.Millisecond
	_, pid, status, end := endless(t, t.Context(), w)
	if got := <-status; got != http.StatusServiceUnavailable {
		t.Errorf("status %d", got)
	}
	if !gone(pid) {
		t.Error("convert runs on after its time")
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestBeyondSlotsIsRefused(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	w := newWorker("")
	url, _, status, end := endless(t, ctx, w)
	if rec := post(w, "/blur", encoded(t, png.Encode)); rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
		t.Errorf("the second job got %d", rec.Code)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url + "/stats")
	if err != nil {
		t.Fatal(err)
	}
	var got Stats
	err = errors.Join(json.NewDecoder(resp.Body).Decode(&got), resp.Body.Close())
	if want := (Stats{Slots: 1, InFlight: 1, MostInFlight: 2, Refused: 1}); err != nil || got != want {
		t.Errorf("stats %+v, %v, want %+v", got, err, want)
	}
	leave()
	<-status
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestFindConvert(t *testing.T) {
	if _, err := findConvert(t.Context(), fakeConvert(t, "")); err != nil {
		t.Error(err)
	}
	for _, not := range []string{"/bin/echo", "/nonexistent"} {
		if got, err := findConvert(t.Context(), not); err == nil || !strings.Contains(err.Error(), "apt-get install imagemagick") {
			t.Errorf("%s is taken for ImageMagick: %q, %v", not, got, err)
		}
	}
}
