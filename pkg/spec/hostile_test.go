package spec

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/validate/content"
)

func TestAnchorsAndAliasesAreRefusedAtTheirLine(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'z'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	tests := []struct {
		name, file string
		line       int
	}{
		{"an alias in use", web + "    auth: &key {scheme: Bearer, tokenRef: {env: KEY}}\n  - path: /other\n    upstream: https://example.org\n    auth: *key\n", 11},
		{"an anchor without an alias", strings.Replace(web, "name: web", "name: &n web", 1), 4},
		{"an anchor on the whole", "&all " + web, 1},
		{"an anchor on a key", strings.Replace(web, "  routes:", "  &r routes:", 1), 8},
		{"a merge key", "x: &x {kind: CredProxy}\n<<: *x\n", 1},
		{"billion laughs", bomb + "kind: CredProxy\nspec: {routes: *z}\n", 1},
		{"circle of lists", "kind: CredProxy\nspec: {routes: &r [*r, *r]}\n", 2},
		{"circle of objects", "kind: CredProxy\nspec: &s {routes: [*s], resources: *s}\n", 2},
		{"name in a circle", "kind: CredProxy\nmetadata: &m {name: *m}\n", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Decode("x.yaml", []byte(tt.file), Options{})
			want := fmt.Sprintf("%d : %s\n", tt.line, noAnchors)
			if diff := cmp.Diff(want, told(got)); diff != "" || len(got.Objects) > 0 {
				t.Errorf("%d objects, problems (-want +got):\n%s", len(got.Objects), diff)
			}
		})
	}
}

// filled repeats a piece up to about hostileSize.
func filled(piece string) string { return strings.Repeat(piece, hostileSize/len(piece)) }

// numbered joins pieces that each hold a number of their own, up to about that size.
func numbered(format string) string {
	var b strings.Builder
	for i := 0; b.Len() < hostileSize-100; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

const head = "apiVersion: credproxy.dev/v1alpha1\nkind: CredProxy\n"

// hostile are files of about hostileSize that try to cost more than their size.
func hostile() map[string]string {
	wide := "x: &a {" + numbered("k%d: 1, ")[:40_000] + "}\n"
	names := strings.Repeat("name: a, ", 8000)
	return map[string]string{
		"aliases in routes.yaml":        head + strings.Replace(wide, ", }", "}", 1) + "spec: {routes: [" + strings.Repeat("*a, ", hostileSize/5) + "]}\n",
		"aliases of names.yaml":         head + "x: &m {" + names + "}\n" + filled("metadata: *m\n"),
		"repeated names.yaml":           head + "metadata: {" + numbered("name: n%d, ") + "}\n",
		"names in every document.yaml":  strings.Repeat(head+"metadata: {"+numbered("name: n%d, ")[:3000]+"}\n---\n", 256),
		"documents.yaml":                numbered("---\nkind: CredProxy\nmetadata: {name: n%d}\n"),
		"empty documents.yaml":          filled("---\n"),
		"ended documents.yaml":          filled("...\n"),
		"hidden documents.yaml":         filled("---\r"),
		"hidden names.yaml":             numbered("---\rkind: CredProxy\rmetadata: {name: n%d}\r"),
		"broken documents.yaml":         numbered("---\nkind: [\nmetadata: {name: n%d}\n"),
		"broken at the end.yaml":        head + numbered("k%d: 1\n") + "[",
		"keys.yaml":                     head + numbered("k%d: 1\n"),
		"repeated keys.yaml":            head + filled("kind: CredProxy\n"),
		"merge keys.yaml":               head + filled("<<: 1\n"),
		"keys that are lists.yaml":      head + filled("? []\n"),
		"labels.yaml":                   head + "metadata: {labels: {" + numbered("-%d: 1, ") + "}}\n",
		"annotations.yaml":              head + "metadata: {annotations: {" + numbered("credproxy.dev/-%d: x, ") + "}}\n",
		"routes.yaml":                   head + "spec: {routes: [" + filled("{}, ") + "]}\n",
		"unknown fields of routes.yaml": head + "spec: {routes: [" + strings.Repeat("{"+numbered("k%d: 1, ")[:4000]+"}, ", 250) + "]}\n",
		"deep lists.yaml":               filled("["),
		"closed deep lists.yaml":        strings.Repeat(strings.Repeat("[", 9000)+strings.Repeat("]", 9000)+"\n", 1) + filled("\n"),
		"deep blocks.yaml":              filled("- "),
		"deep routes.yaml":              head + "spec: {routes: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "}\n",
		"short items.yaml":              "[" + filled("a,") + "]",
		"comments.yaml":                 "- a\n" + filled("#\n- a\n"),
		"long key.yaml":                 head + "spec: {? \"" + filled("\\e") + "\" : 1}\n",
		"long keys of labels.yaml":      head + "metadata: {labels: {? " + filled("k") + " : 1}}\n",
		"long name.yaml":                head + "metadata: {name: " + filled("n") + "}\n",
		"long kind.yaml":                "kind: " + filled("k") + "\n",
		"long tag.yaml":                 head + "spec: !" + filled("t") + " x\n",
		"long number.yaml":              head + "spec: {port: " + filled("1") + "}\n",
		"long upstream.yaml":            head + "spec: {routes: [{path: " + filled("/a")[:hostileSize/2] + ", upstream: 'https://" + filled("a.")[:hostileSize/2] + "'}]}\n",
		"documents.json":                numbered(`{"kind": "CredProxy", "metadata": {"name": "n%d"}}`),
		"empty documents.json":          filled("{}"),
		"repeated names.json":           `{"metadata": {` + strings.TrimSuffix(numbered(`"name": "n%d",`), ",") + `}}`,
		"routes.json":                   `{"kind": "CredProxy", "spec": {"routes": [` + strings.TrimSuffix(filled("{},"), ",") + `]}}`,
		"deep lists.json":               filled("["),
		"short items.json":              "[" + filled("1,") + "1]",
	}
}

