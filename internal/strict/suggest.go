package strict

import (
	"fmt"
	"strings"
)

// Bounds on the search for a word that was meant, so that a file with many wrong words
// and many right ones costs no more than it tells.
const (
	maxSuggestions = maxTold
	maxWords       = 1000
	maxWord        = 64 // bytes
)

// meant returns the word of words that a person most likely meant, or nothing. The
// measure is the edit distance with transpositions (optimal string alignment), and a
// third of the word may be wrong.
func (d *Decoder) meant(word string, words []string) string {
	if d.suggested >= maxSuggestions || len(word) > maxWord {
		return ""
	}
	d.suggested++
	word = strings.ToLower(word)
	best, least := "", max(len(word)/3, 1)+1
	for _, w := range words[:min(len(words), maxWords)] {
		if n := distance(word, strings.ToLower(w), least); n < least {
			best, least = w, n
		}
	}
	return best
}

// distance returns how many changes make b of a: letters added, removed, replaced, and
// neighbours swapped. It gives up with limit when there are that many or more.
func distance(a, b string, limit int) int {
	if len(b) > maxWord || len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return min(last[len(b)], limit)
}

// UnknownName is what is said of a name that leads nowhere.
func (d *Decoder) UnknownName(kind, name string, names []string) Complaint {
	c := Complaint{Problem: fmt.Sprintf("no %s is named %q", kind, name)}
	switch w := d.meant(name, names); {
	case w != "":
		c.Fix = fmt.Sprintf("did you mean %q?", w)
	case len(names) == 0:
		c.Fix = fmt.Sprintf("add it under %ss", kind)
	default:
		c.Fix = fmt.Sprintf("add it under %ss, or use one of %s", kind, enumerate(names))
	}
	return c
}

// enumerate lists a few names for people.
func enumerate(names []string) string {
	const some = 8
	if len(names) > some {
		return strings.Join(names[:some], ", ") + " ..."
	}
	return strings.Join(names, ", ")
}
