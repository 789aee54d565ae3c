package testproc

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// lead makes a process the leader of a group of its own, which dies with the test, even
// when that is killed.
func lead(a *syscall.SysProcAttr) {
	a.Setpgid = true
	a.Pdeathsig = syscall.SIGKILL
}

// awaitEnd blocks until the process has ended, and leaves it to be waited for: until
// then nobody else can get its id. It returns false when it could not.
func awaitEnd(pid int) bool {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return err == nil
		}
	}
}
