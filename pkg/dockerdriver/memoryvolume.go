package dockerdriver

import (
	"fmt"
	"strconv"
	"strings"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// A volume in memory is a tmpfs, which the engine mounts when its container starts and lets go when that ends, whoever
// restarts it: what is copied before is lost, and so is what was copied after.

const (
	// memoryVolumePages, 32 MiB with pages of 4 KiB, have room for several generations, of which one takes 5 MiB at most. What
	// is not used takes none. Podman takes "size" for a quota of its own.
	memoryVolumePages = 8192
	// noSwap keeps a tmpfs out of swap (Linux 6.4, Documentation/filesystems/tmpfs.rst).
	noSwap = "noswap"
)

// volumeOptions are the options of a sidecar's volume; nil for one on the engine's disk.
func (d *Driver) volumeOptions(req reconcile.CreateRequest) map[string]string {
	if req.Standby == nil {
		return nil
	}
	options := fmt.Sprintf("nr_blocks=%d,mode=0700,uid=%d,gid=%d,nosuid,nodev,noexec", memoryVolumePages, routetable.UID, routetable.UID)
	if d.knowsNoSwap() {
		options += "," + noSwap
	}
	return map[string]string{"type": "tmpfs", "device": "tmpfs", "o": options}
}

// knowsNoSwap reports whether the engine's kernel can be told to keep a volume out of swap, as far as is known.
func (d *Driver) knowsNoSwap() bool {
	d.about.mu.Lock()
	defer d.about.mu.Unlock()
	return !d.swaps.Load() && atLeast(d.about.said.kernel, 6, 4)
}

// orLetSwap takes the failure of a container's creation or start. When it is that its volume cannot be kept out of swap, as
// by an engine that is not root's, the next attempt does without. There is only the engine's text to tell by.
func (d *Driver) orLetSwap(err error) error {
	if strings.Contains(err.Error(), noSwap) && !d.swaps.Swap(true) {
		return fmt.Errorf("the engine cannot keep a volume out of swap; the next attempt lets it be swapped out: %w", err)
	}
	return err
}

// atLeast compares a kernel's release, such as 6.1.0-42-amd64, with a version. One that cannot be read is older.
func atLeast(release string, major, minor int) bool {
	first, rest, _ := strings.Cut(release, ".")
	second := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	x, errX := strconv.Atoi(first)
	y, errY := strconv.Atoi(second)
	return errX == nil && errY == nil && (x > major || x == major && y >= minor)
}
