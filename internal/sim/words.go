package sim

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/goccy/go-yaml/ast"

	"github.com/fairlead/fairlead/internal/strict"
)

const (
	maxServers = 1_000_000
	maxQueue   = 10_000_000
	maxLabels  = 32
	maxKinds   = 1_000_000 // flows or affinity keys of one kind of request
)

// readTime is strict.Duration, in one line.
func readTime(least, most time.Duration, zero bool, purpose string) func(ast.Node) (time.Duration, *strict.Complaint) {
	return strict.Duration(strict.Span{Least: least, Most: most, Zero: zero, Purpose: purpose})
}

// plainNumber is how a number is written, and a percentage.
var plainNumber = regexp.MustCompile(`^[0-9]{1,20}(\.[0-9]{1,400})?%?$`)

// readNumber reads a number of at least 0, or a percentage.
func readNumber(n ast.Node) (float64, *strict.Complaint) {
	var written string
	switch n := n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		written = n.GetToken().Value
	case *ast.StringNode:
		written = n.Value
	}
	if !plainNumber.MatchString(written) {
		return 0, &strict.Complaint{Problem: fmt.Sprintf("must be a number or a percentage, got %s", strict.Describe(n)),
			Fix: "write it in plain decimal digits, such as 0.9 or 90%"}
	}
	digits, percent := strings.CutSuffix(written, "%")
	v, err := strconv.ParseFloat(digits, 64)
	if err != nil { // it has too many digits for the pattern to let it be anything else
		return 0, &strict.Complaint{Problem: "is no number: " + err.Error(), Fix: "write fewer digits"}
	}
	if percent {
		v /= 100
	}
	return v, nil
}

// readShare returns a converter of numbers and percentages in bounds.
func readShare(least, most float64, purpose string) func(ast.Node) (float64, *strict.Complaint) {
	return func(n ast.Node) (float64, *strict.Complaint) {
		v, bad := readNumber(n)
		switch {
		case bad != nil:
			return 0, bad
		case v < least:
			return 0, &strict.Complaint{Problem: fmt.Sprintf("must be at least %v, got %v", least, v), Fix: purpose}
		case v > most:
			return 0, &strict.Complaint{Problem: fmt.Sprintf("must be at most %v, got %v", most, v), Fix: purpose}
		}
		return v, nil
	}
}

// readFactor returns a converter of numbers above 0.
func readFactor(purpose string) func(ast.Node) (float64, *strict.Complaint) {
	return readShare(1e-6, 1e6, purpose)
}

// readSlowdown reads how many times slower a backend gets; the word stop is 0.
func readSlowdown(n ast.Node) (float64, *strict.Complaint) {
	const fix = "write how many times slower it gets, such as 3, or stop"
	if word, ok := strict.TextOf(n); ok && word == "stop" {
		return 0, nil
	}
	return readShare(1, 1e6, fix)(n)
}

// readSeed reads a seed, of 64 bits.
func readSeed(n ast.Node) (uint64, *strict.Complaint) {
	written := ""
	if i, ok := n.(*ast.IntegerNode); ok {
		written = i.GetToken().Value
	}
	v, err := strconv.ParseUint(written, 10, 64)
	if err != nil || len(written) > 1 && written[0] == '0' {
		return 0, &strict.Complaint{Problem: fmt.Sprintf("must be a seed, got %s", strict.Describe(n)),
			Fix: fmt.Sprintf("write a whole number from 0 to %d, in plain decimal digits", uint64(math.MaxUint64))}
	}
	return v, nil
}

var (
	wordPattern  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	labelPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}=[A-Za-z0-9._/:-]{0,63}$`)
)

// readWord reads a name.
func readWord(s string) (string, *strict.Complaint) {
	if !wordPattern.MatchString(s) {
		return "", &strict.Complaint{Problem: fmt.Sprintf("must be a name, got %s", strict.Quote(s)),
			Fix: "use 1 to 63 letters, digits, dots, dashes and underscores, and begin with a letter or digit"}
	}
	return s, nil
}

// readLabel reads "name=value".
func readLabel(s string) (string, *strict.Complaint) {
	if !labelPattern.MatchString(s) {
		return "", &strict.Complaint{Problem: fmt.Sprintf("must be a label, got %s", strict.Quote(s)),
			Fix: "write name=value, such as gpu=a100"}
	}
	return s, nil
}

// sortLabels sorts, and returns one that is there twice.
func sortLabels(all []string) (twice string) {
	slices.Sort(all)
	for i := 1; i < len(all); i++ {
		if all[i] == all[i-1] {
			return all[i]
		}
	}
	return ""
}

// readTitle reads a title.
func readTitle(s string) (string, *strict.Complaint) {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" || len(s) > 100 || strings.ContainsFunc(s, unicode.IsControl) {
		return "", &strict.Complaint{Problem: "must be a name of 1 to 100 bytes", Fix: "write a few words"}
	}
	return s, nil
}

// readProse reads a text for people.
func readProse(s string) (string, *strict.Complaint) {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 4000 || strings.ContainsFunc(s, unicode.IsControl) {
		return "", &strict.Complaint{Problem: "must be a text of at most 4000 bytes", Fix: "shorten it"}
	}
	return s, nil
}
