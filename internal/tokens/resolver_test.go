package tokens

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"credproxy.dev/controller/internal/tokens/value"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "tok-5e1f0c9a"

// environment are the variables of a controller in a test.
func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := vars[name]
		return value, ok
	}
}

func resolver(t *testing.T, opts Options) *Resolver {
	t.Helper()
	r, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// verdict checks a resolution: the value, or the kind of the error, what it says, and that it gives nothing away.
func verdict(t *testing.T, r *Resolver, ref spec.TokenRef, want string, kind error, says string) {
	t.Helper()
	token, err := r.Resolve(t.Context(), ref)
	if !errors.Is(err, kind) || (err == nil) != (kind == nil) {
		t.Fatalf("error %v, want %v", err, kind)
	}
	if rule := r.Permitted(ref); rule != nil && (err == nil || rule.Error() != err.Error()) {
		t.Errorf("by the rules it is %v, resolved it is %v", rule, err)
	}
	if token.Reveal() != want {
		t.Errorf("another value than the expected one")
	}
	if err == nil {
		return
	}
	if !strings.Contains(err.Error(), ref.String()) || !strings.Contains(err.Error(), says) {
		t.Errorf("%q does not name %q and say %q", err, ref, says)
	}
	if strings.Contains(err.Error(), secret) {
		t.Error("the error holds the token")
	}
}

func TestVariables(t *testing.T) {
	r := resolver(t, Options{
		EnvPatterns: []string{"CLAUDE_CODE_OAUTH_TOKEN", "GH_*", "CREDPROXY_*", "EMPTY", "LINES", "NEWLINE", "RETURN", "TAB", "DEL", "UNSET"},
		Lookup: environment(map[string]string{
			"CLAUDE_CODE_OAUTH_TOKEN": secret, "GH_TOKEN": secret, "MY_GH_TOKEN": secret, "HOME": secret, "CREDPROXY_STATE": secret,
			"EMPTY": "", "LINES": secret + "\n" + secret, "NEWLINE": secret + "\n", "RETURN": secret + "\r", "TAB": secret + "\t",
			"DEL": secret + "\x7f",
		}),
	})
	tests := []struct {
		name, want string
		kind       error
		says       string
	}{
		{"CLAUDE_CODE_OAUTH_TOKEN", secret, nil, ""},
		{"GH_TOKEN", secret, nil, ""},
		{"NEWLINE", secret, nil, ""},
		{"MY_GH_TOKEN", "", reconcile.ErrTokenDenied, "--token-env MY_GH_TOKEN"},
		{"claude_code_oauth_token", "", reconcile.ErrTokenDenied, "--token-env"},
		{"HOME", "", reconcile.ErrTokenDenied, "--token-env HOME"},
		{"NOT_THERE", "", reconcile.ErrTokenDenied, "--token-env NOT_THERE"},
		{"CREDPROXY_STATE", "", reconcile.ErrTokenDenied, "the controller's own"},
		{"GH_*", "", reconcile.ErrTokenMissing, "set the variable"},
		{"GH_A/B", "", reconcile.ErrTokenDenied, ""},
		{"UNSET", "", reconcile.ErrTokenMissing, "set the variable"},
		{"EMPTY", "", reconcile.ErrTokenMissing, "empty"},
		{"LINES", "", reconcile.ErrTokenInvalid, "control character"},
		{"RETURN", "", reconcile.ErrTokenInvalid, "control character"},
		{"TAB", "", reconcile.ErrTokenInvalid, "control character"},
		{"DEL", "", reconcile.ErrTokenInvalid, "control character"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			verdict(t, r, spec.TokenRef{Env: test.name}, test.want, test.kind, test.says)
		})
	}
}

