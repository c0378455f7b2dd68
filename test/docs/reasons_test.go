package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Each reason that the code can set has one entry that says of what it is, how to see it, and what to do; and there is none
// of a reason that the code does not know.
func TestEveryReasonIsExplained(t *testing.T) {
	known := reasons(t)
	explained := entries(t, "docs/troubleshooting.md", "docs/boundary.md")
	index, events := section(t, "docs/troubleshooting.md", "Every reason"), section(t, "docs/troubleshooting.md", "Events")
	for _, reason := range slices.Sorted(maps.Keys(known)) {
		entry, ok := explained[reason]
		switch {
		case ok && !strings.Contains(index, "[`"+reason+"`]("+entry.link+")"):
			t.Errorf("the index of docs/troubleshooting.md does not lead from %s to %s", reason, entry.link)
		case ok || strings.HasPrefix(known[reason], "Event") && inARow(events, reason):
		default:
			t.Errorf("docs/troubleshooting.md has no entry of the reason %s: a heading with what it is of, **See:** and **Do:**", reason)
		}
	}
	for reason, entry := range explained {
		if known[reason] == "" {
			t.Errorf("%s explains the reason %s, which the code does not know", entry.link, reason)
		}
	}
	for _, m := range regexp.MustCompile("(?m)`(\\w+)`").FindAllStringSubmatch(firstColumn(events), -1) {
		if known[m[1]] == "" {
			t.Errorf("docs/troubleshooting.md explains the event %s, which the code does not know", m[1])
		}
	}
}

// Every condition is explained, too.
func TestEveryConditionIsExplained(t *testing.T) {
	page := section(t, "docs/troubleshooting.md", "The conditions")
	found := constants(t, "Condition")
	if len(found) == 0 {
		t.Fatal("no condition was found")
	}
	for kind, name := range found {
		if !strings.Contains(page, "| `"+kind+"` |") {
			t.Errorf("docs/troubleshooting.md does not explain the condition %s (%s)", kind, name)
		}
	}
}

// entry is what a page says of one reason.
type entry struct{ link string }

// entries are the headings that are followed by of what the reason is, how to see it, and what to do.
func entries(t *testing.T, paths ...string) map[string]entry {
	t.Helper()
	whole := regexp.MustCompile(`(?s)^\s*\*[^*]+\.\* .+\n- \*\*See:\*\* .+\n- \*\*Do:\*\* .+`)
	found := map[string]entry{}
	for _, path := range paths {
		for _, part := range strings.Split(read(t, path), "\n### ")[1:] {
			heading, text, _ := strings.Cut(part, "\n")
			text, _, _ = strings.Cut(text, "\n## ")
			if !whole.MatchString(text) {
				continue
			}
			if _, twice := found[heading]; twice {
				t.Errorf("%s is explained twice, also in %s", heading, path)
			}
			link := "#" + strings.ToLower(heading)
			if path != paths[0] {
				link = filepath.Base(path) + link
			}
			found[heading] = entry{link}
		}
	}
	return found
}

