package accesslog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens a log whose entries are all written.
func open(t testing.TB, cfg Config) *Log {
	t.Helper()
	cfg.Sample = 1
	return opened(t, cfg)
}

func opened(t testing.TB, cfg Config) *Log {
	t.Helper()
	if cfg.Metrics == nil {
		cfg.Metrics = newMetrics()
	}
	l, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, l) })
	return l
}

func shut(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// dropped checks how many entries were dropped, by reason.
func dropped(t *testing.T, l *Log, full, failed, closed float64) {
	t.Helper()
	r := prometheus.NewRegistry()
	if err := r.Register(l.cfg.Metrics.dropped); err != nil {
		t.Fatal(err)
	}
	families, err := r.Gather()
	if err != nil || len(families) != 1 {
		t.Fatal(families, err)
	}
	got := map[string]float64{}
	for _, m := range families[0].GetMetric() {
		got[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
	}
	want := map[string]float64{"queue_full": full, "write_error": failed, "closed": closed}
	if !maps.Equal(got, want) {
		t.Errorf("dropped: %v, want %v", got, want)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestNil(t *testing.T) {
	var l *Log
	l.Write(served())
	if err := errors.Join(l.Reopen(), l.Close(context.Background())); err != nil {
		t.Error(err)
	}
}

// TestConcurrent has many write at once: each line is whole, and there as often as it was
// written.
func TestConcurrent(t *testing.T) {
	const writers, each = 8, 500
	path := filepath.Join(t.TempDir(), "access.log")
	l := open(t, Config{Path: path})
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				e := served()
				e.Target = fmt.Sprintf("/%d/%d", w, i)
				l.Write(e)
				if i%100 == 0 {
					if err := l.Reopen(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	shut(t, l)
	dropped(t, l, 0, 0, 0)
	seen := map[string]bool{}
	for text := range strings.Lines(read(t, path)) {
		var got line
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		seen[got.Target] = true
	}
	if len(seen) != writers*each {
		t.Errorf("%d lines, want %d", len(seen), writers*each)
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(path, []byte("before\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	l := open(t, Config{Path: path, Format: Combined})
	l.Write(refused())
	shut(t, l)
	if got, want := read(t, path), "before\n"+string(appendCombined(nil, refused(), false)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	l.Write(refused())
	dropped(t, l, 0, 0, 1)
	if err := l.Reopen(); err != nil {
		t.Error(err)
	}
}

func TestNewFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	open(t, Config{Path: path})
	i, err := os.Stat(path)
	if err != nil || i.Mode().Perm()&^0o640 != 0 {
		t.Errorf("%v, %v: others may read it", i.Mode(), err)
	}
}

// TestReopen rotates the log: what is written later is in the new file.
func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	l := open(t, Config{Path: path})
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	l.Write(served())
	shut(t, l)
	if old, now := read(t, path+".1"), read(t, path); old != "" || now != string(appendJSON(nil, served(), false)) {
		t.Errorf("the old file: %q, the new one: %q", old, now)
	}
}

// TestReopenFails: when there is no place for a new file the old one is used on.
func TestReopenFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l := open(t, Config{Path: filepath.Join(dir, "access.log")})
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err == nil || !strings.Contains(err.Error(), "directory is missing; make it") {
		t.Errorf("%v; want to be told to make the directory", err)
	}
	l.Write(served())
	shut(t, l)
	if got := read(t, filepath.Join(dir+".old", "access.log")); got != string(appendJSON(nil, served(), false)) {
		t.Errorf("%q", got)
	}
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	for words, cfg := range map[string]Config{
		"directory is missing; make it": {Path: filepath.Join(dir, "none", "access.log")},
		"a directory; name a file":      {Path: dir},
		"from 0":                        {Path: filepath.Join(dir, "a"), Sample: 1.1},
		"name a file":                   {},
	} {
		if _, err := Open(cfg); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%+v: %v, want %q", cfg, err, words)
		}
	}
}

// disk is an output that takes as many bytes as it has room for, one step at a time where
// step is set.
type disk struct {
	step chan struct{} // a value for each write; nil: none is waited for
	at   chan struct{} // gets a value when a write begins, if step is set

	mu   sync.Mutex // guards what is below
	room int
	has  bytes.Buffer
}

func (d *disk) Write(b []byte) (int, error) {
	if d.step != nil {
		d.at <- struct{}{}
		<-d.step
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n := min(d.room, len(b))
	d.room -= n
	d.has.Write(b[:n])
	if n < len(b) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

// TestSlow: while the disk is busy lines wait, as many as there is room for, and no request
// does.
func TestSlow(t *testing.T) {
	size := len(appendJSON(nil, served(), false))
	d := &disk{step: make(chan struct{}), at: make(chan struct{}), room: 1 << 20}
	l := open(t, Config{Writer: d, QueueBytes: 3*size + 1})
	l.Write(served())
	<-d.at // it is being written
	for range 5 {
		l.Write(served())
	}
	dropped(t, l, 2, 0, 0)
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Close(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("%v; want the end of the context", err)
	}
	d.step <- struct{}{}
	<-d.at
	d.step <- struct{}{}
	shut(t, l)
	dropped(t, l, 2, 0, 0)
	if d.has.Len() != 4*size {
		t.Errorf("%d bytes, want 4 lines of %d", d.has.Len(), size)
	}
}

// TestFullDisk: entries are lost and counted while a disk is full, and it is said once. When
// it has room again the line that was torn is ended, and lines are written.
func TestFullDisk(t *testing.T) {
	text := string(appendJSON(nil, served(), false))
	var said bytes.Buffer
	d := &disk{room: len(text) + 10, step: make(chan struct{}), at: make(chan struct{})}
	l := open(t, Config{Writer: d, Logger: slog.New(slog.NewTextHandler(&said, nil))})
	write := func() {
		l.Write(served())
		<-d.at
		d.step <- struct{}{}
	}
	write() // whole
	write() // torn
	write() // not even its newline
	l.Write(served())
	<-d.at
	d.mu.Lock()
	d.room = 1 << 20
	d.mu.Unlock()
	d.step <- struct{}{} // the newline
	<-d.at
	d.step <- struct{}{}
	shut(t, l)
	dropped(t, l, 0, 2, 0)
	if got, want := d.has.String(), text+text[:10]+"\n"+text; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if s := said.String(); strings.Count(s, "cannot be written") != 1 || strings.Count(s, "is written again") != 1 {
		t.Errorf("it was said:\n%s", s)
	}
}

// TestClosedPipe: a reader that went away costs entries, and nothing else.
func TestClosedPipe(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	l := open(t, Config{Writer: w})
	l.Write(served())
	l.Write(served())
	shut(t, l)
	dropped(t, l, 0, 2, 0)
}

func TestSample(t *testing.T) {
	const n = 1000
	seeded := func() func() float64 { return rand.New(rand.NewPCG(1, 2)).Float64 }
	chance, want := seeded(), 0
	for range n {
		if chance() < 0.1 {
			want++
		}
	}
	failed := served()
	failed.Status = 503
	cut := served()
	cut.End = Cut
	for name, c := range map[string]struct {
		sample float64
		e      *Entry
		want   int
	}{
		"all":             {1, served(), n},
		"some":            {0.1, served(), want},
		"none":            {0, served(), 0},
		"refusals always": {0, refused(), n},
		"5xx always":      {0.1, failed, n},
		"cuts always":     {0, cut, n},
		"client gone":     {0, &Entry{End: ClientGone}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			l := opened(t, Config{Writer: &got, Sample: c.sample, Chance: seeded()})
			for range n {
				l.Write(c.e)
			}
			shut(t, l)
			dropped(t, l, 0, 0, 0)
			if lines := bytes.Count(got.Bytes(), []byte{'\n'}); lines != c.want {
				t.Errorf("%d of %d were written, want %d", lines, n, c.want)
			}
		})
	}
}

func TestMetrics(t *testing.T) {
	r := prometheus.NewRegistry()
	if _, err := NewMetrics(r); err != nil {
		t.Fatal(err)
	}
	all, err := r.Gather()
	if err != nil || len(all) != 1 || all[0].GetName() != "fairlead_proxy_access_log_dropped_total" || len(all[0].GetMetric()) != 3 {
		t.Errorf("%v, %v", all, err)
	}
	if _, err := NewMetrics(r); err == nil {
		t.Error("they were registered twice")
	}
}

// TestAllocations: a request's line costs no memory but the queue's.
func TestAllocations(t *testing.T) {
	if raced {
		t.Skip("the race detector has pools forget")
	}
	for _, format := range []Format{JSON, Combined} {
		l := open(t, Config{Writer: io.Discard, Format: format, DropQuery: true})
		e := served()
		for range 10000 { // until the queue has its size
			l.Write(e)
		}
		if n := testing.AllocsPerRun(1000, func() { l.Write(e) }); n >= 1 {
			t.Errorf("format %d: %v allocations", format, n)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	for name, format := range map[string]Format{"json": JSON, "combined": Combined} {
		b.Run(name, func(b *testing.B) {
			l := open(b, Config{Writer: io.Discard, Format: format})
			b.ReportAllocs()
			b.RunParallel(func(p *testing.PB) {
				e := served()
				for p.Next() {
					l.Write(e)
				}
			})
		})
	}
}
