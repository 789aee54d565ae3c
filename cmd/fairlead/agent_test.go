package main

import "testing"

func TestReachedAt(t *testing.T) {
	for _, c := range []struct{ gate, backend, want string }{
		{"127.0.0.1:9401", "10.0.0.7:9000", "127.0.0.1:9401"},
		{"[::]:9401", "10.0.0.7:9000", "10.0.0.7:9401"},
		{"0.0.0.0:9401", "[2001:db8::7]:9000", "[2001:db8::7]:9401"},
		{"[::]:9401", "gpu1.example.org:9000", "gpu1.example.org:9401"},
	} {
		if got := reachedAt(c.gate, c.backend); got != c.want {
			t.Errorf("a gate at %s before %s is reached at %s, want %s", c.gate, c.backend, got, c.want)
		}
	}
}
