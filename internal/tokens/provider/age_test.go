//go:build age

package provider

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/reconcile"
)

// vessel is the provider of config/providers/age-token with an identity and a directory of its own.
type vessel struct {
	Provider
	recipient string
}

func newVessel(t *testing.T) *vessel {
	t.Helper()
	command, err := filepath.Abs("../../../config/providers/age-token")
	must(t, err)
	declared, err := Load("../../../config/providers/providers.yaml", "")
	must(t, err)
	v := &vessel{Provider: declared[0]}
	dir, identity := t.TempDir(), filepath.Join(t.TempDir(), "identity")
	v.Command, v.Args = command, []string{dir, identity}
	must(t, exec.CommandContext(t.Context(), "age-keygen", "-o", identity).Run())
	recipient, err := exec.CommandContext(t.Context(), "age-keygen", "-y", identity).Output()
	must(t, err)
	v.recipient = strings.TrimSpace(string(recipient))
	return v
}

// put encrypts a token, or what is to be one, for a key.
func (v *vessel) put(t *testing.T, key, token string) {
	t.Helper()
	file := filepath.Join(v.Args[0], key+".age")
	must(t, os.MkdirAll(filepath.Dir(file), 0o700))
	age := exec.CommandContext(t.Context(), "age", "-r", v.recipient, "-o", file)
	age.Stdin = strings.NewReader(token)
	must(t, age.Run())
}

func (v *vessel) ask(t *testing.T, key string) (answer, *failure) {
	t.Helper()
	return call(t.Context(), v.Provider, key, os.LookupEnv)
}

func TestTokensThatAreEncryptedWithAge(t *testing.T) {
	v := newVessel(t)
	for key, token := range map[string]string{
		"team-a/github": secret, "odd@2:x+y=z": `"` + secret + `\n%s$(id)` + "`", "newline": secret + "\n",
	} {
		v.put(t, key, token)
		if got, why := v.ask(t, key); why != nil || got.token.Reveal() != strings.TrimSuffix(token, "\n") {
			t.Errorf("%s: %v", key, why)
		}
	}
}

func TestTokensThatAgeDoesNotGive(t *testing.T) {
	v := newVessel(t)
	v.put(t, "lines", secret+"\n"+secret)
	v.put(t, "empty", "")
	other := newVessel(t)
	other.Args[0] = v.Args[0]
	other.put(t, "of-another", secret)
	must(t, os.WriteFile(filepath.Join(v.Args[0], "plain.age"), []byte(secret), 0o600))
	tests := []struct {
		key     string
		kind    error
		unknown bool
	}{
		{"missing", reconcile.ErrTokenMissing, false},
		{"empty", reconcile.ErrTokenMissing, false},
		{"lines", reconcile.ErrTokenInvalid, false},
		{"of-another", reconcile.ErrTokenMissing, true},
		{"plain", reconcile.ErrTokenMissing, true},
	}
	for _, tt := range tests {
		_, why := v.ask(t, tt.key)
		if why == nil || !errors.Is(why, tt.kind) || errors.Is(why, reconcile.ErrTokenUnknown) != tt.unknown {
			t.Errorf("%s: %v", tt.key, why)
			continue
		}
		mustNotTell(t, why)
	}
}

// What a process is started with can be read by everybody on the machine, so that a token must not be among it.
func TestAgesTokenIsNoArgument(t *testing.T) {
	v := newVessel(t)
	v.put(t, "a", secret)
	bin, seen := t.TempDir(), filepath.Join(t.TempDir(), "seen")
	for _, name := range []string{"age", "sed", "printf", "echo", "test", "["} { // those that sh has built in are not started
		real, err := exec.LookPath(name)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+
			`{ printf '%s ' "$0" "$@"; env; } >>`+seen+"\nexec "+real+` "$@"`+"\n"), 0o700))
	}
	v.Env = append(v.Env, Variable{"PATH", bin})
	if _, why := v.ask(t, "a"); why != nil {
		t.Fatal(why)
	}
	data, err := os.ReadFile(seen)
	must(t, err)
	if !strings.Contains(string(data), "--decrypt") || strings.Contains(string(data), secret) {
		t.Errorf("programs were started with\n%s", data)
	}
}
