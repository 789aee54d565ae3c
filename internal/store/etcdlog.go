package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// fate is what became of an embedded member. etcd ends the process when its disk fails or
// its data make no sense; here it ends the member instead, and says why.
type fate struct {
	once sync.Once
	err  error // set before dead is closed
	dead chan struct{}
}

func newFate() *fate { return &fate{dead: make(chan struct{})} }

func (f *fate) end(err error) {
	f.once.Do(func() {
		f.err = err
		close(f.dead)
	})
}

// OnWrite is called by zap after a message at which etcd would end the process, or panic.
// It ends the goroutine: what follows in it relies on what has just failed.
func (f *fate) OnWrite(e *zapcore.CheckedEntry, fields []zapcore.Field) {
	err := errors.New(e.Message)
	for _, field := range fields {
		if cause, ok := field.Interface.(error); ok && field.Type == zapcore.ErrorType {
			err = fmt.Errorf("%s: %w", e.Message, cause)
		}
	}
	f.end(err)
	runtime.Goexit()
}

// zapLogger returns a logger for etcd that hands warnings and worse on.
func zapLogger(log *slog.Logger, f *fate) *zap.Logger {
	return zap.New(&bridge{log: log}, zap.WithFatalHook(f), zap.WithPanicHook(f))
}

// bridge hands what etcd logs to slog.
type bridge struct {
	log    *slog.Logger
	fields []zapcore.Field
}

// Enabled says that warnings and worse are wanted.
func (b *bridge) Enabled(l zapcore.Level) bool { return l >= zapcore.WarnLevel }

// With returns a bridge that adds fields to each message.
func (b *bridge) With(fields []zapcore.Field) zapcore.Core {
	return &bridge{log: b.log, fields: append(b.fields[:len(b.fields):len(b.fields)], fields...)}
}

// Check takes the messages that are wanted.
func (b *bridge) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if b.Enabled(e.Level) && !routine(e.Message) {
		return c.AddCore(e, b)
	}
	return c
}

// routine tells which of etcd's warnings are about nothing that anybody could act on.
func routine(message string) bool {
	for _, s := range []string{
		"Running http and grpc server on single port", "simple token is not cryptographically signed",
	} {
		if strings.HasPrefix(message, s) {
			return true
		}
	}
	return false
}

// harmless tells which of its errors come with each start, or with each end.
func harmless(message string) bool {
	return strings.HasPrefix(message, "failed to update storage version") || strings.HasPrefix(message, "setting up serving from embedded etcd failed")
}

// Write hands one message on. What ends the member is an error here, and is told by Failed.
func (b *bridge) Write(e zapcore.Entry, fields []zapcore.Field) error {
	enc := zapcore.NewMapObjectEncoder()
	for _, f := range b.fields {
		f.AddTo(enc)
	}
	for _, f := range fields {
		f.AddTo(enc)
	}
	// Its warnings are about peers that come and go, and slow disks; what follows of that for
	// this controller, its lease for one, we say ourselves.
	level := slog.LevelDebug
	if e.Level >= zapcore.ErrorLevel && !harmless(e.Message) {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{slog.String("from", "etcd")}
	for k, v := range enc.Fields {
		if k != "errorVerbose" && k != "stacktrace" {
			attrs = append(attrs, slog.Any(k, v))
		}
	}
	b.log.LogAttrs(context.Background(), level, e.Message, attrs...)
	return nil
}

// Sync does nothing; slog keeps nothing back.
func (b *bridge) Sync() error { return nil }
