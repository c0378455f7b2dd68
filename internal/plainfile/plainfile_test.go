package plainfile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"full": "1234", "large": "12345", "empty": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		text string
		err  error
	}{
		"full": {"1234", nil}, "empty": {"", nil}, "large": {"", ErrTooLarge}, "fifo": {"", ErrIrregular}, ".": {"", ErrIrregular},
	} {
		file, err := os.OpenFile(filepath.Join(dir, name), Flags, 0)
		if err != nil {
			t.Fatal(err)
		}
		data, is, err := Read(file, 4)
		if string(data) != want.text || !errors.Is(err, want.err) || is == nil {
			t.Errorf("%s: %q, %v, %v", name, data, is, err)
		}
		_ = file.Close()
	}
}
