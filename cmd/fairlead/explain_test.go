//go:build unix

package main

import (
	"strings"
	"testing"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// TestExplanationColumns: what is not used in a pool takes no column.
func TestExplanationColumns(t *testing.T) {
	plain := &fairleadv1.Explanation{
		Candidates: []*fairleadv1.Candidate{{Backend: "a:1"}}, Last: []*fairleadv1.Decision{{Ask: 1, Backend: "a:1"}},
	}
	full := &fairleadv1.Explanation{
		Candidates: []*fairleadv1.Candidate{{Backend: "a:1", Queue: 0.25, Weight: -0.5, Affine: true}, {Backend: "b:1"}},
		Last: []*fairleadv1.Decision{
			{Ask: 1, Backend: "b:1", Class: fairleadv1.Class_CLASS_CRITICAL, Flow: "t1", Moved: true},
			{Ask: 2, Reason: fairleadv1.Reason_REASON_TOO_LATE},
		},
	}
	words := []string{"QUEUE", "WEIGHT", "AFFINE", "CLASS", "FLOW", "MOVED"}
	show := func(e *fairleadv1.Explanation) string {
		var out strings.Builder
		if err := showExplanation(&out, e); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if got := show(plain); strings.Contains(got, words[0]) || strings.Contains(got, words[3]) || strings.Contains(got, words[5]) {
		t.Errorf("a plain pool is explained as\n%s", got)
	}
	got := show(full)
	for _, w := range append(words, "0.250", "-0.500", "critical", "t1", "refused: too_late", "yes") {
		if !strings.Contains(got, w) {
			t.Errorf("no %q in\n%s", w, got)
		}
	}
}
