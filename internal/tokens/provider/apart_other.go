//go:build !linux

package provider

import (
	"os/exec"
	"syscall"
)

func setApart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func forbidCoreDumps(int) {}
