package operatorfile

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWhatNobodyElseCouldWriteIsRead(t *testing.T) {
	dir := t.TempDir()
	specs := filepath.Join(dir, "specs")
	must(t, os.Mkdir(specs, 0o755))
	write := func(name, content string, mode os.FileMode) {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
		must(t, os.Chmod(filepath.Join(dir, name), mode))
	}
	write("good", "x", 0o644)
	write("group", "x", 0o660)
	write("all", "x", 0o602)
	write("large", strings.Repeat("x", maxBytes+1), 0o600)
	write("largest", strings.Repeat("x", maxBytes), 0o600)
	write("specs/in", "x", 0o600)
	must(t, os.Symlink("specs/in", filepath.Join(dir, "link-in")))
	must(t, os.Symlink("../good", filepath.Join(dir, "specs/link-out")))
	must(t, os.Symlink("good", filepath.Join(dir, "link")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	must(t, os.Symlink("specs", filepath.Join(dir, "current")))
	must(t, os.Symlink("specs/link-out", filepath.Join(dir, "through")))
	must(t, os.Symlink("/nowhere", filepath.Join(dir, "dangling")))
	tests := []struct{ name, says string }{
		{"good", ""},
		{"largest", ""},
		{"link", ""},
		{"group", "chmod go-w"},
		{"all", "chmod go-w"},
		{"large", "1 MiB"},
		{"specs/in", "beneath --specs"},
		{"specs/../specs/in", "beneath --specs"},
		{"current/in", "beneath --specs"},
		{"link-in", "beneath --specs"},
		{"specs/link-out", "beneath --specs"},
		{"through", "beneath --specs"},
		{"specs/missing", "beneath --specs"},
		{"dangling", "no such file"},
		{"missing", "no such file"},
		{"fifo", "not a regular file"},
		{".", "not a regular file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data, err := Read(dir+"/"+tt.name, specs)
			switch {
			case tt.says == "" && (err != nil || data[0] != 'x'):
				t.Errorf("%q, %v", data, err)
			case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "/"+tt.name)):
				t.Errorf("%v, want %q without the path", err, tt.says)
			}
		})
	}
}

func TestNothingLiesBeneathNoDirectory(t *testing.T) {
	if Beneath("/a", "") || !Beneath("/a/b", "/") || !Beneath("/a", "/a") || Beneath("/ab", "/a") {
		t.Error("a path is not found where it lies")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
