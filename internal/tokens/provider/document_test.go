package provider

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const declared = `apiVersion: credproxy.dev/v1alpha1
kind: TokenProviders
providers:
- name: vault
  exec:
    command: /usr/local/bin/vault-token
`

func TestProvidersAreReadWithTheirDefaults(t *testing.T) {
	text := declared + `    args: [--mount, secret]
    env: [{name: VAULT_ADDR, value: "https://vault:8200"}]
    passEnv: [HOME]
  timeout: 2s
  refreshBefore: 90s
  refreshInterval: 1h
- name: plain
  exec: {command: /bin/plain}
`
	got, problems := Decode("providers.yaml", []byte(text), "")
	want := []Provider{
		{
			Name: "vault", Command: "/usr/local/bin/vault-token", Args: []string{"--mount", "secret"},
			Env: []Variable{{"VAULT_ADDR", "https://vault:8200"}}, PassEnv: []string{"HOME"},
			Timeout: 2 * time.Second, RefreshBefore: 90 * time.Second, RefreshInterval: time.Hour,
		},
		{Name: "plain", Command: "/bin/plain", Timeout: 10 * time.Second, RefreshBefore: time.Minute, RefreshInterval: 5 * time.Minute},
	}
	if diff := cmp.Diff(want, got); diff != "" || len(problems) > 0 {
		t.Errorf("%v\n(-want +got):\n%s", problems, diff)
	}
}

func TestEachProblemOfTheFileHasItsLineAndField(t *testing.T) {
	exec := func(more string) string { return declared + more }
	tests := []struct{ name, text, want string }{
		{"empty", "", "0 "},
		{"not YAML", "providers: [", "1 "},
		{"another kind", strings.Replace(declared, "TokenProviders", "CredProxy", 1), "2 kind"},
		{"no version", strings.Replace(declared, "apiVersion: credproxy.dev/v1alpha1\n", "", 1), "1 apiVersion"},
		{"two documents", declared + "---\n" + declared, "8 "},
		{"no provider", "apiVersion: credproxy.dev/v1alpha1\nkind: TokenProviders\nproviders: []\n", "3 providers"},
		{"unknown field", exec("    shell: true\n"), "7 providers[0].exec.shell"},
		{"repeated field", exec("  name: again\n"), "7 providers[0].name"},
		{"no name", strings.Replace(declared, "name: vault", "timeout: 1s", 1), "4 providers[0].name"},
		{"name in capitals", strings.Replace(declared, "vault", "Vault", 1), "4 providers[0].name"},
		{"name twice", exec("- {name: vault, exec: {command: /a}}\n"), "7 providers[1].name"},
		{"no command", "apiVersion: credproxy.dev/v1alpha1\nkind: TokenProviders\nproviders:\n- name: a\n", "4 providers[0].exec.command"},
		{"command to be looked up", strings.Replace(declared, "/usr/local/bin/", "", 1), "6 providers[0].exec.command"},
		{"command that leads up", strings.Replace(declared, "/bin/", "/bin/../", 1), "6 providers[0].exec.command"},
		{"command with its arguments is a path", exec("    args: --mount\n"), "7 providers[0].exec.args"},
		{"command beneath the specs", strings.Replace(declared, "/usr/local/bin", "/srv/specs/bin", 1), "6 providers[0].exec.command"},
		{"argument with a NUL", exec("    args: [a, \"b\\0\"]\n"), "7 providers[0].exec.args[1]"},
		{"variable without a name", exec("    env: [{value: x}]\n"), "7 providers[0].exec.env[0].name"},
		{"variable that is none", exec("    env: [{name: A=B, value: x}]\n"), "7 providers[0].exec.env[0].name"},
		{"variable of the controller's", exec("    env: [{name: CREDPROXY_TOKEN_KEY, value: x}]\n"), "7 providers[0].exec.env[0].name"},
		{"variable of the protocol's", exec("    passEnv: [KUBERNETES_EXEC_INFO]\n"), "7 providers[0].exec.passEnv[0]"},
		{"variable twice", exec("    env: [{name: A, value: x}]\n    passEnv: [A]\n"), "8 providers[0].exec.passEnv[0]"},
		{"timeout that is none", exec("  timeout: soon\n"), "7 providers[0].timeout"},
		{"timeout that is a number", exec("  timeout: 10\n"), "7 providers[0].timeout"},
		{"timeout too long", exec("  timeout: 1h\n"), "7 providers[0].timeout"},
		{"refresh all the time", exec("  refreshInterval: 0s\n"), "7 providers[0].refreshInterval"},
		{"refresh in the past", exec("  refreshBefore: -1m\n"), "7 providers[0].refreshBefore"},
		{"everything at once", strings.Replace(exec("  timeout: 1h\n"), "vault", "V", 1), "4 providers[0].name 7 providers[0].timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, problems := Decode("providers.yaml", []byte(tt.text), "/srv/specs")
			var told []string
			for _, p := range problems {
				told = append(told, fmt.Sprint(p.Line, " ", p.Field))
			}
			if diff := cmp.Diff(tt.want, strings.Join(told, " ")); diff != "" || got != nil {
				t.Errorf("(-want +got):\n%s\n%v", diff, problems)
			}
		})
	}
}

func TestASecretInTheWrongPlaceOfTheFileIsNotRepeated(t *testing.T) {
	for _, more := range []string{
		"    env: [{name: " + secret + ", value: x}]\n", "    passEnv: [" + secret + "]\n", "  timeout: " + secret + "\n",
		"    token: " + secret + "\n", "    args: {token: " + secret + "}\n",
	} {
		_, problems := Decode("providers.yaml", []byte(declared+more), "")
		if len(problems) == 0 || strings.Contains(fmt.Sprint(problems), secret) {
			t.Errorf("%s: %v", more, problems)
		}
	}
}

func TestTheFileIsRefusedWhereOthersCouldHaveWrittenIt(t *testing.T) {
	dir := t.TempDir()
	specs := filepath.Join(dir, "specs")
	must(t, os.Mkdir(specs, 0o755))
	tests := []struct {
		name, file, text string
		mode             os.FileMode
		says             string
	}{
		{"good", "good.yaml", declared, 0o600, ""},
		{"in the specs", "specs/p.yaml", declared, 0o600, "beneath --specs"},
		{"for the group", "group.yaml", declared, 0o660, "chmod go-w"},
		{"bad", "bad.yaml", declared + "  timeout: soon\n", 0o600, "bad.yaml:7: providers[0].timeout: "},
		{"missing", "", "", 0, "no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, tt.file)
			if tt.file == "" {
				path = filepath.Join(dir, "missing.yaml")
			} else {
				must(t, os.WriteFile(path, []byte(tt.text), 0o600))
				must(t, os.Chmod(path, tt.mode))
			}
			got, err := Load(path, specs)
			switch {
			case tt.says == "":
				if err != nil || len(got) != 1 {
					t.Errorf("%v, %v", got, err)
				}
			case err == nil, !strings.Contains(err.Error(), tt.says), !strings.Contains(err.Error(), "--token-providers"):
				t.Errorf("%v, want %q", err, tt.says)
			}
		})
	}
}

func TestTheExampleDeclaresWhatTheSampleNames(t *testing.T) {
	declared, err := Load("../../../config/providers/providers.yaml", "../../../config/samples")
	must(t, err)
	sample, err := os.ReadFile("../../../config/samples/provider.yaml")
	must(t, err)
	if len(declared) != 1 || !strings.Contains(string(sample), "provider: "+declared[0].Name+" ") {
		t.Errorf("declared %v", declared)
	}
}
