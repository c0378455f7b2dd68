package nodump

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// undumpable also keeps a crash from a program that takes core dumps from a pipe, such as systemd-coredump, to which the
// limit does not apply; see PR_SET_DUMPABLE in prctl(2), and core(5). A program that is executed begins anew.
func undumpable() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("making the process undumpable: %w", err)
	}
	return nil
}
