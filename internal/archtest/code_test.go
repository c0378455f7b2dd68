package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment: a newcomer has to learn its one idea from the first lines", p.name())
		}
	}
}

func TestLibrariesHaveNoHiddenState(t *testing.T) {
	for _, p := range packages(t) {
		if !below(p.name(), "pkg", "internal") {
			continue
		}
		files := token.NewFileSet()
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range hiddenState(files, file) {
				t.Errorf("%s/%s", p.name(), f)
			}
		}
	}
}

func TestHiddenStateIsFound(t *testing.T) {
	tests := []struct {
		name, code string
		found      bool
	}{
		{"func init", "func init() {}", true},
		{"method init", "type t int\nfunc (t) init() {}", false},
		{"map literal", "var m = map[string]int{}", true},
		{"slice literal", "var s = []string{`a`}", true},
		{"slice type", "var s []string", true},
		{"made map", "var m = make(map[int]int)", true},
		{"pointer to a map", "var m = &map[int]int{}", true},
		{"in a group", "var (\n\ta = 1\n\tm = map[int]int{}\n)", true},
		{"array", "var a = [2]int{1, 2}", false},
		{"number", "var n = 1", false},
		{"in a function", "func f() { var m = map[int]int{}; _ = m }", false},
		{"immutable, above", "// It is immutable.\nvar m = map[int]int{}", true},
		{"immutable, beside", "var m = map[int]int{} // immutable", false},
		{"immutable, above, as a word of its own", "// immutable\nvar m = map[int]int{}", false},
		{"immutable, with words", "// m is all there is.\n// immutable: read by f alone\nvar m = map[int]int{}", false},
		{"mutable, beside", "var m = map[int]int{} // mutable", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, "x.go", "package x\n\n"+tt.code+"\n", parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if found := hiddenState(files, file); (len(found) > 0) != tt.found {
				t.Errorf("found %q, want any: %v", found, tt.found)
			}
		})
	}
}

// hiddenState lists what a file does behind its callers' backs.
func hiddenState(files *token.FileSet, file *ast.File) (found []string) {
	say := func(at token.Pos, what string) {
		position := files.Position(at)
		position.Filename = filepath.Base(position.Filename)
		found = append(found, position.String()+": "+what)
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.Name == "init" && d.Recv == nil {
				say(d.Pos(), "func init: what happens on import cannot be chosen, ordered or tested")
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok && d.Tok == token.VAR && isMutable(v) && !saysImmutable(d.Doc, v.Doc, v.Comment) {
					say(v.Pos(), "a package-level map or slice that anybody may change: return it from a function, "+
						"or write `// immutable` at it if nobody does")
				}
			}
		}
	}
	return found
}

// isMutable reports whether a variable is plainly a map or a slice. Named types are not seen through.
func isMutable(v *ast.ValueSpec) bool {
	if isMapOrSlice(v.Type) {
		return true
	}
	for _, value := range v.Values {
		if u, ok := value.(*ast.UnaryExpr); ok {
			value = u.X
		}
		switch e := value.(type) {
		case *ast.CompositeLit:
			if isMapOrSlice(e.Type) {
				return true
			}
		case *ast.CallExpr:
			if f, ok := e.Fun.(*ast.Ident); ok && f.Name == "make" && isMapOrSlice(e.Args[0]) {
				return true
			}
		}
	}
	return false
}

func isMapOrSlice(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.MapType:
		return true
	case *ast.ArrayType:
		return e.Len == nil
	}
	return false
}

// saysImmutable reports whether a line of the comments begins with the word.
func saysImmutable(comments ...*ast.CommentGroup) bool {
	for _, c := range comments {
		for line := range strings.Lines(c.Text()) {
			if strings.HasPrefix(line, "immutable") {
				return true
			}
		}
	}
	return false
}
