package accesslog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
)

// Format is how an entry is written.
type Format uint8

// Formats.
const (
	JSON     Format = iota // an object a line
	Combined               // as nginx and Apache have it, with more at its end
)

// Config is what a Log needs.
type Config struct {
	// Path is a file's; it is made if it is missing, and appended to. Writer is used where
	// it is empty.
	Path   string
	Writer io.Writer
	Format Format
	// Sample is the share of entries that are written, from 0 to 1. Those that did not end
	// well are written in any case: refused, failed, timed out, cut, or a status of 5xx.
	Sample float64
	// DropQuery cuts targets and referers off where their query begins.
	DropQuery bool
	// QueueBytes bounds the lines that wait for the disk; 0: 4 MiB. As much may be on its
	// way there.
	QueueBytes int
	// Chance returns a number from 0 up to 1 for each entry that may be left out, and is safe
	// for concurrent use; nil: a random one.
	Chance func() float64
	// Logger is told when lines cannot be written, and when they can be again; nil: nobody is.
	Logger *slog.Logger
	// Metrics may be nil: none are kept then.
	Metrics *Metrics
}

const (
	defaultQueue = 4 << 20
	maxPooled    = 16 << 10 // larger buffers are not kept
)

// Log writes entries. Its methods are safe for concurrent use. A nil Log is a good one that
// writes nothing.
type Log struct {
	cfg  Config
	out  *output
	wake chan struct{} // of capacity 1: there is something to do for the writer
	done chan struct{} // closed when the writer has ended
	err  error         // of closing the output, once done is closed

	failing bool // the writer's: the last write failed

	mu     sync.Mutex // guards what is below
	queue  []byte     // whole lines
	closed bool
}

// Open opens a Log and starts its writer, which Close ends.
func Open(cfg Config) (*Log, error) {
	if !(cfg.Sample >= 0 && cfg.Sample <= 1) {
		return nil, fmt.Errorf("the share of entries to be logged is %v; it is from 0 (only what did not end well) to 1 (all)", cfg.Sample)
	}
	if cfg.QueueBytes <= 0 {
		cfg.QueueBytes = defaultQueue
	}
	if cfg.Chance == nil {
		cfg.Chance = rand.Float64
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = newMetrics()
	}
	out := &output{path: cfg.Path, w: cfg.Writer}
	if cfg.Path != "" {
		f, err := openFile(cfg.Path)
		if err != nil {
			return nil, err
		}
		out.w, out.file = f, f
	} else if cfg.Writer == nil {
		return nil, errors.New("the access log has neither a path nor a writer; name a file")
	}
	l := &Log{cfg: cfg, out: out, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go l.run()
	return l, nil
}

// lines are buffers for one line each.
var lines = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

// Write has an entry written some time soon, or not at all: it does not wait. It keeps
// nothing of e, nor of what e refers to.
func (l *Log) Write(e *Entry) {
	if l == nil || !l.wanted(e) {
		return
	}
	line := lines.Get().(*[]byte)
	if l.cfg.Format == Combined {
		*line = appendCombined((*line)[:0], e, l.cfg.DropQuery)
	} else {
		*line = appendJSON((*line)[:0], e, l.cfg.DropQuery)
	}
	l.put(*line)
	if cap(*line) <= maxPooled {
		lines.Put(line)
	}
}

// wanted decides by chance whether an entry is written, if nothing else decides.
func (l *Log) wanted(e *Entry) bool {
	return l.cfg.Sample >= 1 || !e.ordinary() || l.cfg.Sample > 0 && l.cfg.Chance() < l.cfg.Sample
}

func (l *Log) put(line []byte) {
	l.mu.Lock()
	closed, full := l.closed, len(l.queue)+len(line) > l.cfg.QueueBytes
	if !closed && !full {
		l.queue = append(l.queue, line...)
	}
	l.mu.Unlock()
	switch {
	case closed:
		l.cfg.Metrics.closed.Inc()
	case full:
		l.cfg.Metrics.full.Inc()
	default:
		l.poke()
	}
}

// poke wakes the writer.
func (l *Log) poke() {
	select {
	case l.wake <- struct{}{}:
	default: // it will wake anyway
	}
}

// run writes what has gathered, until the log is closed.
func (l *Log) run() {
	defer close(l.done)
	var batch []byte
	for closed := false; !closed; {
		<-l.wake
		l.mu.Lock()
		batch, l.queue = l.queue, batch[:0]
		closed = l.closed // nothing comes after this batch then
		l.mu.Unlock()
		if len(batch) > 0 {
			l.flush(batch)
		}
	}
	l.err = l.out.close()
}

// flush writes lines. Those that cannot be written are dropped: they would only keep later
// ones out.
func (l *Log) flush(batch []byte) {
	lost, err := l.out.write(batch)
	l.cfg.Metrics.failed.Add(float64(lost))
	switch {
	case err != nil && !l.failing:
		l.cfg.Logger.Warn("the access log cannot be written; its entries are dropped until it can be", "output", l.out.name(), "error", err)
	case err == nil && l.failing:
		l.cfg.Logger.Info("the access log is written again", "output", l.out.name())
	}
	l.failing = err != nil
}

// Reopen opens the log's file anew, for one that was renamed. When it returns, nothing more is
// written to the old one. If the new one cannot be opened the log stays with the old one.
func (l *Log) Reopen() error {
	if l == nil {
		return nil
	}
	return l.out.reopen()
}

// Close has all that was given to Write written, and closes the file. It waits until ctx ends
// at most: a pipe that nobody reads takes for ever. What comes later is dropped.
func (l *Log) Close(ctx context.Context) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.poke()
	select {
	case <-l.done:
		return l.err
	case <-ctx.Done():
		return fmt.Errorf("the access log was not written to its end, as %s does not take it: %w", l.out.name(), context.Cause(ctx))
	}
}
