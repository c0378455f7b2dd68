// Command generate writes the files of this repository that follow from its code: `make generate`. It is run in the root.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"credproxy.dev/controller/internal/generated"
)

func main() {
	if err := write("."); err != nil {
		fmt.Fprintf(os.Stderr, "generate: %v\n", err)
		os.Exit(1)
	}
}

// write makes every file, and says which ones were not as they are now.
func write(root string) error {
	files, err := generated.Files(root)
	if err != nil {
		return err
	}
	for _, file := range files {
		path := filepath.Join(root, filepath.FromSlash(file.Path))
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, file.Content) { //nolint:gosec // a file of this repository
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // as git makes directories
			return err
		}
		if err := os.WriteFile(path, file.Content, 0o644); err != nil { //nolint:gosec // as git makes files
			return err
		}
		fmt.Printf("wrote %s\n", file.Path)
	}
	return nil
}