// What is refused is refused in the same words whether or not it is there.
func TestARefusalDoesNotTellWhetherItExists(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "outside", secret)
	write(t, dir, "tokens/inside", secret)
	refs := map[string]spec.TokenRef{
		"a variable":       {Env: "NAME"},
		"an absolute path": {File: filepath.Join(dir, "NAME")},
		"a path upwards":   {File: "../NAME"},
	}
	for name, ref := range refs {
		t.Run(name, func(t *testing.T) {
			said := func(there string) string {
				r := resolver(t, Options{Dir: filepath.Join(dir, "tokens"), Lookup: environment(map[string]string{"outside": secret})})
				ref := spec.TokenRef{Env: strings.ReplaceAll(ref.Env, "NAME", there), File: strings.ReplaceAll(ref.File, "NAME", there)}
				_, err := r.Resolve(t.Context(), ref)
				if !errors.Is(err, reconcile.ErrTokenDenied) {
					t.Fatal(err)
				}
				return strings.ReplaceAll(err.Error(), there, "NAME")
			}
			if there, gone := said("outside"), said("missing"); there != gone {
				t.Errorf("told apart:\n%s\n%s", there, gone)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "outside", secret)
	for name, content := range map[string]string{
		"plain": secret, "newline": secret + "\n", "crlf": secret + "\r\n", "team/deep": secret, "..2026/mounted": secret,
		"empty": "", "blank": "\n", "two-newlines": secret + "\n\n", "nul": secret + "\x00", "large": strings.Repeat("x", value.MaxBytes+1),
		"largest": strings.Repeat("x", value.MaxBytes),
	} {
		write(t, dir, "tokens/"+name, content)
	}
	tokens := filepath.Join(dir, "tokens")
	for name, target := range map[string]string{
		"..data": "..2026", "mounted": "..data/mounted", "out": "../outside", "out-missing": "../missing",
		"absolute": filepath.Join(tokens, "plain"), "dangling": "missing", "loop": "loop", "zero": "/dev/zero",
	} {
		must(t, os.Symlink(target, filepath.Join(tokens, name)))
	}
	must(t, syscall.Mkfifo(filepath.Join(tokens, "fifo"), 0o600))
	r := resolver(t, Options{Dir: tokens})
	tests := []struct {
		name, want string
		kind       error
		says       string
	}{
		{"plain", secret, nil, ""},
		{"newline", secret, nil, ""},
		{"crlf", secret, nil, ""},
		{"team/deep", secret, nil, ""},
		{"mounted", secret, nil, ""},
		{"largest", strings.Repeat("x", value.MaxBytes), nil, ""},
		{"missing", "", reconcile.ErrTokenMissing, "no such file beneath --token-dir: write the token"},
		{"plain/below", "", reconcile.ErrTokenMissing, "write the token"},
		{"dangling", "", reconcile.ErrTokenMissing, "write the token"},
		{"loop", "", reconcile.ErrTokenMissing, "cannot be read"},
		{"empty", "", reconcile.ErrTokenMissing, "empty"},
		{"blank", "", reconcile.ErrTokenMissing, "empty"},
		{"two-newlines", "", reconcile.ErrTokenInvalid, "one line"},
		{"nul", "", reconcile.ErrTokenInvalid, "control character"},
		{"large", "", reconcile.ErrTokenInvalid, "64 KiB"},
		{"fifo", "", reconcile.ErrTokenInvalid, "regular"},
		{"team", "", reconcile.ErrTokenInvalid, "regular"},
		{"../outside", "", reconcile.ErrTokenDenied, "--token-dir"},
		{"team/../plain", "", reconcile.ErrTokenDenied, "--token-dir"},
		{"/etc/passwd", "", reconcile.ErrTokenDenied, "--token-dir"},
		{"out", "", reconcile.ErrTokenDenied, "leads out"},
		{"out-missing", "", reconcile.ErrTokenDenied, "leads out"},
		{"zero", "", reconcile.ErrTokenDenied, "leads out"},
		{"absolute", "", reconcile.ErrTokenDenied, "absolute"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			verdict(t, r, spec.TokenRef{File: test.name}, test.want, test.kind, test.says)
		})
	}
	t.Run("without --token-dir", func(t *testing.T) {
		verdict(t, resolver(t, Options{}), spec.TokenRef{File: "plain"}, "", reconcile.ErrTokenDenied, "--token-dir DIR")
	})
	t.Run("with a directory that is missing", func(t *testing.T) {
		gone := resolver(t, Options{Dir: filepath.Join(dir, "none")})
		verdict(t, gone, spec.TokenRef{File: "plain"}, "", reconcile.ErrTokenMissing, "--token-dir")
	})
}

func TestARotatedSecretIsReadAnew(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "v1/token", secret)
	write(t, dir, "v2/token", secret+"-next")
	link := filepath.Join(dir, "current")
	must(t, os.Symlink("v1", link))
	r := resolver(t, Options{Dir: link})
	verdict(t, r, spec.TokenRef{File: "token"}, secret, nil, "")
	must(t, os.Symlink("v2", link+".new"))
	must(t, os.Rename(link+".new", link))
	verdict(t, r, spec.TokenRef{File: "token"}, secret+"-next", nil, "")
}

