package fleet

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Limits of labels.
const (
	MaxLabels = 16  // of one backend, and that one request requires
	MaxLabel  = 255 // bytes of "name=value"

	maxLabelName = 63 // bytes
)

// Labels returns labels as backends and requests have them: "name=value", sorted.
func Labels(values map[string]string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, name+"="+values[name])
	}
	slices.Sort(all) // where one name begins with another they may change places
	return all
}

// CheckLabels returns an error unless each one is a label and none has another's name.
func CheckLabels(labels []string) error {
	if len(labels) > MaxLabels {
		return fmt.Errorf("there are %d labels; at most %d are taken", len(labels), MaxLabels)
	}
	names := map[string]bool{}
	for _, l := range labels {
		name, value, found := strings.Cut(l, "=")
		if !found {
			return fmt.Errorf("%.80q is no label; write name=value", l)
		}
		if err := CheckLabelName(name); err != nil {
			return err
		}
		if err := CheckLabelValue(value); err != nil {
			return err
		}
		if len(l) > MaxLabel {
			return fmt.Errorf("the label %.80q has %d bytes; at most %d are taken", l, len(l), MaxLabel)
		}
		if names[name] {
			return fmt.Errorf("the label %q is given twice", name)
		}
		names[name] = true
	}
	return nil
}

// CheckLabelName returns an error unless s can name a label.
func CheckLabelName(s string) error {
	const others = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	if s == "" || len(s) > maxLabelName || strings.Trim(s, others) != "" || strings.ContainsAny(s[:1], "._-") {
		return fmt.Errorf("%.80q is no name of a label; use 1 to %d letters, digits, dots, dashes and underscores, and begin with a letter or digit",
			s, maxLabelName)
	}
	return nil
}

// CheckLabelValue returns an error unless s can be a label's value.
func CheckLabelValue(s string) error {
	const most = MaxLabel - maxLabelName - 1
	bad := s == "" || len(s) > most
	for i := range len(s) {
		bad = bad || s[i] <= ' ' || s[i] >= 0x7f
	}
	if bad {
		return fmt.Errorf("%.80q is no value of a label; use 1 to %d visible ASCII characters", s, most)
	}
	return nil
}

// ClassOf returns the class that a word names.
func ClassOf(word string) (Class, bool) {
	for c := Critical; c < Classes; c++ {
		if classNames[c] == word {
			return c, true
		}
	}
	return NoClass, false
}
