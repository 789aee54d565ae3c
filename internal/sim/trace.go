package sim

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/fairlead/fairlead/internal/strict"
)

// arrivals reads when requests come. Of load, rate and trace the last one said counts, so
// that a cell can change its base's.
func (s *sheet) arrivals() strict.Reader {
	a := &s.sc.Arrivals
	said := map[string]bool{}
	only := func(key string, clear func(), read strict.Reader) strict.Reader {
		return func(n ast.Node, at strict.Where) {
			if len(said) > 0 {
				s.Report(at, strict.Complaint{Problem: "load, rate and trace exclude each other", Fix: "keep one of them"})
			}
			said[key] = true
			clear()
			read(n, at)
		}
	}
	return s.within(strict.Keys{
		"load": only("load", func() { a.Rate, a.Trace, a.Sizes = 0, nil, nil },
			into(s, &a.Load, readShare(1e-6, 100, "say what share of the capacity is asked for, such as 90%"))),
		"rate": only("rate", func() { a.Load, a.Trace, a.Sizes = 0, nil, nil },
			into(s, &a.Rate, readShare(1e-6, 1e9, "say how many requests come a second"))),
		"trace": only("trace", func() { a.Load, a.Rate, a.Sizes, a.Burst = 0, 0, nil, Burst{} }, s.trace()),
		"sizes": listOf(s, &a.Sizes, maxTrace, eachItem(s, readTime(time.Nanosecond, 24*time.Hour, false, "say how much work each request of the trace is"))),
		"burst": s.orNone(func() { a.Burst = Burst{} }, s.within(strict.Keys{
			"high":       into(s, &a.Burst.High, readFactor("say by what the rate is multiplied in a burst")),
			"low":        into(s, &a.Burst.Low, readShare(0, 1e6, "say by what the rate is multiplied between bursts")),
			"high_for":   into(s, &a.Burst.HighFor, readTime(time.Microsecond, time.Hour, false, "say how long a burst is on average")),
			"low_for":    into(s, &a.Burst.LowFor, readTime(time.Microsecond, time.Hour, false, "say how long it is between bursts on average")),
			"each_proxy": into(s, &a.Burst.EachProxyOnItsOwn, strict.YesOrNo),
		})),
	})
}

// trace reads a list of times, or a file of them.
func (s *sheet) trace() strict.Reader {
	a := &s.sc.Arrivals
	list := listOf(s, &a.Trace, maxTrace, eachItem(s, readTime(0, 1000*time.Hour, true, "say when the request comes, from the beginning")))
	return func(n ast.Node, at strict.Where) {
		if _, isList := n.(*ast.SequenceNode); isList || n == nil {
			list(n, at)
			return
		}
		file := ""
		s.note(at)
		if !s.Section(n, at, strict.Keys{"file": into(s, &file, strict.Text(localFile))}) || file == "" {
			return
		}
		var err error
		if a.Trace, a.Sizes, err = traceFile(filepath.Join(filepath.Dir(s.File), file)); err != nil {
			s.Report(at, strict.Complaint{Problem: "the trace cannot be read: " + err.Error(),
				Fix: "write a line for each request: when it comes, and perhaps its work, as in: 12.5ms 3ms"})
		}
	}
}

// localFile reads the name of a file in the scenario's folder. Scenarios are passed
// around, so they must not reach further.
func localFile(s string) (string, *strict.Complaint) {
	if !filepath.IsLocal(s) {
		return "", &strict.Complaint{Problem: fmt.Sprintf("must be a file beside the scenario, got %s", strict.Quote(s)),
			Fix: "move the file there, and write its name"}
	}
	return s, nil
}

// maxTraceFile bounds a file of arrivals.
const maxTraceFile = 256 << 20

func traceFile(path string) (arrivals, sizes []time.Duration, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, nil, err
	case !info.Mode().IsRegular():
		return nil, nil, fmt.Errorf("%s is no plain file", path)
	case info.Size() > maxTraceFile:
		return nil, nil, fmt.Errorf("%s is larger than %d MiB", path, maxTraceFile>>20)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return readTrace(io.LimitReader(f, maxTraceFile))
}

// readTrace reads a line for each request: when it comes, and its work, on all lines or on
// none. Empty lines and what follows a # do not count.
func readTrace(r io.Reader) (arrivals, sizes []time.Duration, err error) {
	lines := bufio.NewScanner(r)
	for line := 1; lines.Scan(); line++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		if len(words) > 2 || len(arrivals) > 0 && (len(words) == 2) != (len(sizes) > 0) {
			return nil, nil, fmt.Errorf("line %d has %d words, unlike what is expected", line, len(words))
		}
		if len(arrivals) >= maxTrace {
			return nil, nil, fmt.Errorf("there are more than %d lines", maxTrace)
		}
		at, err := time.ParseDuration(words[0])
		if err != nil || at < 0 {
			return nil, nil, fmt.Errorf("line %d: %s is no time", line, strict.Quote(words[0]))
		}
		arrivals = append(arrivals, at)
		if len(words) == 2 {
			work, err := time.ParseDuration(words[1])
			if err != nil || work <= 0 {
				return nil, nil, fmt.Errorf("line %d: %s is no work", line, strict.Quote(words[1]))
			}
			sizes = append(sizes, work)
		}
	}
	return arrivals, sizes, lines.Err()
}
