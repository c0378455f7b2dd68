package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// To compile and link everything for each protection takes longer than all attacks do. So it is done once: a function that protections
// change is there as it is, and once more for each of them without it, and asks first which is meant.

// toggle is the environment variable that has the number of the protection to switch off.
const toggle = "MUTATE_SWITCHED_OFF"

// asking is a file that each package gets whose functions ask.
func asking(pkg string) string {
	return "package " + pkg + "\n\nimport \"os\"\n\nvar switchedOff = os.Getenv(" + strconv.Quote(toggle) + ")\n"
}

// numbered is a protection with its number.
type numbered struct {
	n int
	protection
}

// doubling is a file on its way to have its functions doubled.
type doubling struct {
	text   string
	tokens *token.File
	file   *ast.File
	// asked are the functions that ask already, and edits what becomes of the file, by the place of each.
	asked map[*ast.FuncDecl]bool
	edits []edit
}

// edit puts a text in the place of what is between two offsets.
type edit struct {
	begin, end int
	text       string
}

// doubled is a text in which each function that one of the protections changes has a double without it.
func doubled(text string, all []numbered) (string, error) {
	tokens := token.NewFileSet()
	file, err := parser.ParseFile(tokens, "", text, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	d := &doubling{text: text, tokens: tokens.File(file.Pos()), file: file, asked: map[*ast.FuncDecl]bool{}}
	for _, p := range all {
		if _, err := p.apply(text); err != nil {
			return "", err
		}
		f := d.function(p)
		if f == nil {
			return "", fmt.Errorf("%s: what is to be changed in %s is not in the body of one function: %q", p.name, p.file, p.old)
		}
		d.double(f, p)
	}
	return d.edited(), nil
}

func (d *doubling) at(p token.Pos) int { return d.tokens.Offset(p) }

// function is the one in whose body a protection changes something; nil where that is elsewhere.
func (d *doubling) function(p numbered) *ast.FuncDecl {
	begin := strings.Index(d.text, p.old)
	for _, one := range d.file.Decls {
		f, ok := one.(*ast.FuncDecl)
		if ok && f.Body != nil && d.at(f.Body.Lbrace) < begin && begin+len(p.old) <= d.at(f.Body.Rbrace) {
			return f
		}
	}
	return nil
}

// double appends a function without a protection, and has the one that is there call it when it is meant.
func (d *doubling) double(f *ast.FuncDecl, p numbered) {
	name := fmt.Sprintf("%sWithout%d", f.Name.Name, p.n)
	before, behind := d.text[d.at(f.Pos()):d.at(f.Name.Pos())], d.text[d.at(f.Name.End()):d.at(f.End())]
	end := len(d.text)
	d.edits = append(d.edits, edit{end, end, "\n" + before + name + strings.Replace(behind, p.old, p.new, 1) + "\n"})
	call := name + "(" + strings.Join(d.arguments(f, f.Type.Params), ", ") + ")"
	if f.Recv != nil {
		call = d.arguments(f, f.Recv)[0] + "." + call
	}
	if f.Type.Results == nil {
		call += "; return"
	} else {
		call = "return " + call
	}
	d.asked[f] = true
	body := d.at(f.Body.Lbrace) + 1
	d.edits = append(d.edits, edit{body, body, fmt.Sprintf(" if switchedOff == %q { %s }; ", strconv.Itoa(p.n), call)})
}

// arguments are those with which a function calls its double. Parameters without a name get one, the first time.
func (d *doubling) arguments(f *ast.FuncDecl, list *ast.FieldList) (names []string) {
	for _, field := range list.List {
		first := len(names)
		for _, name := range field.Names {
			names = append(names, name.Name)
			if name.Name == "_" {
				names[len(names)-1] = d.called(f, len(names), d.at(name.Pos()), d.at(name.End()), "")
			}
		}
		if len(field.Names) == 0 {
			at := d.at(field.Type.Pos())
			names = append(names, d.called(f, len(names)+1, at, at, " "))
		}
		if _, variadic := field.Type.(*ast.Ellipsis); variadic {
			names[first] += "..."
		}
	}
	return names
}

// called gives a parameter a name by its number. Receivers are alone in their list, and have another place.
func (d *doubling) called(f *ast.FuncDecl, n, begin, end int, behind string) string {
	name := fmt.Sprintf("nameless%dAt%d", n, begin)
	if !d.asked[f] {
		d.edits = append(d.edits, edit{begin, end, name + behind})
	}
	return name
}

// edited is the text with all that becomes of it.
func (d *doubling) edited() string {
	slices.SortStableFunc(d.edits, func(a, b edit) int { return cmp.Compare(a.begin, b.begin) })
	var b strings.Builder
	done := 0
	for _, e := range d.edits {
		b.WriteString(d.text[done:e.begin] + e.text)
		done = e.end
	}
	return b.String() + d.text[done:]
}
