//go:build unix

package main

import (
	"strings"
	"testing"
)

// TestCheckNotes: what a good file needs of others follows the line that says that it is
// good, a line each; a plain file has nothing to add.
func TestCheckNotes(t *testing.T) {
	file := write(t, `
pools:
  - {name: render, slots: 1, assign: confirm, backends: [{address: "127.0.0.1:9001"}]}
  - {name: thumbs, slots: 1, link: direct, prefer: zone, backends: [{address: "127.0.0.1:9002", zone: a}, {address: "127.0.0.1:9003"}]}
`)
	got := fairlead("check", "-c", file)
	got.is(t, exitOK)
	lines := strings.Split(strings.TrimSuffix(got.out, "\n"), "\n")
	want := []string{
		file + " is good: ",
		`note: pool "render" assigns its requests (assign: confirm): `,
		`note: pool "thumbs" sends clients to its backends (link: direct): `,
		`note: pool "thumbs" prefers backends in the client's zone (prefer: zone), and 127.0.0.1:9003 is in none`,
	}
	if len(lines) != len(want) {
		t.Fatalf("check prints %q, want %d lines", got.out, len(want))
	}
	for i, w := range want {
		if !strings.HasPrefix(lines[i], w) {
			t.Errorf("line %d is %q, want it to begin with %q", i+1, lines[i], w)
		}
	}
	if plain := fairlead("check", "-c", newSite(t).file); strings.Contains(plain.out, "note:") {
		t.Errorf("of a plain file check prints %q", plain.out)
	}
}
