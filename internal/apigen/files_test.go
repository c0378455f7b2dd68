package apigen

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/internal/apischema"
)

const root = "../.."

// What is written can be read again without loss: explain reads it.
func TestASchemaIsReadAsItWasWritten(t *testing.T) {
	for _, d := range Documents() {
		made, err := d.Schema(root)
		if err != nil {
			t.Fatal(err)
		}
		text, err := made.Format()
		if err != nil {
			t.Fatal(err)
		}
		read, err := apischema.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		again, err := read.Format()
		if diff := cmp.Diff(string(text), string(again)); diff != "" || err != nil {
			t.Errorf("%s: %v (-made +read):\n%s", d.Kind, err, diff)
		}
	}
}

// Editors find the schema of each file that people copy by its first line.
func TestFilesToCopyNameTheirSchema(t *testing.T) {
	modeline := regexp.MustCompile(`\A# yaml-language-server: \$schema=(\S+)\n`)
	kind := regexp.MustCompile(`(?m)^kind: (\w+)$`)
	var found int
	for _, d := range Documents() {
		files, err := filepath.Glob(filepath.Join(root, "config/*/*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if k := kind.FindSubmatch(text); k == nil || string(k[1]) != d.Kind {
				continue
			}
			found++
			line := modeline.FindSubmatch(text)
			if line == nil {
				t.Errorf("%s does not begin with a line for editors", path)
				continue
			}
			if got, want := filepath.Join(filepath.Dir(path), string(line[1])), filepath.Join(root, d.SchemaFile()); got != want {
				t.Errorf("%s names %s, not %s", path, got, want)
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d files were looked at", found)
	}
}
