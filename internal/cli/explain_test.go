package cli

import (
	"strings"
	"testing"

	"credproxy.dev/controller/internal/apischema"
)

func TestFieldsAreExplainedAndSchemasPrinted(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want int
		says string
	}{
		"a field":               {[]string{"explain", "credproxy.spec.port"}, 0, "FIELD: spec.port <integer>\nDEFAULT: 9099\nRANGE: 1 to 65535\n"},
		"a kind":                {[]string{"explain", "tokenpolicy"}, 0, "KIND:       TokenPolicy\n"},
		"all below it":          {[]string{"explain", "spec.resources", "--recursive"}, 0, "FIELDS:\n  memory\t<string or number>\n  cpus\t"},
		"an unknown field":      {[]string{"explain", "spec.prot"}, 2, "do you mean port?"},
		"an unknown kind":       {[]string{"explain", "credprox"}, 2, "do you mean CredProxy?"},
		"no field":              {[]string{"explain"}, 2, "FIELD is missing: controller explain FIELD"},
		"a schema":              {[]string{"schema"}, 0, `"title": "CredProxy"`},
		"another":               {[]string{"schema", "tokenproviders"}, 0, `"title": "TokenProviders"`},
		"that of nothing":       {[]string{"schema", "TokenPolcy"}, 2, "do you mean TokenPolicy?"},
		"several at once":       {[]string{"schema", "TokenPolicy", "CredProxy"}, 2, "is one argument too many: controller schema [KIND]"},
		"a flag that is not":    {[]string{"schema", "-o", "yaml"}, 2, "controller schema --help"},
		"a message's own field": {[]string{"explain", "metadata.annotations[credproxy.dev/paused]"}, 0, "FIELD: metadata.annotations <map[string]string>"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, nil)
			got := c.run(t, tt.args...)
			if text := c.out.String() + c.err.String(); got != tt.want || !strings.Contains(text, tt.says) {
				t.Errorf("exit code %d, want %d and %q in:\n%s", got, tt.want, tt.says, text)
			}
		})
	}
}

func TestASchemaIsPrintedAsItIs(t *testing.T) {
	for _, kind := range apischema.Kinds() {
		c := newConsole(t, nil)
		c.run(t, "schema", kind)
		if want, err := apischema.Text(kind); err != nil || c.out.String() != string(want) {
			t.Errorf("%s: %v, and not the file itself", kind, err)
		}
	}
}
