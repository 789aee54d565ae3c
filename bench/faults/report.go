//go:build unix

package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/fairlead/fairlead/test/faults/harness"
)

// Between these lines of a file stands the table.
const (
	beginMark = "<!-- bench-faults: begin -->"
	endMark   = "<!-- bench-faults: end -->"
)

// table is the report.
type table struct {
	options
	rows []row
}

const head = `| fault | load | requests | failed | most in flight / slots | seconds until normal | p99 before, during, after, ms |
|---|---|---|---|---|---|---|
`

// String returns it in Markdown, and below it what was not played, and why.
func (t *table) String() string {
	var b, skipped strings.Builder
	b.WriteString(head)
	for _, r := range t.rows {
		if r.skipped != "" {
			fmt.Fprintf(&skipped, "\nNot played: %s, at %.0f %%: %s.\n", r.fault, 100*r.share, r.skipped)
			continue
		}
		b.WriteString(r.line(t.slots) + "\n")
	}
	return b.String() + skipped.String()
}

// line is a row of the table.
func (r row) line(slots int) string {
	if r.skipped != "" {
		return "not played: " + r.skipped
	}
	failed := fmt.Sprint(r.failed)
	if r.failed > 0 {
		failed += ": " + harness.List(r.how)
	}
	if r.own > 0 {
		failed += fmt.Sprintf("; and %d on its connections", r.own)
	}
	normal := fmt.Sprintf("%.2f", r.normal.Seconds())
	if r.never {
		normal = "more than " + normal
	}
	return fmt.Sprintf("| %s | %.0f %% | %d | %s | %d / %d | %s | %s, %s, %s |", r.fault, 100*r.share, r.requests, failed,
		r.most, slots, normal, ms(r.before), ms(r.during), ms(r.after))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d)/float64(time.Millisecond)) }

// put replaces what stands between the markers of a file.
func put(path, text string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(old), beginMark)
	_, after, closed := strings.Cut(rest, endMark)
	if !ok || !closed {
		return fmt.Errorf("%s has no lines %s and %s for the table to stand between", path, beginMark, endMark)
	}
	return os.WriteFile(path, []byte(before+beginMark+"\n"+text+endMark+after), 0o644)
}
