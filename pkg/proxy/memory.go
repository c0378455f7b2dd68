package proxy

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// MemoryLimit is the soft limit in bytes that fits the control group mounted at root: four fifths of the hard
// one, so that the collector works harder before the kernel kills. It is 0 when there is none.
func MemoryLimit(root string) int64 {
	for _, file := range []string{"memory.max", "memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(filepath.Join(root, file)) //nolint:gosec // the kernel's own file
		if err != nil {
			continue
		}
		// "max" (version 2) and a number near the largest (version 1) both mean no limit.
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err == nil && limit > 0 && limit < math.MaxInt64/2 {
			return limit / 5 * 4
		}
	}
	return 0
}
