package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// readCPU reads /proc/stat itself: a share needs no clock ticks, for which a library would
// have to ask the system.
func readCPU(proc fs.FS) (cpuTimes, error) {
	text, err := readSmall(proc, "stat")
	if err != nil {
		return cpuTimes{}, err
	}
	return parseStat(text)
}

// Columns of the line "cpu" in /proc/stat; see proc_stat(5). Time of guests is in user and
// nice already. Time stolen by other guests of the hypervisor counts as busy, as it is not
// there for us to use.
const (
	columnIdle   = 3
	columnIOWait = 4
	columnSteal  = 7
)

// parseStat reads the line of all CPUs together, which comes first.
func parseStat(text string) (cpuTimes, error) {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) <= columnIdle+1 || fields[0] != "cpu" {
		return cpuTimes{}, errors.New("/proc/stat does not begin with the line of all CPUs")
	}
	var times cpuTimes
	for column, field := range fields[1:] {
		if column > columnSteal {
			break
		}
		ticks, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return cpuTimes{}, fmt.Errorf("/proc/stat, CPU column %d: %w", column+1, err)
		}
		times.total += float64(ticks)
		if column != columnIdle && column != columnIOWait {
			times.busy += float64(ticks)
		}
	}
	return times, nil
}