// allowance is how many bytes of memory one byte that is parsed may cost, all that is freed again included. The YAML
// library alone needs 200 for the tree of a list of short items with comments.
const allowance = 200

func TestNoFileCostsOrSaysMoreThanItsSizeAllows(t *testing.T) {
	for name, file := range hostile() {
		t.Run(name, func(t *testing.T) {
			var got Decoded
			if cost := allocated(func() { got = Decode(name, []byte(file), Options{}) }); cost > allowance*(hostileSize+maxReread) {
				t.Errorf("%d bytes cost %d MiB", len(file), cost>>20)
			}
			if len(got.Problems) == 0 {
				t.Error("nothing is said of it")
			}
			checkBounds(t, got)
		})
	}
}

// allocated is how many bytes f asks for.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// checkBounds holds what is true of every file: little is said of it, and nothing that could upset a terminal.
func checkBounds(t *testing.T, got Decoded) {
	t.Helper()
	if len(got.Problems) > maxProblems+2 || len(got.Objects) > maxDocuments || len(got.Names) > maxNames || len(got.Invalid) > maxNames {
		t.Errorf("%d problems, %d objects, %d names, %d invalid", len(got.Problems), len(got.Objects), len(got.Names), len(got.Invalid))
	}
	for _, p := range got.Problems {
		if s := p.String(); len(s) > maxFieldLength+maxMessageLength+100 || !isPrintable(s, len(s)) {
			t.Errorf("a problem of %d bytes: %.100q", len(s), s)
		}
	}
	for _, name := range got.Names {
		if !isPrintable(name, maxNameLength) {
			t.Errorf("the name %q", name)
		}
	}
	for _, object := range got.Invalid {
		if len(object.Problems) == 0 || len(object.Problems) > maxProblems || !slices.Contains(got.Names, object.Name) ||
			content.IsDNS1123Label(object.Name) != nil {
			t.Errorf("%q with %d problems among the names %q", object.Name, len(object.Problems), got.Names)
		}
	}
}

func TestAFileHoldsABoundedNumberOfDocuments(t *testing.T) {
	documents := func(n int, separator string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%s%s", strings.Replace(web, "name: web", fmt.Sprintf("name: n%d", i), 1), separator)
		}
		return b.String()
	}
	for name, separator := range map[string]string{"begun": "---\n", "ended": "...\n", "ended and begun": "...\n---\n", "hidden": "\r---\r"} {
		full := strings.TrimRight(documents(maxDocuments, separator), "-\r\n")
		if got := Decode("x.yaml", []byte(full), Options{}); len(got.Objects) != maxDocuments || !got.Parsed || len(got.Problems) > 0 {
			t.Errorf("%s: of %d documents %d are good:\n%s", name, maxDocuments, len(got.Objects), told(got))
		}
		got := Decode("x.yaml", []byte(documents(maxDocuments+3, separator)), Options{})
		if len(got.Objects) != maxDocuments || len(got.Names) != maxDocuments || got.Parsed || len(got.Problems) != 1 ||
			!strings.Contains(got.Problems[0].Message, "more than 256 documents") || got.Problems[0].Line <= maxDocuments*10 {
			t.Errorf("%s: beyond that there are %d objects, %d names, parsed %v:\n%s",
				name, len(got.Objects), len(got.Names), got.Parsed, told(got))
		}
	}
}

func TestThatThereAreTooManyDocumentsIsSaidWhateverElseIs(t *testing.T) {
	got := told(Decode("x.yaml", []byte(numbered("---\nkind: CredProxy\nmetadata: {name: n%d}\n")), Options{}))
	if !strings.HasSuffix(got, "\n769 : more than 256 documents in one file: split it into several files; nothing from here on is read\n"+
		"0 : and more problems; mend these first\n") {
		t.Error(got[len(got)-300:])
	}
}

