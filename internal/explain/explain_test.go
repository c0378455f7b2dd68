package explain

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/internal/apischema"
)

func written(t *testing.T, typed string, width int, recursive bool) string {
	t.Helper()
	page, err := Find(typed)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := page.Write(&b, width, recursive); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAFieldIsExplainedAsKubectlDoes(t *testing.T) {
	want := `KIND:       CredProxy
VERSION:    credproxy.dev/v1alpha1

FIELD: spec.routes.mode <string>
ENUM:
    Enforce: it is refused
    Warn: it passes, and is logged
DEFAULT: Enforce
DESCRIPTION:
    What becomes of a request that methods, paths or git do not permit; with one
    of these only.
`
	if diff := cmp.Diff(want, written(t, "credproxy.spec.routes.mode", 80, false)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want = `KIND:       CredProxy
VERSION:    credproxy.dev/v1alpha1

FIELD: spec.routes.auth.tokenRef <TokenRef>
DESCRIPTION:
    Says where the controller finds the token;
    with all schemes but Custom. Exactly one of:
    env; file; provider with key.
    More: docs/tokens.md#sources

FIELDS:
  env	<string>
    A variable of the controller's environment
    that --token-env permits.

  file	<string>
    A path beneath --token-dir: relative, without
    "..".

  provider	<string>
    One of the providers that --token-providers
    declares: a DNS label.

  key	<string>
    Says to that provider which token is meant,
    such as team-a/github: letters, digits and
    "._/@:+=-", a letter or digit first, no "/" at
    the end and no "//", "/./" or "/../".
`
	if diff := cmp.Diff(want, written(t, "spec.routes[3].auth.tokenRef", 50, false)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAllFieldsAreListedRecursively(t *testing.T) {
	want := `KIND:       TokenProviders
VERSION:    credproxy.dev/v1alpha1

FIELD: providers <[]Provider> -required-
RANGE: 1 to 256 entries
DESCRIPTION:
    All that specs may name. Each: One provider.

FIELDS:
  name	<string> -required-
  exec	<Exec> -required-
    command	<string> -required-
    args	<[]string>
    env	<[]Variable>
      name	<string> -required-
      value	<string> -required-
    passEnv	<[]string>
  timeout	<string>
  refreshBefore	<string>
  refreshInterval	<string>
`
	if diff := cmp.Diff(want, written(t, "TokenProviders.providers", 80, true)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Every field of every kind has a page, whose lines fit.
func TestEveryFieldIsExplained(t *testing.T) {
	for _, kind := range apischema.Kinds() {
		s, err := apischema.Load(kind)
		if err != nil {
			t.Fatal(err)
		}
		pages := 0
		var visit func(path string, s *apischema.Schema)
		visit = func(path string, s *apischema.Schema) {
			for _, f := range s.Fields() {
				if strings.Contains(f.Name, ".") {
					continue // the key of an annotation
				}
				pages++
				text := written(t, path+"."+f.Name, 60, false)
				if !strings.Contains(text, "\nFIELD: "+strings.TrimPrefix(path+"."+f.Name, kind+".")+" <") {
					t.Errorf("%s.%s is explained as\n%s", path, f.Name, text)
				}
				for line := range strings.Lines(text) {
					if len(line) > 61 && strings.Contains(strings.TrimSpace(line), " ") && strings.HasPrefix(line, indent) {
						t.Errorf("%s.%s: a line is too long: %q", path, f.Name, line)
					}
				}
				visit(path+"."+f.Name, f.Schema)
			}
		}
		visit(kind, s)
		if pages < 10 {
			t.Errorf("%s: only %d fields", kind, pages)
		}
	}
}

func TestWhatIsNotKnownIsSaidWithTheNearestName(t *testing.T) {
	for typed, want := range map[string]string{
		"credproxi":              `there is no kind "credproxi"; do you mean CredProxy? (known: CredProxy, TokenPolicy, TokenProviders)`,
		"pod":                    `no kind, and no field of a CredProxy, is called "pod" (kinds: CredProxy, TokenPolicy, TokenProviders; fields: apiVersion, kind, metadata, spec)`,
		"":                       `no kind, and no field of a CredProxy, is called ""`,
		"sepc":                   `CredProxy: the document has no field "sepc"; do you mean spec?`,
		"spec.rouets.path":       `CredProxy: spec has no field "rouets"; do you mean routes? (known: internalNetwork, `,
		"credproxy.spec.port.x":  `CredProxy: spec.port has no fields, so no "x"`,
		"credproxy.status":       "status is written by the controller",
		"tokenpolicy.spec.roles": `TokenPolicy: spec has no field "roles"; do you mean rules? (known: rules, quotas)`,
		"roles":                  `CredProxy: the document has no field "roles"; do you mean spec.routes.roles?`,
		"spec.roles":             `CredProxy: spec has no field "roles"; do you mean spec.routes.roles?`,
		"tokenpolicy.status":     `no kind, and no field of a TokenPolicy, is called "status"`,
	} {
		if _, err := Find(typed); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", typed, err, want)
		}
	}
}
