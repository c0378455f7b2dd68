package provider

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/spec"
)

func TestTheEnvironmentIsWhatIsDeclaredAndNothingElse(t *testing.T) {
	p := Provider{
		Name: "vault", Command: "/bin/x", PassEnv: []string{"HOME", "NOT_SET"},
		Env: []Variable{{"VAULT_ADDR", "https://vault:8200"}, {"PATH", "/opt/bin"}},
	}
	vars := map[string]string{"HOME": "/root", "GITHUB_TOKEN": secret, "CREDPROXY_SPECS": "/specs"}
	got := environment(p, "team-a/github", func(name string) (string, bool) { value, ok := vars[name]; return value, ok })
	want := []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"CREDPROXY_TOKEN_KEY=team-a/github",
		`KUBERNETES_EXEC_INFO={"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":` +
			`{"server":"","config":{"key":"team-a/github","provider":"vault"}},"interactive":false}}`,
		"HOME=/root", "VAULT_ADDR=https://vault:8200", "PATH=/opt/bin",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzKeyStaysInItsVariables holds that a key which is permitted changes nothing of a call but its two variables.
func FuzzKeyStaysInItsVariables(f *testing.F) {
	for _, seed := range []string{"team-a/github", "-c", "a\x00PATH=/tmp", "a\nB=c", `a","key":"b`, "a=b", "../../x"} {
		f.Add(seed)
	}
	set := NewSet(Options{Providers: []Provider{{Name: "vault"}}})
	f.Fuzz(func(t *testing.T, key string) {
		if (set.Permitted("vault", key) == nil) != spec.IsTokenKey(key) {
			t.Fatalf("%q: the set and the spec do not agree", key)
		}
		if !spec.IsTokenKey(key) {
			return
		}
		env := environment(Provider{Name: "vault"}, key, nil)
		if len(env) != 3 || env[1] != "CREDPROXY_TOKEN_KEY="+key || strings.Contains(strings.Join(env, ""), "\x00") {
			t.Fatalf("%q: %q", key, env)
		}
		var asked struct {
			Spec struct {
				Interactive bool
				Cluster     struct{ Config map[string]string }
			}
		}
		must(t, json.Unmarshal([]byte(strings.TrimPrefix(env[2], "KUBERNETES_EXEC_INFO=")), &asked))
		if want := map[string]string{"provider": "vault", "key": key}; !cmp.Equal(want, asked.Spec.Cluster.Config) {
			t.Errorf("%q: asked for %v", key, asked.Spec.Cluster.Config)
		}
	})
}
