package revocation

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"credproxy.dev/controller/pkg/spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func change(t *testing.T, dir string, f func(*List)) {
	t.Helper()
	if err := Change(t.Context(), dir, "default", f); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir string) List {
	t.Helper()
	list, err := Read(dir, "default")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestWhatIsRevokedLastsUntilItIsUndone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if diff := cmp.Diff(List{}, read(t, dir)); diff != "" {
		t.Error(diff)
	}
	ref := spec.TokenRef{Env: "A"}
	change(t, dir, func(l *List) { l.Add(List{Names: []string{"web", "api"}}) })
	change(t, dir, func(l *List) { l.Add(List{Names: []string{"web"}, Tokens: []spec.TokenRef{ref, {File: "x"}}}) })
	want := List{Names: []string{"api", "web"}, Tokens: []spec.TokenRef{ref, {File: "x"}}}
	if diff := cmp.Diff(want, read(t, dir)); diff != "" {
		t.Error(diff)
	}
	change(t, dir, func(l *List) { l.Remove(List{Names: []string{"web", "never"}, Tokens: []spec.TokenRef{ref}}) })
	want = List{Names: []string{"api"}, Tokens: []spec.TokenRef{{File: "x"}}}
	if diff := cmp.Diff(want, read(t, dir)); diff != "" {
		t.Error(diff)
	}
	if other, err := Read(dir, "other"); err != nil || len(other.Names) > 0 {
		t.Errorf("another instance has %v, %v", other, err)
	}
	if info, err := os.Stat(Path(dir, "default")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestChangesAtOnceAreAllKept(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for _, name := range strings.Split("abcdefgh", "") {
		wg.Go(func() {
			if err := Change(t.Context(), dir, "default", func(l *List) { l.Add(List{Names: []string{name}}) }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := read(t, dir).Names; len(got) != 8 {
		t.Errorf("kept %v", got)
	}
}

func TestAFileThatIsNotOneIsAnError(t *testing.T) {
	for name, content := range map[string]string{
		"not JSON": "{", "another kind": `{"apiVersion":"credproxy.dev/v1alpha1","kind":"CredProxy"}`, "too long": strings.Repeat(" ", maxBytes+1),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(Path(dir, "default"), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(dir, "default"); err == nil || !strings.Contains(err.Error(), "mend it") {
				t.Errorf("read as %v", err)
			}
			if err := Change(t.Context(), dir, "default", func(*List) {}); err == nil {
				t.Error("it was written over")
			}
		})
	}
}

func TestParseRef(t *testing.T) {
	for text, want := range map[string]spec.TokenRef{
		"env:GH_TOKEN": {Env: "GH_TOKEN"}, "env GH_TOKEN": {Env: "GH_TOKEN"}, "file:a/b c": {File: "a/b c"}, "file a:b": {File: "a:b"},
		"provider:vault:a:b": {Provider: "vault", Key: "a:b"},
	} {
		if got, err := ParseRef(text); err != nil || got != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "GH_TOKEN", "env:", "vault:x", "env", "provider:vault", "provider:vault:", "file:./a", "file:/a", "file:a//b", "env:A-B", "provider:vault:../a"} {
		if got, err := ParseRef(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
	for _, ref := range []spec.TokenRef{{Env: "A"}, {File: "a/b"}, {Provider: "vault", Key: "team-a/github"}} {
		if got, err := ParseRef(ref.String()); err != nil || got != ref {
			t.Errorf("%s is read as %v, %v", ref, got, err)
		}
		if got, err := ParseRef(ref.Typed()); err != nil || got != ref {
			t.Errorf("%s is read as %v, %v", ref.Typed(), got, err)
		}
	}
}
