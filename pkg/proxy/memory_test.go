package proxy

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestMemoryLimitLeavesRoomBelowTheGroups(t *testing.T) {
	tests := map[string]struct {
		file, text string
		want       int64
	}{
		"version 2":            {"memory.max", "67108860\n", 53687088},
		"version 2, unlimited": {"memory.max", "max\n", 0},
		"version 1":            {"memory/memory.limit_in_bytes", "1000\n", 800},
		"version 1, unlimited": {"memory/memory.limit_in_bytes", "9223372036854771712\n", 0},
		"neither":              {"other", "1000", 0},
		"nonsense":             {"memory.max", "-5", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			file := filepath.Join(root, tt.file)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := MemoryLimit(root); got != tt.want {
				t.Errorf("limit %d, not %d", got, tt.want)
			}
		})
	}
}

func TestMemoryMakesRoomForConnections(t *testing.T) {
	for limit, want := range map[int64]int{
		0: 512, math.MaxInt64: 512, 64 << 20 / 5 * 4: 512, 128 << 20 / 5 * 4: 1024, 32 << 20 / 5 * 4: 256, 1 << 20: 64, 16 << 30: 4096,
	} {
		if got := connectionsIn(limit); got != want {
			t.Errorf("in %d bytes there is room for %d, not %d", limit, got, want)
		}
	}
}