func TestReferencesThatAreNoReferences(t *testing.T) {
	r := resolver(t, Options{EnvPatterns: []string{"*"}, Lookup: environment(nil)})
	for name, ref := range map[string]spec.TokenRef{"none": {}, "two sources": {Env: "A", File: "a"}, "a provider and a file": {File: "a", Provider: "p", Key: "k"}, "a variable and a key": {Env: "A", Key: "k"}} {
		t.Run(name, func(t *testing.T) {
			if _, err := r.Resolve(t.Context(), ref); !errors.Is(err, reconcile.ErrTokenInvalid) {
				t.Fatal(err)
			}
		})
	}
}

func TestTheRulesAloneLookForNothing(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "out")))
	r := resolver(t, Options{Dir: dir, EnvPatterns: []string{"GH_*"}, Lookup: func(string) (string, bool) {
		t.Error("a variable was read")
		return "", false
	}})
	for ref, want := range map[spec.TokenRef]error{
		{Env: "GH_TOKEN"}: nil, {Env: "OTHER"}: reconcile.ErrTokenDenied, {Env: "CREDPROXY_X"}: reconcile.ErrTokenDenied,
		{File: "missing"}: nil, {File: "out"}: nil, {File: "../x"}: reconcile.ErrTokenDenied, {File: "/x"}: reconcile.ErrTokenDenied,
		{}: reconcile.ErrTokenInvalid,
	} {
		if err := r.Permitted(ref); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: %v, want %v", ref, err, want)
		}
	}
}

func TestPatternsThatCannotBeRead(t *testing.T) {
	for _, pattern := range []string{"", "GH_[", "a/b", "NAME=value", `GH\`} {
		if _, err := New(Options{EnvPatterns: []string{pattern}}); err == nil || !strings.Contains(err.Error(), "--token-env") {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

func TestNothingIsReadOnceTheCallerHasLeft(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := resolver(t, Options{EnvPatterns: []string{"A"}, Lookup: func(string) (string, bool) {
		t.Error("read")
		return "", false
	}})
	if _, err := r.Resolve(ctx, spec.TokenRef{Env: "A"}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestAValueIsNotPrintedWithItsToken(t *testing.T) {
	r := resolver(t, Options{EnvPatterns: []string{"A"}, Lookup: environment(map[string]string{"A": secret})})
	token, err := r.Resolve(t.Context(), spec.TokenRef{Env: "A"})
	if out := fmt.Sprintf("%v %+v %#v %s %v", token, token, token, token, err); strings.Contains(out, secret) {
		t.Error("printed")
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(content), 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSinceWhenASourceHasItsToken(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "token", secret)
	write(t, dir, "empty", "")
	written := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, name := range []string{"token", "empty"} {
		must(t, os.Chtimes(filepath.Join(dir, name), written, written))
	}
	r := resolver(t, Options{Dir: dir, EnvPatterns: []string{"SET"}, Lookup: environment(map[string]string{"SET": secret})})
	refs := map[spec.TokenRef]time.Time{
		{File: "token"}: written, {File: "empty"}: {}, {File: "missing"}: {}, {Env: "SET"}: {}, {Provider: "vault", Key: "a"}: {},
	}
	for ref, want := range refs {
		if got := r.Changed(ref); !got.IsZero() {
			t.Errorf("%s before anybody looked: %v", ref, got)
		}
		_, _ = r.Resolve(t.Context(), ref)
		if got := r.Changed(ref); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", ref, got, want)
		}
	}
}
