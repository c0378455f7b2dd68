package proxy

import (
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
