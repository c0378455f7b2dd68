package apigen

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// source is a package with one type Thing of these lines, and some constants.
func writePackage(t *testing.T, thing string) string {
	t.Helper()
	dir := t.TempDir()
	text := `package things

import ("regexp"; "time")

const (
	most = 7
	word = "w" + "ord"
	wait = 90 * time.Second
)

var form = regexp.MustCompile("^[a-z]+$")

// Colour is a colour.
type Colour string

const (
	// Red is that of blood.
	Red Colour = "Red"
	Blue Colour = "Blue" // that of the sky
)

// Other is another thing.
type Other struct {
	// Name is its name.
	Name string ` + "`json:\"name\"`" + `
}

` + thing
	if err := os.WriteFile(filepath.Join(dir, "things.go"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// made is the schema of Thing.
func made(t *testing.T, thing string) (string, error) {
	t.Helper()
	s, err := parse(writePackage(t, thing))
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.object(s.types["things.Thing"])
	if err != nil {
		return "", err
	}
	text, err := out.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(text), nil
}

func TestASchemaIsMadeFromTypesAndTheirComments(t *testing.T) {
	got, err := made(t, strings.ReplaceAll(`
// Thing is a thing.
// +oneOf=one
// +oneOf=many,colour
// +needs=many:colour
type Thing struct {
	// OneThing is one of
	// them & more.
	// +default=word
	// +pattern=form
	OneThing *string 'json:"one,omitempty" spec:"quantity"'
	// Many are several.
	// +maxItems=most
	// +items=One of several.
	// +items:minLength=2
	Many []string 'json:"many,omitempty"'
	// Colour is how it looks.
	// +default=Red
	Colour Colour 'json:"colour"'
	// Wait lets one wait.
	// +from="1s"
	// +to=wait
	Wait string 'json:"wait,omitempty"'
	// Others are by name.
	Others map[string]Other 'json:"others,omitempty"'
	// Few has fewer.
	// +maximum=most-1
	// +default=true
	Few int64 'json:"few,omitempty"'
	hidden int
}`, "'", "`"))
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "title": "Thing",
  "description": "A thing.",
  "type": "object",
  "required": [
    "colour"
  ],
  "oneOf": [
    {
      "required": [
        "one"
      ]
    },
    {
      "required": [
        "many",
        "colour"
      ]
    }
  ],
  "dependencies": {
    "many": [
      "colour"
    ]
  },
  "properties": {
    "one": {
      "description": "One of them & more.",
      "type": [
        "string",
        "number"
      ],
      "default": "word",
      "pattern": "^[a-z]+$"
    },
    "many": {
      "description": "Several.",
      "type": "array",
      "maxItems": 7,
      "items": {
        "description": "One of several.",
        "type": "string",
        "minLength": 2
      }
    },
    "colour": {
      "description": "How it looks.",
      "type": "string",
      "enum": [
        "Red",
        "Blue"
      ],
      "enumDescriptions": [
        "that of blood",
        "that of the sky"
      ],
      "default": "Red"
    },
    "wait": {
      "description": "Lets one wait. From 1s to 90s.",
      "type": "string"
    },
    "others": {
      "description": "By name.",
      "type": "object",
      "additionalProperties": {
        "title": "Other",
        "description": "Another thing.",
        "type": "object",
        "required": [
          "name"
        ],
        "properties": {
          "name": {
            "description": "Its name.",
            "type": "string"
          }
        },
        "additionalProperties": false
      }
    },
    "few": {
      "description": "Has fewer.",
      "type": "integer",
      "default": true,
      "maximum": 6
    }
  },
  "additionalProperties": false
}
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatIsWrongWithATypeIsSaid(t *testing.T) {
	for field, want := range map[string]string{
		"Name string":                                     `Thing.Name: its comment does not begin with "Name"`,
		"// It is a name.\nName string":                   `its comment does not begin with "Name"`,
		"// Name is LongName.\nName string":               "its comment has LongName; write the field as in files",
		"// Name is.\n// +x=1\nName string":               "+x=1: no such rule is known",
		"// Name is.\n// +pattern=none\nName string":      "package things has no constant none",
		"// Name is.\n// +maximum=word\nName string":      "must be a number",
		"// Name is.\n// +items=x\nName string":           "no such rule is known",
		"// Name is.\n// +default=f(1, 2)\nName string":   "is not understood here",
		"// Name is.\n// +default=time.Year\nName string": "time.Year is not known here",
		"// Name is.\n// +default=1 2\nName string":       "is no expression",
		"// Name is.\n// +key=none:1\nName string":        "package things has no constant none",
		"// Name is.\nName float64":                       "no field may have a type of this kind",
		"// Name is.\nName elsewhere.Type":                "no field may have a type of this kind",
		"// Name is.\n// +default=1.5\nName string":       "1.5 is not a whole number",
	} {
		_, err := made(t, "// Thing is a thing.\ntype Thing struct {\n"+field+" `json:\"name\"`\n// LongName is.\nLongName string `json:\"longName\"`\n}")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", field, err, want)
		}
	}
}

func TestTheTableSaysWhatAFieldMayHold(t *testing.T) {
	s, err := Documents()[0].Schema(root)
	if err != nil {
		t.Fatal(err)
	}
	text := Table(s, "docs/spec.md")
	for _, row := range []string{
		"| `spec.port` | integer | no | `9099` | The TCP port on which the sidecar listens. `--port` sets another default. 1 to 65535. |\n",
		"| `spec.routes[].mode` | string | no | `Enforce` | What becomes of a request that methods, paths or git do not permit; with one of these only. One of `Enforce` (it is refused), `Warn` (it passes, and is logged). |\n",
		"| `spec.callerAuth.keyRef.env` | string | one of env, file, provider with key |",
		"| `metadata.annotations[credproxy.dev/paused]` |",
		"Its fields are those of `spec.callerAuth.keyRef`.",
		"[More](tokens.md#sources)", "[More](#limits)",
	} {
		if !strings.Contains(text, row) {
			t.Errorf("there is no %q in\n%s", row, text)
		}
	}
}
