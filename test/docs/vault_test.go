package docs

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"text/template"
)

// What the example for Vault's agent renders is a token, and lies where the unit's controller looks for the file that it names.
func TestVaultsAgentWritesATokenThatSpecsCanName(t *testing.T) {
	text := read(t, "config/providers/vault-agent.hcl")
	set := map[string]string{}
	depth := 0
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		setting := regexp.MustCompile(`^(\w+) += (".*"|true|false)$`).FindStringSubmatch(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case regexp.MustCompile(`^\w+( "\w+"| =)? \{$`).MatchString(line):
			depth++
		case line == "}":
			depth--
		case setting != nil && depth > 0:
			set[setting[1]] = setting[2]
		default:
			t.Errorf("line %d is neither a setting nor a block: %s", i+1, line)
		}
	}
	if depth != 0 {
		t.Errorf("%d blocks are not closed", depth)
	}

	contents, err := strconv.Unquote(set["contents"])
	if err != nil {
		t.Fatalf("contents is %s: %v", set["contents"], err)
	}
	secret := func(string) any { // as Vault's second engine of keys and values has it
		return struct{ Data map[string]any }{map[string]any{"data": map[string]string{"token": "a-token"}}}
	}
	rendered, err := template.New("contents").Funcs(template.FuncMap{"secret": secret}).Parse(contents)
	if err != nil {
		t.Fatal(err)
	}
	var file strings.Builder
	if err := rendered.Execute(&file, nil); err != nil || file.String() != "a-token" {
		t.Errorf("it renders %q, %v", file.String(), err)
	}

	name := regexp.MustCompile(`tokenRef: \{file: ([\w/-]+)\}`).FindStringSubmatch(text)
	if name == nil || set["destination"] != `"/etc/credproxy/tokens/`+name[1]+`"` {
		t.Errorf("the file is %s, and a spec is told to name %q", set["destination"], name)
	}
}
