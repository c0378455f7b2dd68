package provider

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// setApart gives a command a process group of its own, and has the kernel end it with the controller.
func setApart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// forbidCoreDumps keeps a crash of a plugin from writing its memory, with a token in it, to a disk. A process that has
// ended already needs no limit.
func forbidCoreDumps(pid int) {
	_ = unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
}
