package agent

import (
	"errors"

	"github.com/shirou/gopsutil/v4/cpu"
)

// readCPU asks the system.
func readCPU() (cpuTimes, error) {
	all, err := cpu.Times(false)
	if err != nil {
		return cpuTimes{}, err
	}
	if len(all) == 0 {
		return cpuTimes{}, errors.New("the system lists no CPU")
	}
	t := all[0]
	busy := t.User + t.System + t.Nice + t.Irq + t.Softirq + t.Steal
	return cpuTimes{busy: busy, total: busy + t.Idle + t.Iowait}, nil
}
