//go:build unix

package terminal

import "golang.org/x/sys/unix"

// readerGone reports whether a file is a pipe that nobody can read from any more.
func readerGone(file uintptr) bool {
	fds := []unix.PollFd{{Fd: int32(file)}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&unix.POLLERR != 0
}
