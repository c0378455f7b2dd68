package apigen

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/constant"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// source is what is declared in some packages, by package name and name.
type source struct {
	types  map[string]declared
	values map[string]value
	// enums are the constants of a type, in their order.
	enums map[string][]value
}

// declared is a type with its comment.
type declared struct {
	pkg, name string
	doc       string
	expr      ast.Expr
}

// value is a constant, or the text of a regular expression, with its comment.
type value struct {
	pkg, name string
	doc       string
	expr      ast.Expr
}

// parse reads the packages in directories, without their tests.
func parse(dirs ...string) (*source, error) {
	s := &source{types: map[string]declared{}, values: map[string]value{}, enums: map[string][]value{}}
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		pkg, err := build.ImportDir(dir, 0)
		if err != nil {
			return nil, err
		}
		for _, name := range pkg.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			s.read(pkg.Name, file)
		}
	}
	return s, nil
}

func (s *source) read(pkg string, file *ast.File) {
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range group.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				s.types[pkg+"."+spec.Name.Name] = declared{pkg, spec.Name.Name, comment(spec.Doc, group.Doc), spec.Type}
			case *ast.ValueSpec:
				s.readValues(pkg, spec)
			}
		}
	}
}

func (s *source) readValues(pkg string, spec *ast.ValueSpec) {
	for i, name := range spec.Names {
		if i >= len(spec.Values) {
			return // of an iota
		}
		v := value{pkg, name.Name, comment(spec.Doc, spec.Comment), spec.Values[i]}
		s.values[pkg+"."+name.Name] = v
		if of, ok := spec.Type.(*ast.Ident); ok {
			s.enums[pkg+"."+of.Name] = append(s.enums[pkg+"."+of.Name], v)
		}
	}
}

// comment is the text of the first comment that is there, its lines joined as they were written.
func comment(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if text := g.Text(); text != "" {
			return text
		}
	}
	return ""
}

// evaluate returns what an expression of a package comes to: a string, a number of type int64, or a boolean. Durations are
// strings, as files write them, and so are regular expressions.
func (s *source) evaluate(pkg, text string) (any, error) {
	expr, err := parser.ParseExpr(text)
	if err != nil {
		return nil, fmt.Errorf("%s is no expression: %w", text, err)
	}
	c, isDuration, err := s.eval(pkg, expr)
	if err != nil {
		return nil, err
	}
	switch c.Kind() {
	case constant.String:
		return constant.StringVal(c), nil
	case constant.Bool:
		return constant.BoolVal(c), nil
	default:
		number, exact := constant.Int64Val(constant.ToInt(c))
		if !exact {
			return nil, fmt.Errorf("%s is not a whole number", text)
		}
		if isDuration {
			return shortDuration(time.Duration(number)), nil
		}
		return number, nil
	}
}

// eval knows what these packages declare constants with, and no more.
func (s *source) eval(pkg string, expr ast.Expr) (c constant.Value, isDuration bool, err error) {
	switch e := expr.(type) {
	case *ast.BasicLit:
		return constant.MakeFromLiteral(e.Value, e.Kind, 0), false, nil
	case *ast.Ident:
		return s.named(pkg, e.Name)
	case *ast.SelectorExpr:
		if of, ok := e.X.(*ast.Ident); ok {
			return s.named(of.Name, e.Sel.Name)
		}
	case *ast.BinaryExpr:
		x, dx, err := s.eval(pkg, e.X)
		if err != nil {
			return nil, false, err
		}
		y, dy, err := s.eval(pkg, e.Y)
		if err != nil {
			return nil, false, err
		}
		return constant.BinaryOp(x, e.Op, y), dx || dy, nil
	case *ast.CallExpr: // regexp.MustCompile of a text
		if len(e.Args) == 1 {
			return s.eval(pkg, e.Args[0])
		}
	}
	return nil, false, fmt.Errorf("package %s: an expression of this kind is not understood here", pkg)
}

func (s *source) named(pkg, name string) (constant.Value, bool, error) {
	switch {
	case pkg == "time":
		unit, ok := map[string]time.Duration{
			"Millisecond": time.Millisecond, "Second": time.Second, "Minute": time.Minute, "Hour": time.Hour,
		}[name]
		if !ok {
			return nil, false, fmt.Errorf("time.%s is not known here", name)
		}
		return constant.MakeInt64(int64(unit)), true, nil
	case name == "true" || name == "false":
		return constant.MakeBool(name == "true"), false, nil
	}
	v, ok := s.values[pkg+"."+name]
	if !ok {
		return nil, false, fmt.Errorf("package %s has no constant %s", pkg, name)
	}
	return s.eval(v.pkg, v.expr)
}

// shortDuration writes 10m for 10m0s.
func shortDuration(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d != 0 && d%unit.of == 0 {
			return strconv.FormatInt(int64(d/unit.of), 10) + unit.name
		}
	}
	return d.String()
}
