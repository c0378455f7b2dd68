package docs

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Each module that is imported has a line in docs/decisions.
func TestEveryDependencyIsExplained(t *testing.T) {
	var decisions strings.Builder
	for path, text := range pages(t) {
		if strings.HasPrefix(path, "docs/decisions/") {
			decisions.WriteString(text)
		}
	}
	for module, importer := range imported(t) {
		if !strings.Contains(decisions.String(), module) {
			t.Errorf("%s imports %s, and no page in docs/decisions says why", importer, module)
		}
	}
}

// imported are the modules that our packages import, each with one file that does.
func imported(t *testing.T) map[string]string {
	t.Helper()
	modules := required(t)
	found := map[string]string{}
	walk(t, func(path string) {
		if filepath.Ext(path) != ".go" || strings.HasPrefix(path, "hack/") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(modules, func(m string) bool { return name == m || strings.HasPrefix(name, m+"/") })
			if i >= 0 {
				found[modules[i]] = path
			}
		}
	})
	if len(found) == 0 {
		t.Fatal("no import was found")
	}
	return found
}

// required are the modules of go.mod, the longest paths first.
func required(t *testing.T) []string {
	t.Helper()
	var modules []string
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v`).FindAllStringSubmatch(read(t, "go.mod"), -1) {
		modules = append(modules, m[1])
	}
	slices.SortFunc(modules, func(a, b string) int { return len(b) - len(a) })
	return modules
}
