package store

import (
	"context"
	"log/slog"
	"testing"
	"time"
)

// limit is how long a test waits for what should come soon.
const limit = 20 * time.Second

func alone(t *testing.T, dir string) Config {
	t.Helper()
	return Config{Name: "a", Address: "127.0.0.1:7400", Dir: dir, Log: logger(t)}
}

func logger(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

func open(t *testing.T, cfg Config) *Store {
	t.Helper()
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func within(t *testing.T) context.Context {
	ctx, done := context.WithTimeout(t.Context(), limit)
	t.Cleanup(done)
	return ctx
}

func lead(t *testing.T, s *Store, pool string) *Term {
	t.Helper()
	term, err := s.Campaign(within(t), pool)
	if err != nil {
		t.Fatal(err)
	}
	if !term.Certain() || time.Until(term.Until()) <= 0 {
		t.Fatalf("the term of %s is not certain", pool)
	}
	return term
}

func await(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-within(t).Done():
		t.Fatalf("%s: not within %v", what, limit)
	}
}

func TestEpochsGrow(t *testing.T) {
	dir := t.TempDir()
	var last uint64
	for range 2 {
		s := open(t, alone(t, dir))
		for range 2 {
			term := lead(t, s, "web")
			if term.Epoch <= last {
				t.Errorf("epoch %d after %d", term.Epoch, last)
			}
			last = term.Epoch
			if _, err := s.Campaign(within(t), "web"); err == nil {
				t.Error("two terms of one pool at once")
			}
			if err := term.Resign(t.Context()); err != nil {
				t.Error(err)
			}
			await(t, term.Lost(), "a term that was resigned from ends")
		}
		term := lead(t, s, "web")
		last = term.Epoch
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		await(t, term.Lost(), "closing ends a term")
		if term.Certain() {
			t.Error("certain after its end")
		}
	}
}
