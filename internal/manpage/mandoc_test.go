//go:build shells

package manpage

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A reader of manual pages finds nothing wrong with them, and shows what is in them.
func TestShellMandocReadsEveryPage(t *testing.T) {
	dir := t.TempDir()
	for name, text := range pages() {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("mandoc", "-T", "lint", "-W", "warning", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v:\n%s", name, err, out)
		}
		shown, err := exec.Command("mandoc", "-T", "ascii", "-O", "width=78", path).Output()
		if err != nil || !strings.Contains(string(shown), "N\bNA\bAM\bME\bE") {
			t.Errorf("%s: %v:\n%s", name, err, shown)
		}
	}
}
