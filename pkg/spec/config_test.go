package spec

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// kitchen is a document of some kind of the operator's.
type kitchen struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Cooks      []string `json:"cooks,omitempty" spec:"stated"`
}

func decodeKitchen(file, text string) (kitchen, string) {
	var k kitchen
	problems := DecodeConfig(file, []byte(text), "Kitchen", &k, func() (Header, field.ErrorList) {
		var errs field.ErrorList
		for i, cook := range k.Cooks {
			if cook == "rat" {
				errs = append(errs, invalid(field.NewPath("cooks").Index(i), "is a rat"))
			}
		}
		return Header{k.APIVersion, k.Kind}, errs
	})
	var said []string
	for _, p := range problems {
		said = append(said, p.String())
	}
	return k, strings.Join(said, "\n")
}

func TestAFileOfTheOperatorsIsReadAsStrictlyAsASpec(t *testing.T) {
	const header = "apiVersion: credproxy.dev/v1alpha1\nkind: Kitchen\n"
	tests := []struct{ name, file, text, want string }{
		{"good", "k.yaml", header + "cooks: [ann, bob]\n", ""},
		{"json", "k.json", `{"apiVersion": "credproxy.dev/v1alpha1", "kind": "Kitchen"}`, ""},
		{"nothing", "k.yaml", "# later\n", "k.yaml: holds nothing; write one document, with apiVersion: credproxy.dev/v1alpha1 and kind: Kitchen"},
		{"two documents", "k.yaml", header + "---\n" + header, "k.yaml:4: only one document is read from this file; remove the others"},
		{
			"all at once", "k.yaml", "apiVersion: v1\nkind: Kitchen\ncooks: [ann, rat]\ncock: x\n",
			"k.yaml:1: apiVersion: Unsupported value: \"v1\": supported values: \"credproxy.dev/v1alpha1\"\n" +
				"k.yaml:3: cooks[1]: Invalid value: is a rat\nk.yaml:4: cock: unknown field; do you mean cooks? Known here: apiVersion, kind, cooks",
		},
		{"another kind", "k.yaml", "apiVersion: credproxy.dev/v1alpha1\nkind: CredProxy\n", "k.yaml:2: kind: kind \"CredProxy\" is not known; known: Kitchen"},
		{"no kind", "k.yaml", "apiVersion: credproxy.dev/v1alpha1\n", "k.yaml:1: kind: Required value: write Kitchen"},
		{"an empty field", "k.yaml", header + "cooks:\n", "k.yaml:3: cooks: must be a list, not nothing; write it, or remove the field"},
		{"an alias", "k.yaml", header + "cooks: [&a ann, *a]\n", "k.yaml:3: YAML anchors and aliases (&name, *name) are not read here: write the value out"},
		{"not YAML", "k.yaml", header + "cooks: [\n", "k.yaml:3: not YAML: did not find expected node content; the rest of this document is not read"},
	}
	for _, tt := range tests {
		if _, got := decodeKitchen(tt.file, tt.text); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}
