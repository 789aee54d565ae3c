package fleet

import (
	"slices"
	"strings"
	"testing"
)

func TestLabels(t *testing.T) {
	got := Labels(map[string]string{"gpu": "a100", "gpu-x": "1", "Tier": "gold"})
	if want := []string{"Tier=gold", "gpu-x=1", "gpu=a100"}; !slices.Equal(got, want) || !slices.IsSorted(got) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := CheckLabels(got); err != nil {
		t.Error(err)
	}
	if Labels(nil) != nil {
		t.Error("no labels are not nil")
	}
}

func TestCheckLabels(t *testing.T) {
	longest := strings.Repeat("n", 63) + "=" + strings.Repeat("v", 191)
	for _, good := range [][]string{nil, {"a=b=c"}, {longest}} {
		if err := CheckLabels(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range [][]string{
		{"a"}, {"=b"}, {"a="}, {"-a=b"}, {"a=b c"}, {"a=\xff"}, {"a=b", "a=c"}, {longest + "v"},
		{"n" + longest}, make([]string, 17),
	} {
		if CheckLabels(bad) == nil {
			t.Errorf("%q are taken", bad)
		}
	}
}

func TestClassOf(t *testing.T) {
	for c := Critical; c < Classes; c++ {
		if got, ok := ClassOf(c.String()); !ok || got != c {
			t.Errorf("%s is %d, %t", c, got, ok)
		}
	}
	if c, ok := ClassOf("urgent"); ok || c != NoClass {
		t.Errorf("got %s", c)
	}
}
