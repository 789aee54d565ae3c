package control

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/record"
)

// Limits of the decision log.
const (
	maxLog      = 1 << 30 // bytes, after which it ends
	maxUnlogged = 1 << 20 // bytes of one pool that wait for the disk; then steps are dropped
	chunks      = 1024    // pieces that wait for the disk
)

// recorder writes the decision log of all pools. Runners encode their steps and hand them
// over without waiting; only the recorder's goroutine waits for the disk.
type recorder struct {
	out    *bufio.Writer
	logger *slog.Logger
	chunks chan []byte
	spare  chan []byte // buffers to be used again
	most   int64
	ended  atomic.Bool // nothing is written any more

	written int64 // owned by run
}

func newRecorder(out io.Writer, logger *slog.Logger) *recorder {
	l := &recorder{
		out: bufio.NewWriterSize(out, 256<<10), logger: logger, most: maxLog,
		chunks: make(chan []byte, chunks), spare: make(chan []byte, chunks),
	}
	l.write(record.Begin(nil))
	return l
}

// pool returns a pool's part of the log. It must be called before run.
func (l *recorder) pool(number uint32, spec fleet.PoolSpec, epoch uint64) *poolLog {
	w, head, err := record.NewWriter(nil, int(number), spec, epoch)
	if err != nil {
		l.logger.Error("a pool's decisions cannot be logged", "pool", spec.Name, "error", err)
		return nil
	}
	l.write(head)
	return &poolLog{to: l, w: w}
}

// run writes until ctx has ended, and then what the runners still hand over until they
// have ended too.
func (l *recorder) run(ctx context.Context, runners []*runner) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case b := <-l.chunks:
			l.take(b)
		case <-tick.C:
			l.flush()
		case <-ctx.Done():
		}
	}
	for _, r := range runners {
		for running := true; running; {
			select {
			case b := <-l.chunks:
				l.take(b)
			case <-r.stopped:
				running = false
			}
		}
	}
	for len(l.chunks) > 0 {
		l.take(<-l.chunks)
	}
	l.flush()
}

func (l *recorder) take(b []byte) {
	l.write(b)
	select {
	case l.spare <- b[:0]:
	default:
	}
}

func (l *recorder) write(b []byte) {
	if l.ended.Load() {
		return
	}
	if l.written+int64(len(b)) > l.most {
		l.ended.Store(true)
		l.logger.Warn("the decision log is full and ends here; start the controller again to begin another", "bytes", l.written)
		_, err := l.out.Write(record.End(nil, "size"))
		l.failed(err)
		return
	}
	n, err := l.out.Write(b)
	l.written += int64(n)
	l.failed(err)
}

func (l *recorder) flush() {
	if err := l.out.Flush(); !l.ended.Load() { // after its end it was told
		l.failed(err)
	}
}

func (l *recorder) failed(err error) {
	if err != nil {
		l.ended.Store(true)
		l.logger.Error("the decision log cannot be written and ends here", "error", err)
	}
}

// poolLog is one pool's part of the log. Its runner owns it. A nil one logs nothing.
type poolLog struct {
	to    *recorder
	w     *record.Writer
	buf   []byte // steps that were not handed over yet
	steps uint64 // in buf, those included that it calls lost
	lost  uint64 // steps, since the last that was logged
}

// step logs a step that was made.
func (p *poolLog) step(now fleet.Time, in dispatch.Input, effects []dispatch.Effect) {
	if p == nil || p.to.ended.Load() {
		return
	}
	if p.lost > 0 {
		p.buf = p.w.Lost(p.buf, p.lost)
		p.steps, p.lost = p.steps+p.lost, 0
	}
	b, err := p.w.Step(p.buf, now, in, effects)
	p.buf = b
	if err != nil { // no input of ours is like that; a replay will refuse the log
		p.lost++
		return
	}
	p.steps++
}

// hand gives what has gathered to the recorder, if that has room; else it keeps it, up to
// a bound.
func (p *poolLog) hand() {
	if p == nil || len(p.buf) == 0 {
		return
	}
	select {
	case p.to.chunks <- p.buf:
		p.buf, p.steps = p.to.fresh(), 0
	default:
		if len(p.buf) > maxUnlogged {
			p.lost += p.steps
			p.buf, p.steps = p.buf[:0], 0
		}
	}
}

// close hands the last over, for which it waits: the recorder outlives the runners.
func (p *poolLog) close() {
	if p == nil {
		return
	}
	if p.lost > 0 {
		p.buf = p.w.Lost(p.buf, p.lost)
	}
	if len(p.buf) > 0 {
		p.to.chunks <- p.buf
	}
}

func (l *recorder) fresh() []byte {
	select {
	case b := <-l.spare:
		return b
	default:
		return nil
	}
}
