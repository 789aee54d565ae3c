package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxTold bounds the errors in one text. A file that is wrong in more places than that
// is wrong in one way, many times.
const maxTold = 100

// Error is one thing that is wrong in a file.
type Error struct {
	File    string
	Line    int    // from 1
	Column  int    // from 1, in characters
	Key     string // such as pools[0].slots; empty when the whole file is meant
	Problem string // what is wrong
	Fix     string // what to do about it
}

// Error returns the text for people, on one line:
// "fairlead.yaml:12:9: pools[0].slots: must be at least 1, got 0; set slots to ...".
func (e Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", e.File, e.Line, e.Column)
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Problem)
	if e.Fix != "" {
		b.WriteString("; " + e.Fix)
	}
	return b.String()
}

// Errors is all that is wrong in a file, in the order of the file. It is never empty
// when it is returned as an error.
type Errors []Error

// Error returns a line for each error, up to a hundred of them.
func (e Errors) Error() string {
	lines := make([]string, 0, min(len(e), maxTold)+1)
	for _, one := range e[:min(len(e), maxTold)] {
		lines = append(lines, one.Error())
	}
	if more := len(e) - maxTold; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more; mend the ones above first", more))
	}
	return strings.Join(lines, "\n")
}

// Sort puts errors into the order of the file.
func (e Errors) Sort() {
	slices.SortStableFunc(e, func(a, b Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Key, b.Key))
	})
}

// Where is a place in the file, and the key that stands there.
type Where struct {
	Line, Column int
	Key          string
}

// Under returns the place of a key that is missing from the section at w.
func (w Where) Under(key string) Where {
	w.Key = Join(w.Key, key)
	return w
}

// Join returns the path of a key in a section.
func Join(section, key string) string {
	if section == "" {
		return key
	}
	return section + "." + key
}

// Complaint is what is wrong with a value, before its place is known, and what to do about
// it. It is an alias of a plain pair, so that the hundred of them in a reader can be
// written without field names, as sentences.
type Complaint = struct{ Problem, Fix string }
