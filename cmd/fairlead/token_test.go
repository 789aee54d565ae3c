package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/config"
)

// TestKeptToken: the first start makes a token that only this user can read, and later ones
// use it; a file that the config names has to be there, and to hold one.
func TestKeptToken(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	c := &config.Config{Controller: config.Controller{Data: dir}}
	first, hint, err := keptToken(c)
	file := filepath.Join(dir, "admin-token")
	if err != nil || len(first) < minToken || !strings.Contains(hint, file) {
		t.Fatalf("token %q, hint %q, %v", first, hint, err)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, file: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
	if again, _, err := keptToken(c); err != nil || again != first {
		t.Errorf("the second start has token %q, %v, want the first one's", again, err)
	}
	named := filepath.Join(t.TempDir(), "token")
	c.Controller.AdminToken = named
	if _, _, err := keptToken(c); err == nil || !strings.Contains(err.Error(), named) {
		t.Errorf("a token's file that is not there: %v", err)
	}
	for text, good := range map[string]bool{"": false, "short\n": false, strings.Repeat("x", 2000): false, "  a-token-of-a-user \n": true} {
		if err := os.WriteFile(named, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, _, err := keptToken(c)
		if (err == nil) != good || good && got != "a-token-of-a-user" || err != nil && len(text) > 6 && strings.Contains(err.Error(), text) {
			t.Errorf("the file says %.20q: token %q, %v", text, got, err)
		}
	}
}
