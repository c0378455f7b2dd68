package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A goroutine that outlives its test outlives its request in a controller that runs for months.
func TestPackagesThatStartGoroutinesLookForLeaks(t *testing.T) {
	for _, p := range packages(t) {
		if !below(p.name(), "pkg", "internal") || p.name() == "internal/drivertest" { // its stories run in the tests of drivers
			continue
		}
		for _, name := range p.GoFiles {
			if startsGoroutines(t, filepath.Join(p.Dir, name)) && !looksForLeaks(t, p.Dir) {
				t.Errorf("%s/%s starts goroutines: let a TestMain of the package call goleak.VerifyTestMain", p.name(), name)
			}
		}
	}
}

// startsGoroutines reports whether a file has a go statement, or calls the method Go of a group.
func startsGoroutines(t *testing.T, path string) (found bool) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = true
		case *ast.CallExpr:
			method, ok := n.Fun.(*ast.SelectorExpr)
			found = found || ok && method.Sel.Name == "Go"
		}
		return !found
	})
	return found
}

func looksForLeaks(t *testing.T, dir string) bool {
	t.Helper()
	tests, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range tests {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "goleak.VerifyTestMain(") {
			return true
		}
	}
	return false
}
