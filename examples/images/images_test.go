//go:build unix

// Package images_test runs the example with real processes: a controller, two proxies,
// three workers with an agent each, and ImageMagick.
package images_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/testproc"
)

const (
	soon    = 2 * time.Minute // far more than anything here takes, also on a busy machine
	workers = 3
	proxies = 2
	jobs    = 60
	atOnce  = 20

	width, height = 640, 480 // of the image that is sent
	small         = 160      // pixels of the thumbnail that comes back
)

func TestMain(m *testing.M) { testproc.Main(m) }

// stats is what a worker tells of itself.
type stats struct {
	Slots        int `json:"slots"`
	InFlight     int `json:"in_flight"`
	MostInFlight int `json:"most_in_flight"`
	Done         int `json:"done"`
	Failed       int `json:"failed"`
	Refused      int `json:"refused"`
}

// site is all of the example, running.
type site struct {
	admin   string
	proxies []string // URLs
	workers []string // URLs
}

// worker builds the worker, or skips the test where there is no ImageMagick.
func worker(t *testing.T) string {
	t.Helper()
	path := testproc.Binary(t, "./worker")
	if out, err := exec.Command(path, "-check").CombinedOutput(); err != nil {
		t.Skipf("%v: %s", err, out)
	}
	return path
}

// start starts everything and returns when all of it takes part.
func start(t *testing.T) *site {
	t.Helper()
	work, fairlead := worker(t), testproc.Fairlead(t)
	s := &site{admin: testproc.FreeAddr(t)}
	controller := testproc.FreeAddr(t)
	dir := t.TempDir()
	run := func(name, program string, args ...string) *testproc.Process {
		cmd := exec.Command(program, args...)
		cmd.Dir = dir
		return testproc.Start(t, name, cmd)
	}
	first := testproc.FreeAddr(t) // where the file has the listener
	all := []*testproc.Process{run("controller", fairlead, "controller", "-c", s.config(t, dir, controller, first))}
	testproc.AwaitHTTP(t, soon, "http://"+s.admin+"/healthz", all...)
	for i := range proxies {
		name, at := fmt.Sprintf("proxy-%d", i+1), first
		args := []string{"proxy", "--controller", controller, "--name", name}
		if i > 0 {
			at = testproc.FreeAddr(t)
			args = append(args, "--listen", "web="+at)
		}
		all = append(all, run(name, fairlead, args...))
		s.proxies = append(s.proxies, "http://"+at)
	}
	for i := range workers {
		at := testproc.FreeAddr(t)
		all = append(all, run(fmt.Sprintf("worker-%d", i+1), work, "-listen", at, "-slots", "1"))
		testproc.AwaitHTTP(t, soon, "http://"+at+"/healthz", all...)
		all = append(all, run(fmt.Sprintf("agent-%d", i+1), fairlead, "agent",
			"--controller", controller, "--pool", "images", "--address", at, "--slots", "1"))
		s.workers = append(s.workers, "http://"+at)
	}
	testproc.AwaitSnapshot(t, soon, s.admin, "all workers and proxies", testproc.Standing("images", workers, proxies), all...)
	testproc.AwaitHTTP(t, soon, "http://"+s.admin+"/readyz", all...)
	for _, url := range s.proxies {
		testproc.AwaitTCP(t, soon, strings.TrimPrefix(url, "http://"), all...)
	}
	return s
}

// config writes the example's file with other addresses.
func (s *site) config(t *testing.T, dir, controller, listener string) string {
	t.Helper()
	example, err := os.ReadFile("fairlead.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("127.0.0.1:7400", controller, "127.0.0.1:7480", s.admin,
		"127.0.0.1:8080", listener).Replace(string(example))
	file := filepath.Join(dir, "fairlead.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// photo returns a JPEG with enough in it to be work.
func photo(t *testing.T) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, color.RGBA{uint8(x * y >> 4), uint8(x ^ y), uint8(x + y), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// thumbnail sends one job and returns an error unless a valid picture comes back.
func thumbnail(ctx context.Context, client *http.Client, url string, photo []byte) error {
	target := fmt.Sprintf("%s/thumbnail?width=%d", url, small)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(photo))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %.200s", resp.Status, body)
	}
	return valid(body)
}

func valid(picture []byte) error {
	m, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return err
	}
	if got, want := m.Bounds().Size(), image.Pt(small, small*height/width); got != want {
		return fmt.Errorf("a picture of %v, want %v", got, want)
	}
	return nil
}

// check asks each worker how it fared.
func (s *site) check(t *testing.T, done int) {
	t.Helper()
	total := 0
	for _, url := range s.workers {
		got := s.stats(t, url)
		t.Logf("%s: %+v", url, got)
		if got.MostInFlight != 1 || got.Refused != 0 || got.Failed != 0 || got.InFlight != 0 {
			t.Errorf("%s: %+v; want one job at a time, and every one done", url, got)
		}
		if got.Done == 0 {
			t.Errorf("%s was never used", url)
		}
		total += got.Done
	}
	if total != done {
		t.Errorf("the workers did %d jobs, want %d", total, done)
	}
}

func (s *site) stats(t *testing.T, url string) stats {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: soon}
	resp, err := client.Get(url + "/stats")
	if err != nil {
		t.Fatal(err)
	}
	var got stats
	if err := errors.Join(json.NewDecoder(resp.Body).Decode(&got), resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestOneJobAWorker(t *testing.T) {
	s := start(t)
	picture := photo(t)
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	transport := &http.Transport{MaxIdleConnsPerHost: atOnce}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	todo := make(chan int, jobs)
	for i := range jobs {
		todo <- i
	}
	close(todo)
	var crowd sync.WaitGroup
	for range atOnce {
		crowd.Go(func() {
			for i := range todo {
				if err := thumbnail(ctx, client, s.proxies[i%proxies], picture); err != nil {
					t.Errorf("job %d: %v", i, err)
				}
			}
		})
	}
	crowd.Wait()
	s.check(t, jobs)
}

func TestCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed; on Debian: apt-get install curl")
	}
	s := start(t)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "photo.jpg"), filepath.Join(dir, "thumbnail.png")
	if err := os.WriteFile(in, photo(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, url := range s.proxies {
		p := testproc.Start(t, "curl", exec.Command(curl, "-fsS", "--data-binary", "@"+in, "-o", out,
			fmt.Sprintf("%s/thumbnail?width=%d", url, small)))
		if err := p.Wait(t, soon); err != nil {
			t.Fatalf("curl to proxy %d: %v", i+1, err)
		}
		picture, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(picture); err != nil {
			t.Errorf("curl to proxy %d: %v", i+1, err)
		}
	}
}

// TestRun runs the example's own script.
func TestRun(t *testing.T) {
	work := worker(t)
	for _, program := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	cmd := exec.Command("./run.sh")
	cmd.Env = append(os.Environ(), "FAIRLEAD="+testproc.Fairlead(t), "WORKER="+work)
	p := testproc.Start(t, "run.sh", cmd)
	if err := p.Wait(t, 2*soon); err != nil {
		t.Errorf("run.sh: %v", err)
	}
	if !strings.Contains(p.Logs(), "60 answers of status 200") {
		t.Errorf("not all jobs were done:\n%s", p.Logs())
	}
}
