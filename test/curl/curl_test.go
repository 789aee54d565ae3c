//go:build unix

// Package curl_test has curl talk to a proxy, in each way that it speaks HTTP.
package curl_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m) }

// seen is what a backend says of a request.
type seen struct {
	Method, Proto, Target, Host, Sum string
	Length                           int64
	Header, Trailer                  http.Header
}

// backend reflects requests.
func backend(t *testing.T) (address string, left chan string) {
	t.Helper()
	left = make(chan string, 10)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		if _, err := io.Copy(h, r.Body); err != nil {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(seen{
			r.Method, r.Proto, r.RequestURI, r.Host, fmt.Sprintf("%x", h.Sum(nil)), r.ContentLength, r.Header, r.Trailer,
		})
	})
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "file.txt", time.Unix(1e9, 0), strings.NewReader(strings.Repeat("0123456789", 100_000)))
	})
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Accepted", r.Header.Get("Accept-Encoding"))
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00") // "hello"
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/here", http.StatusFound) })
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
	})
	mux.HandleFunc("/trailers", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "Sum")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("Sum", "7")
	})
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		left <- r.URL.RawQuery
	})
	s := httptest.NewServer(mux)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.Listener.Addr().String(), left
}

// rig is a proxy before the backend.
type rig struct {
	*testproc.Site
	curl                       string
	plain, safe, mutual, proxy string
	cert, key                  string
	left                       chan string
}

func start(t *testing.T) *rig {
	t.Helper()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed; on Debian: apt-get install curl")
	}
	r := &rig{curl: curl, plain: testproc.FreeAddr(t), safe: testproc.FreeAddr(t), mutual: testproc.FreeAddr(t), proxy: testproc.FreeAddr(t)}
	var to string
	to, r.left = backend(t)
	r.cert, r.key = testproc.Certificate(t)
	files := fmt.Sprintf("certificates: [{cert: %q, key: %q}]", r.cert, r.key)
	r.Site = testproc.StartSite(t, fmt.Sprintf(`
listeners:
  - {name: plain, address: %q, protocol: http}
  - {name: safe, address: %q, protocol: http, tls: {%s}}
  - {name: mutual, address: %q, protocol: http, tls: {%s, client_ca: %q}}
  - {name: behind, address: %q, protocol: http, accept_proxy: {from: [127.0.0.0/8]}}
routes: [{listener: plain, pool: web}, {listener: safe, pool: web}, {listener: mutual, pool: web}, {listener: behind, pool: web}]
pools:
  - {name: web, slots: 4, health: {type: none}, backends: [{address: %q}]}
`, r.plain, r.safe, files, r.mutual, files, r.cert, r.proxy, to))
	r.Serves(t, "web", 1)
	return r
}

// run runs curl, and returns what it writes, and its exit status.
func (r *rig) run(t *testing.T, stdin io.Reader, args ...string) (out string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.curl, append([]string{"--silent", "--show-error", "--noproxy", "*", "--cacert", r.cert}, args...)...)
	cmd.Stdin = stdin
	b, err := cmd.Output()
	if err != nil {
		var bad *exec.ExitError
		if !errors.As(err, &bad) {
			t.Fatal(err)
		}
		return string(b), bad.ExitCode()
	}
	return string(b), 0
}

// get runs curl, which must succeed.
func (r *rig) get(t *testing.T, args ...string) string {
	t.Helper()
	out, status := r.run(t, nil, args...)
	if status != 0 {
		t.Fatalf("curl %v: exit status %d, %q", args, status, out)
	}
	return out
}

// reflected returns what the backend saw.
func (r *rig) reflected(t *testing.T, out string) (s seen) {
	t.Helper()
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return s
}

// way is one of curl's ways to speak HTTP.
type way struct {
	name, version, base string
	args                []string
}

// said is the version that curl says it was answered in: a server answers in its own.
var said = map[string]string{"1.0": "1.1", "1.1": "1.1", "2": "2"}

