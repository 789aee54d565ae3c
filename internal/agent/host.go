package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"

	"github.com/fairlead/fairlead/sdk/backend"
)

// Host samples the host that the process runs on: CPU and memory in use, the run queue
// of the last minute (backend.Load1) and, where the kernel tells it, the pressure on CPU,
// memory and I/O. In a container it sees what the container sees of its host, which is as
// a rule all of it. Not safe for concurrent use.
type Host struct {
	proc fs.FS // /proc
	last cpuTimes
	cpu  float64 // over the last interval in which time passed
}

// NewHost begins to measure: the first sample's CPU is of the time since.
func NewHost() *Host {
	h := &Host{proc: os.DirFS("/proc")}
	h.last, _ = readCPU() // Sample meets the same error, and tells it
	return h
}

// Sample implements Sampler.
func (h *Host) Sample() (backend.Load, error) {
	l := backend.Load{Named: map[string]float64{}}
	var errs []error
	if err := h.sampleCPU(); err != nil {
		errs = append(errs, fmt.Errorf("measure the CPU: %w", err))
	} else {
		l.CPU = h.cpu
	}
	if memory, err := mem.VirtualMemory(); err != nil {
		errs = append(errs, fmt.Errorf("measure the memory: %w", err))
	} else {
		l.Memory = memory.UsedPercent / 100
	}
	if average, err := load.Avg(); err != nil {
		errs = append(errs, fmt.Errorf("measure the run queue: %w", err))
	} else {
		l.Named[backend.Load1] = average.Load1
	}
	pressure, err := readPressure(h.proc)
	if err != nil {
		errs = append(errs, err)
	}
	l.Utilization = pressure
	return l, errors.Join(errs...)
}

func (h *Host) sampleCPU() error {
	now, err := readCPU()
	if err != nil {
		return err
	}
	if share, ok := now.since(h.last); ok {
		h.cpu, h.last = share, now
	}
	return nil
}

// cpuTimes are sums over all CPUs since the host started, in any unit.
type cpuTimes struct {
	busy, total float64
}

// since returns the share of the time that was busy, 0 to 1, and whether time passed.
// The kernel may take time back from a sum (it does so with I/O wait), hence the bounds.
func (c cpuTimes) since(last cpuTimes) (share float64, ok bool) {
	total := c.total - last.total
	if total <= 0 {
		return 0, false
	}
	return min(max((c.busy-last.busy)/total, 0), 1), true
}
