package handover

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

func pair(t *testing.T) (old, next *net.UnixConn) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "h")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v; want 0600", info, err)
	}
	next, err = Ask(path)
	if err != nil {
		t.Fatal(err)
	}
	old, err = l.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { old.Close(); next.Close() })
	return old, next
}

func offer(t *testing.T, old *net.UnixConn) (string, <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); f.Close() })
	done := make(chan error, 1)
	go func() { done <- Offer(old, []Socket{{"web", f}}) }()
	return l.Addr().String(), done
}

func TestSuccessorAccepts(t *testing.T) {
	old, next := pair(t)
	address, done := offer(t, old)
	got, err := Receive(next)
	if err != nil || len(got) != 1 || got[0].Name != "web" {
		t.Fatalf("got %v, %v", got, err)
	}
	l, err := net.FileListener(got[0].File)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got[0].File.Close()
	if l.Addr().String() != address {
		t.Fatalf("got %s, want %s", l.Addr(), address)
	}
	if err := Up(next); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestSuccessorFails(t *testing.T) {
	old, next := pair(t)
	_, done := offer(t, old)
	next.Close()
	if err := <-done; err == nil {
		t.Fatal("a successor that failed counts as up")
	}
}

func TestNobodyToAsk(t *testing.T) {
	if conn, err := Ask(filepath.Join(t.TempDir(), "h")); conn != nil || err != nil {
		t.Fatalf("got %v, %v; want neither", conn, err)
	}
}

func TestOpenDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(filepath.Join(dir, "h")); err == nil {
		t.Fatal("a directory that others write to is accepted")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(greeting + "\nweb"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if names, err := parse(data); err == nil && len(names) > maxSockets {
			t.Fatal("too many names")
		}
	})
}
