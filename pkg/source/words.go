package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"credproxy.dev/controller/pkg/dirwatch"
)

// What is said of files that cannot be read as they stand. Each says what to do.
const (
	permit      = "let the user that runs the controller read it"
	tooLarge    = "is larger than 1 MiB: split it into several files"
	noObjects   = "holds no spec: write one, or remove the file (the sidecars that it last declared stay until then)"
	wrongName   = "is not read by the controller: a spec file's name ends in .yaml, .yml or .json, in small letters"
	hiddenName  = "is not read by the controller: a spec file's name does not begin with a dot"
	lookedAway  = "was not found, but not everything could be read: its last good objects stay until a complete scan"
	keptMoving  = "files came and went while the directory was read; nothing is removed until a scan finds it at rest"
	notFinished = "the scan was interrupted"
)

// What is said of git work trees, as formats.
const (
	gitWrites  = "git is writing in %s (%s): what was read before stays in force until it has finished"
	gitLeft    = "git was interrupted in %s (%s is there since %s): %s; until then edits are followed, and nothing is removed"
	lockLeft   = "if no git runs there, remove %s, and mend what `git -C %s status` shows"
	rebaseLeft = "finish it with `git -C %[1]s rebase --continue`, or give it up with `git -C %[1]s rebase --abort`"
)

// irregular describes what stands where a regular file should.
func irregular(mode fs.FileMode) string {
	kind := "not a regular file"
	switch {
	case mode.IsDir():
		return "is a directory with the name of a spec file: rename it, or it is not read"
	case mode&fs.ModeNamedPipe != 0:
		kind = "a FIFO"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	case mode&fs.ModeDevice != 0:
		kind = "a device"
	}
	return "is " + kind + ", not a regular file: replace or remove it"
}

// unreadable describes a failure to look that has nothing to do with the content.
func unreadable(err error) string {
	cause := reason(err)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Sprintf("cannot be read (%s): %s (uid %d)", cause, permit, os.Geteuid())
	}
	return fmt.Sprintf("cannot be read (%s): mend the file system, or move it out of the directory of specs", cause)
}

func brokenLink(err error) string {
	switch {
	case errors.Is(err, syscall.ELOOP):
		return "is a link that leads in a circle: mend or remove it"
	case dirwatch.LeadsNowhere(err):
		return "is a link that leads nowhere: mend or remove it"
	}
	return unreadable(err)
}

// reason is the system's word for an error, without the path that the caller names anyway.
func reason(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}
