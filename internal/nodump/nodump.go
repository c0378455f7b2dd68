// Package nodump keeps what a process holds in memory from being written to a disk when it crashes, and from others of the
// same user.
package nodump

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Forbid lets no core of this process be dumped, nor of those that it starts. On Linux its memory, its environment and the
// files that it sees are moreover out of reach of others of its user, unless they have CAP_SYS_PTRACE.
//
// It is to be called before the process holds a token. What it is about is not lost when it fails: the process can go on.
func Forbid() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("limiting core dumps to nothing: %w", err)
	}
	return undumpable()
}
