package agent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"syscall"
)

// pressures are the files below /proc/pressure, and the names under which reports carry
// them.
var pressures = []struct{ file, name string }{
	{"pressure/cpu", "psi_cpu"},
	{"pressure/memory", "psi_memory"},
	{"pressure/io", "psi_io"},
}

// readPressure returns, for each resource, the share of the last ten seconds in which
// some task waited for it, 0 to 1 (Linux pressure stall information). A kernel that does
// not tell it has none, which is no error.
func readPressure(proc fs.FS) (map[string]float64, error) {
	found := map[string]float64{}
	var errs []error
	for _, p := range pressures {
		text, err := readSmall(proc, p.file)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EOPNOTSUPP) {
			continue // built without it, or started with psi=0
		}
		if err == nil {
			found[p.name], err = parsePressure(text)
		}
		if err != nil {
			delete(found, p.name)
			errs = append(errs, fmt.Errorf("measure the pressure in /proc/%s: %w", p.file, err))
		}
	}
	return found, errors.Join(errs...)
}

// parsePressure reads the value avg10 of the line "some", a percentage, as a share:
//
//	some avg10=1.53 avg60=0.87 avg300=0.41 total=36941176
func parsePressure(text string) (float64, error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != "some" {
			continue
		}
		for _, field := range fields[1:] {
			value, ok := strings.CutPrefix(field, "avg10=")
			if !ok {
				continue
			}
			percent, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return 0, fmt.Errorf("avg10: %w", err)
			}
			if math.IsNaN(percent) || percent < 0 || percent > 100 {
				return 0, fmt.Errorf("avg10: %v is no percentage", percent)
			}
			return percent / 100, nil
		}
	}
	return 0, errors.New(`it has no line "some" with a value avg10`)
}

// readSmall reads the beginning of a file, which is all that is wanted of those in /proc.
func readSmall(proc fs.FS, name string) (string, error) {
	f, err := proc.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 4096))
	return string(text), err
}
