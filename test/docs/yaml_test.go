package docs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"credproxy.dev/controller/internal/cli"
	"credproxy.dev/controller/internal/tokens/provider"
	"credproxy.dev/controller/pkg/policy"
	"credproxy.dev/controller/pkg/spec"
	"credproxy.dev/controller/test/fences"
)

// wholeSpec and wholePolicy are what fragments of the pages are put into.
const (
	wholeSpec = `apiVersion: credproxy.dev/v1alpha1
kind: CredProxy
metadata: {name: web}
spec:
  internalNetwork: web-internal
  egressNetwork: web-egress
  routes:
  - path: /api
    upstream: https://api.example.org
`
	wholePolicy = `apiVersion: credproxy.dev/v1alpha1
kind: TokenPolicy
metadata: {name: teams}
spec:
  rules: [{name: any, folders: ["**"]}]
`
)

// readYAML has the program that reads such files say what is wrong with a block.
func readYAML(t *testing.T, b fences.Block) error {
	t.Helper()
	text, kind, err := completed(b.Text)
	if err != nil {
		return err
	}
	switch kind {
	case spec.Kind:
		return validated(t, text)
	case policy.Kind:
		_, problems := policy.Decode(b.Page, []byte(text))
		return joined(problems)
	case modeline:
		return inASample(text)
	case provider.Kind:
		_, problems := provider.Decode(b.Page, []byte(text), "")
		return joined(problems)
	}
	return fmt.Errorf("nothing reads the kind %q", kind)
}

// modeline stands for the kind of what is a comment alone: the first line of a file, which tells an editor its schema.
const modeline = "a comment"

func inASample(line string) error {
	sample, err := os.ReadFile(filepath.Join(root, "config/samples/simple.yaml"))
	if err == nil && !strings.HasPrefix(string(sample), line) {
		err = fmt.Errorf("the samples do not begin with it")
	}
	return err
}

// completed makes a whole document of a block, and says of which kind it is. A fragment is known by its fields.
func completed(text string) (whole, kind string, err error) {
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		return "", "", err
	}
	if routes, ok := value.([]any); ok {
		return within(wholeSpec, spec.Kind, func(doc map[string]any) { doc["spec"].(map[string]any)["routes"] = routes })
	}
	fields, _ := value.(map[string]any)
	switch {
	case value == nil:
		return text, modeline, nil
	case fields["kind"] != nil:
		return text, fmt.Sprint(fields["kind"]), nil
	case fields["spec"] != nil:
		return within(wholeSpec, spec.Kind, func(doc map[string]any) { merge(doc, fields) })
	case fields["routes"] != nil:
		return within(wholeSpec, spec.Kind, func(doc map[string]any) { merge(doc["spec"].(map[string]any), fields) })
	case fields["auth"] != nil:
		return within(wholeSpec, spec.Kind, func(doc map[string]any) {
			merge(doc["spec"].(map[string]any)["routes"].([]any)[0].(map[string]any), fields)
		})
	case fields["quotas"] != nil, fields["rules"] != nil:
		return within(wholePolicy, policy.Kind, func(doc map[string]any) { merge(doc["spec"].(map[string]any), fields) })
	}
	return "", "", fmt.Errorf("it is neither a whole document nor a part that is known: add its kind, or name the test that reads it: <!-- %s: TestName -->",
		fences.CheckedBy)
}

func within(whole, kind string, change func(doc map[string]any)) (text, ofKind string, err error) {
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(whole), &doc); err != nil {
		return "", "", err
	}
	change(doc)
	out, err := yaml.Marshal(doc)
	return string(out), kind, err
}

// merge puts fields over those of a document.
func merge(doc, fields map[string]any) {
	for name, value := range fields {
		over, nested := value.(map[string]any)
		under, both := doc[name].(map[string]any)
		if nested && both {
			merge(under, over)
			continue
		}
		doc[name] = value
	}
}

// validated is what `controller validate` says of a text.
func validated(t *testing.T, text string) error {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "spec.yaml"), []byte(text), 0o600); err != nil {
		return err
	}
	var out bytes.Buffer
	sys := cli.System{Stdout: &out, Stderr: &out, LookupEnv: noVariables}
	if code := cli.Run(t.Context(), []string{"validate", dir}, sys); code != 0 {
		return errors.New(strings.TrimSpace(out.String()))
	}
	return nil
}

func joined(problems []spec.Problem) error {
	var all []error
	for _, p := range problems {
		all = append(all, errors.New(p.String()))
	}
	return errors.Join(all...)
}

func TestBlocksOfYAMLAreReadStrictly(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"a spec":                       {wholeSpec, ""},
		"a policy":                     {wholePolicy, ""},
		"routes":                       {"- path: /x\n  upstream: https://example.org\n", ""},
		"a part of a spec":             {"spec:\n  port: 8080\n", ""},
		"a part of a route":            {"auth: {scheme: Bearer, tokenRef: {env: X}}\n", ""},
		"an unknown field":             {"spec:\n  prot: 8080\n", "prot"},
		"a bad route":                  {"- path: x\n  upstream: https://example.org\n", "path"},
		"an unknown field of a rule":   {"rules:\n- {name: a, folder: x}\n", "folder"},
		"a part of a spec with routes": {"routes: [{path: /x, upstream: \"https://example.org\"}]\n", ""},
		"a comment":                    {"# anything\n", "samples"},
		"another kind":                 {"kind: Pod\n", "Pod"},
		"something else":               {"a: b\n", "neither"},
		"no YAML":                      {"a: [\n", "yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			err := readYAML(t, fences.Block{Page: "p.md", Text: tt.text})
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