func TestNamesThatAreTooManyMightBeAny(t *testing.T) {
	file := head + "metadata:\n"
	for i := range maxNames + 1 {
		file += fmt.Sprintf("  name: n%d\n", i)
	}
	if got := Decode("x.yaml", []byte(file), Options{}); len(got.Names) != maxNames || got.Parsed {
		t.Errorf("%d names, parsed %v", len(got.Names), got.Parsed)
	}
}

func TestListsAndMappingsThatAreTooLongAreNotWalked(t *testing.T) {
	labels := "{" + strings.Repeat("a: b, ", maxEntries+1) + "}"
	for _, tt := range []edit{
		{"routes", "  routes:", "  routes: [" + strings.Repeat("{}, ", MaxRoutes+1) + "]\nold:",
			"8 spec.routes: must have at most 256 entries, not 257\n9 old: unknown field; known here: apiVersion, kind, metadata, spec\n"},
		{"labels", "  name: web\n", "  name: web\n  labels: " + labels + "\n", "5 metadata.labels: must have at most 256 entries, not 257\n"},
		{"annotations", "  name: web\n", "  name: web\n  annotations: " + labels + "\n", "5 metadata.annotations: must have at most 256 entries, not 257\n"},
	} {
		t.Run(tt.name, tt.check)
	}
}

func TestProblemsAreToldOfTheNamesTheyBelongTo(t *testing.T) {
	bad := func(name, port string) string {
		return "---\n" + strings.Replace(strings.Replace(web, "name: web", "name: "+name, 1), "  routes:", "  port: "+port+"\n  routes:", 1)
	}
	file := web + bad("one", "0") + bad("Upper", "0") + bad("two", "x") + bad("one", "70000") + "---\nkind: Secret\nmetadata: {name: other}\n" +
		"---\nkind: CredProxy\nmetadata:\n  name: half\nspec: [\n"
	got := Decode("x.yaml", []byte(file), Options{})
	var lines []string
	for _, object := range got.Invalid {
		for _, p := range object.Problems {
			lines = append(lines, fmt.Sprintf("%s: %s", object.Name, p))
		}
	}
	want := []string{
		"one: x.yaml:19: spec.port: must be at least 1; leave the field out for its default",
		"two: x.yaml:43: spec.port: must be a whole number, not a string",
		`other: x.yaml:60: kind: kind "Secret" is not known; known: CredProxy`,
		"half: x.yaml:66: not YAML: did not find expected node content; the rest of this document is not read",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"web", "one", "Upper", "two", "other", "half"}, got.Names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestADocumentIsJudgedThoughNothingMoreIsSaidOfItsFile(t *testing.T) {
	keys := head + "metadata: {name: wide}\n" + numbered("k%d: 1\n")[:50_000]
	got := Decode("x.yaml", []byte(keys[:strings.LastIndex(keys, "\n")]+"\n---\n"+web+"---\n"+head+"metadata: {name: bad}\n"), Options{})
	if len(got.Problems) != maxProblems+1 || got.Problems[maxProblems].Message != "and more problems; mend these first" {
		t.Errorf("%d problems, the last %v", len(got.Problems), got.Problems[len(got.Problems)-1])
	}
	if len(got.Objects) != 1 || len(got.Invalid) != 2 || len(got.Invalid[1].Problems) != 1 {
		t.Errorf("objects %v, invalid %v", got.Objects, got.Invalid)
	}
}

func TestAHostileFileCannotFillTheLog(t *testing.T) {
	long := strings.Repeat("x", 1<<16)
	got := Decode("x.yaml", []byte("kind: CredProxy\n\"\\e[2J"+long+"\": 1\napiVersion: \"\\e[2J"+long+"\"\nmetadata: {name: \"\\n"+long+"\"}\n"), Options{})
	checkBounds(t, got)
	if len(got.Problems) == 0 || len(got.Names) > 0 {
		t.Errorf("%d names, problems\n%s", len(got.Names), told(got))
	}
}

func TestTheNameOfAFileCannotForgeALine(t *testing.T) {
	for name, want := range map[string]string{
		"team/web.yaml": "team/web.yaml", "ü b.yaml": "ü b.yaml", `back\slash.yaml`: `back\slash.yaml`, "": "",
		"a\nb.yaml:1: forged.yaml": `"a\nb.yaml:1: forged.yaml"`,
		"\x1b[2J.yaml":             `"\x1b[2J.yaml"`, "\u009b2J.json": `"\u009b2J.json"`, "\u202elmay.yaml": `"\u202elmay.yaml"`,
		"\u200b.yaml": `"\u200b.yaml"`, "\xff.yaml": `"\xff.yaml"`, "\u2028.yaml": `"\u2028.yaml"`, `"a\n.yaml"`: `"\"a\\n.yaml\""`,
	} {
		if got := ShownPath(name); got != want {
			t.Errorf("%q is shown as %s, want %s", name, got, want)
		}
		for _, p := range Decode(name, []byte("{"), Options{}).Problems {
			if p.File != want || !isPrintable(p.String(), 1000) {
				t.Errorf("%q in a problem: %q", name, p.String())
			}
		}
	}
}
