package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// search prints every file below the paths that holds the text on stdin. The text is not an argument, because
// then this process itself would be found. Of /proc, only what tells of processes is read: environ and cmdline.
func search(roots []string, stdin io.Reader, stdout io.Writer) error {
	text, err := io.ReadAll(stdin)
	if err != nil {
		return err
	}
	text = bytes.TrimSpace(text)
	if len(text) == 0 || len(roots) == 0 {
		return errors.New("grep wants a text on stdin, and paths")
	}
	found := false
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return skipUnreadable(entry)
			case path == "/sys":
				return fs.SkipDir
			case !isSearched(path, entry):
				return nil
			}
			data, err := os.ReadFile(path)
			if err == nil && bytes.Contains(data, text) {
				found = true
				fmt.Fprintln(stdout, path)
			}
			return nil // what this user cannot read tells it nothing
		})
		if err != nil {
			return err
		}
	}
	if !found {
		return errFailed
	}
	return nil
}

func skipUnreadable(entry fs.DirEntry) error {
	if entry != nil && entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}

func isSearched(path string, entry fs.DirEntry) bool {
	rest, ok := strings.CutPrefix(path, "/proc/")
	if !ok {
		return entry.Type().IsRegular()
	}
	process, file, _ := strings.Cut(rest, "/")
	if _, err := strconv.Atoi(process); err != nil {
		return false
	}
	// The files of another process are looked into only by who names them: its root is a link, which is not followed.
	return file == "environ" || file == "cmdline" || strings.HasPrefix(file, "root/") && entry.Type().IsRegular()
}