func (r *rig) ways(t *testing.T) []way {
	all := []way{
		{"HTTP/1.0", "1.0", "http://" + r.plain, []string{"--http1.0"}},
		{"HTTP/1.1", "1.1", "http://" + r.plain, []string{"--http1.1"}},
		{"HTTP/1.1 over TLS", "1.1", "https://" + r.safe, []string{"--http1.1"}},
		{"PROXY protocol", "1.1", "http://" + r.proxy, []string{"--haproxy-protocol"}},
	}
	features := r.get(t, "--version")
	if strings.Contains(features, "HTTP2") {
		all = append(all, way{"HTTP/2", "2", "https://" + r.safe, []string{"--http2"}},
			way{"HTTP/2 without TLS", "2", "http://" + r.plain, []string{"--http2-prior-knowledge"}})
	} else {
		t.Log("this curl has no HTTP/2")
	}
	return all
}

// TestWays plays everything in each way, with one grant a request.
func TestWays(t *testing.T) {
	r := start(t)
	for _, w := range r.ways(t) {
		t.Run(w.name, func(t *testing.T) {
			before := r.Quiet(t, "web")
			n := r.play(t, w)
			if got := r.Took(t, "web", before, n); got != n {
				t.Errorf("%d grants for %d requests", got, n)
			}
		})
	}
}

// play returns how many requests it has made.
func (r *rig) play(t *testing.T, w way) (requests uint64) {
	t.Helper()
	do := func(args ...string) string {
		t.Helper()
		requests++
		return r.get(t, append(append([]string{}, w.args...), args...)...)
	}
	s := r.reflected(t, do(w.base+"/a?b=c"))
	if s.Method != "GET" || s.Proto != "HTTP/1.1" || s.Target != "/a?b=c" || s.Host != strings.SplitN(w.base, "//", 2)[1] {
		t.Errorf("the backend saw %+v", s)
	}
	scheme, _, _ := strings.Cut(w.base, ":")
	for name, want := range map[string]string{
		"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": scheme, "X-Forwarded-Host": s.Host, "Via": "1.1 fairlead",
		"Forwarded": fmt.Sprintf("for=127.0.0.1;host=%q;proto=%s", s.Host, scheme),
	} {
		if got := s.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := do("--output", os.DevNull, "--write-out", "%{http_version} %{http_code}", w.base+"/"); got != said[w.version]+" 200" {
		t.Errorf("curl says %q", got)
	}
	r.playBodies(t, w, do)
	r.playAnswers(t, w, do)
	return requests
}

// playBodies sends bodies in the ways that curl has.
func (r *rig) playBodies(t *testing.T, w way, do func(...string) string) {
	t.Helper()
	body := strings.Repeat("fairlead", 300_000)
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(body)))
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	if s := r.reflected(t, do("--upload-file", file, w.base+"/up")); s.Method != "PUT" || s.Sum != sum || s.Length != int64(len(body)) {
		t.Errorf("an upload: %+v", s)
	}
	if s := r.reflected(t, do("--data-binary", "@"+file, "--header", "Expect: 100-continue", w.base+"/up")); s.Method != "POST" || s.Sum != sum {
		t.Errorf("with Expect: %+v", s)
	}
	if s := r.reflected(t, do("--data", "", w.base+"/up")); s.Method != "POST" || s.Length != 0 {
		t.Errorf("an empty POST: %+v", s)
	}
	if w.version != "1.0" { // which has no chunks
		if s := r.reflected(t, do("--upload-file", file, "--header", "Transfer-Encoding: chunked", "--header", "Content-Length:", w.base+"/up")); s.Sum != sum {
			t.Errorf("without a length: %+v", s)
		}
	}
	if got := do("--data-binary", "@"+file, "--output", os.DevNull, "--write-out", "%{http_code}", w.base+"/large"); got != "413" {
		t.Errorf("a refused upload: %s", got)
	}
}

