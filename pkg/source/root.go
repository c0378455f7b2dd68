package source

import (
	"io/fs"
	"os"
	"syscall"
)

// RootID says which directory a scan has read. It is comparable. Without links on the way, another one under the same path
// means that something else was mounted or moved there, and not that its files were deleted.
type RootID struct {
	// Device and Inode are those of stat(2); both are zero when the directory could not be opened.
	Device, Inode uint64
	// Linked is true when the path that was given passes through a symbolic link, at any of its components. Another
	// directory is usual then: git-sync makes one for each commit.
	Linked bool
}

// identify says which directory is open. The listing tells the way to it.
func identify(root *os.Root, l listing) RootID {
	info, err := root.Stat(".")
	if err != nil {
		return RootID{}
	}
	device, inode := identity(info)
	return RootID{Device: device, Inode: inode, Linked: len(l.hops) > 0}
}

// identity is what tells a file from every other that exists at the same time.
func identity(info fs.FileInfo) (device, inode uint64) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return uint64(stat.Dev), stat.Ino //nolint:unconvert // Dev is narrower on other systems
}