// section is what stands under a heading of the second level.
func section(t *testing.T, path, heading string) string {
	t.Helper()
	_, text, found := strings.Cut(read(t, path), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("%s has no section %q", path, heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// inARow reports whether a table of three columns has a word in the first, and something in the others.
func inARow(table, word string) bool {
	return regexp.MustCompile("(?m)^\\|[^|]*`" + word + "`[^|]*\\| [^|]+ \\| [^|]+ \\|$").MatchString(table)
}

func firstColumn(table string) string {
	var cells []string
	for _, m := range regexp.MustCompile(`(?m)^\|([^|]+)\|`).FindAllStringSubmatch(table, -1) {
		cells = append(cells, m[1])
	}
	return strings.Join(cells, "\n")
}

// reasons are the values of all constants that are named after what they are: Reason… of conditions, blocked plans and events,
// Event… of events alone.
func reasons(t *testing.T) map[string]string {
	t.Helper()
	found := constants(t, "Reason")
	if len(found) == 0 {
		t.Fatal("no reason was found")
	}
	maps.Copy(found, constants(t, "Event"))
	return found
}

// constants are those of the controller's packages with a name that begins so, and a text that is no other type's, by value.
func constants(t *testing.T, prefix string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, file := range sources(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != len(spec.Names) || spec.Type != nil {
				return true
			}
			for i, name := range spec.Names {
				rest, ours := strings.CutPrefix(name.Name, prefix)
				if text, literal := textOf(spec.Values[i]); ours && literal && ast.IsExported(rest) {
					found[text] = name.Name
				}
			}
			return true
		})
	}
	return found
}

// sources are the files that can set a reason, without tests: those of the packages that declare conditions, and those that import
// the reconciler.
func sources(t *testing.T) map[string]*ast.File {
	t.Helper()
	found := map[string]*ast.File{}
	walk(t, func(path string) {
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || !regexp.MustCompile(`^(cmd|pkg|internal)/`).MatchString(path) {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		reconciler := func(s *ast.ImportSpec) bool { return s.Path.Value == `"credproxy.dev/controller/pkg/reconcile"` }
		if slices.Contains([]string{"pkg/reconcile", "pkg/spec", "internal/web"}, filepath.Dir(path)) || slices.ContainsFunc(file.Imports, reconciler) {
			found[path] = file
		}
	})
	return found
}

func textOf(e ast.Expr) (string, bool) {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(literal.Value)
	return text, err == nil
}

// A reason is written as a constant wherever one is set, so that the constants are all that there are.
func TestReasonsAreConstants(t *testing.T) {
	files := sources(t)
	for path, found := range literalReasons(files) {
		t.Errorf("%s: a reason is written as a text: %q; declare a constant Reason… or Event…, and explain it in docs/troubleshooting.md",
			path, found)
	}
}

// literalReasons are the texts that stand where a reason belongs: in a field, a parameter or a result of that name.
func literalReasons(files map[string]*ast.File) map[string][]string {
	found := map[string][]string{}
	places := reasonParameters(files)
	for path, file := range files {
		note := func(e ast.Expr) {
			if text, ok := textOf(e); ok && text != "" {
				found[path] = append(found[path], text)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && strings.EqualFold(key.Name, "reason") {
					note(n.Value)
				}
			case *ast.AssignStmt:
				for i, to := range n.Lhs {
					if isReason(to) && i < len(n.Rhs) {
						note(n.Rhs[i])
					}
				}
			case *ast.CallExpr:
				for _, i := range places[nameOf(n.Fun)] {
					if i < len(n.Args) {
						note(n.Args[i])
					}
				}
			case *ast.FuncDecl:
				for _, i := range indexes(n.Type.Results) {
					returned(n.Body, i, note)
				}
			}
			return true
		})
	}
	return found
}

// reasonParameters says of each function's name which of its parameters are reasons.
func reasonParameters(files map[string]*ast.File) map[string][]int {
	places := map[string][]int{}
	for _, file := range files {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				places[f.Name.Name] = append(places[f.Name.Name], indexes(f.Type.Params)...)
			}
		}
	}
	return places
}

// indexes are the places of the fields that are named reason.
func indexes(fields *ast.FieldList) (at []int) {
	if fields == nil {
		return nil
	}
	i := 0
	for _, field := range fields.List {
		for _, name := range field.Names {
			if name.Name == "reason" {
				at = append(at, i)
			}
			i++
		}
		i += max(0, 1-len(field.Names))
	}
	return at
}

func returned(body *ast.BlockStmt, i int, note func(ast.Expr)) {
	ast.Inspect(body, func(n ast.Node) bool {
		if r, ok := n.(*ast.ReturnStmt); ok && i < len(r.Results) {
			note(r.Results[i])
		}
		return true
	})
}

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

func isReason(e ast.Expr) bool { return strings.EqualFold(nameOf(e), "reason") }

func TestReasonsThatAreNoConstantsAreFound(t *testing.T) {
	for name, code := range map[string]string{
		"a field":      `var b = Blocked{Reason: "Odd"}`,
		"a parameter":  "func f(a, b string, reason string) {}\nfunc g() { f(\"\", \"\", \"Odd\") }",
		"a method's":   "func (t) f(reason, message string) {}\nfunc g(x t) { x.f(\"Odd\", \"words\") }",
		"a result":     "func f() (reason, words string) { return \"Odd\", \"words\" }",
		"an assigned":  "func f(c C) { c.Reason = \"Odd\" }",
		"a reason set": "func f() { reason := \"Odd\"; _ = reason }",
	} {
		t.Run(name, func(t *testing.T) {
			file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n"+code, 0)
			if err != nil {
				t.Fatal(err)
			}
			found := literalReasons(map[string]*ast.File{"x.go": file})["x.go"]
			if len(found) != 1 || found[0] != "Odd" {
				t.Errorf("found %q", found)
			}
		})
	}
}