// playAnswers reads answers of all kinds.
func (r *rig) playAnswers(t *testing.T, w way, do func(...string) string) {
	t.Helper()
	if got := do(w.base + "/file"); got != strings.Repeat("0123456789", 100_000) {
		t.Errorf("a file came as %d bytes", len(got))
	}
	if got := do("--range", "10-14", "--write-out", " %{http_code}", w.base+"/file"); got != "01234 206" {
		t.Errorf("a range: %q", got)
	}
	if got := do("--head", w.base+"/file"); !strings.Contains(strings.ToLower(got), "content-length: 1000000\r\n") {
		t.Errorf("HEAD: %q", got)
	}
	if got := do("--header", "If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT", "--write-out", "%{http_code}", w.base+"/file"); got != "304" {
		t.Errorf("a condition: %q", got)
	}
	if got := do("--compressed", w.base+"/gzip"); got != "hello" {
		t.Errorf("compressed: %q", got)
	}
	if got := do("--write-out", "%{http_code} %{redirect_url}", "--output", os.DevNull, w.base+"/moved"); got != "302 "+w.base+"/here" {
		t.Errorf("a redirect: %q", got)
	}
	got := strings.ToLower(do("--include", w.base+"/trailers"))
	if !strings.Contains(got, "\r\n\r\nbody") || w.version != "1.0" && !strings.Contains(got, "sum: 7") {
		t.Errorf("trailers: %q", got)
	}
}

// TestKeepAlive: one connection serves two requests.
func TestKeepAlive(t *testing.T) {
	r := start(t)
	for _, w := range r.ways(t) {
		if w.name == "HTTP/2 without TLS" {
			continue // some versions of curl cannot use such a connection twice
		}
		args := append(append([]string{}, w.args...), "--output", os.DevNull, "--write-out", "%{num_connects} ", w.base+"/1", "--output", os.DevNull, w.base+"/2")
		want := "1 0 "
		if w.version == "1.0" {
			want = "1 1 " // unless it asks to keep it
		}
		if got := r.get(t, args...); got != want {
			t.Errorf("%s: connections made for each request: %q", w.name, got)
		}
	}
}

// TestGone: a client that gives up ends the backend's request, and its grant.
func TestGone(t *testing.T) {
	r := start(t)
	for i, w := range r.ways(t) {
		const timedOut = 28
		_, status := r.run(t, nil, append(append([]string{}, w.args...), "--max-time", "0.3", fmt.Sprint(w.base, "/slow?", i))...)
		if status != timedOut {
			t.Errorf("%s: exit status %d", w.name, status)
		}
		select {
		case which := <-r.left:
			if which != fmt.Sprint(i) {
				t.Errorf("%s: request %s ended", w.name, which)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("%s: the backend's request goes on", w.name)
		}
		r.Quiet(t, "web")
	}
}

// TestCertificates: a listener that wants clients' certificates serves nobody without.
func TestCertificates(t *testing.T) {
	r := start(t)
	if out, status := r.run(t, nil, "https://"+r.mutual+"/"); status == 0 {
		t.Errorf("served without a certificate: %q", out)
	}
	if s := r.reflected(t, r.get(t, "--cert", r.cert, "--key", r.key, "https://"+r.mutual+"/")); s.Proto != "HTTP/1.1" {
		t.Errorf("%+v", s)
	}
}

// TestNoHeader: where headers of the PROXY protocol are expected nobody is served without, and
// where they are not they are no request.
func TestNoHeader(t *testing.T) {
	r := start(t)
	if out, status := r.run(t, nil, "http://"+r.proxy+"/"); status == 0 {
		t.Errorf("served without a header: %q", out)
	}
	if got := r.get(t, "--haproxy-protocol", "--output", os.DevNull, "--write-out", "%{http_code}", "http://"+r.plain+"/"); got != "400" {
		t.Errorf("a header that nobody expects: %s", got)
	}
}
