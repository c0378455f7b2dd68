package routetable

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const callerKey = "s3cr3t-key-of-the-callers"

// guarded is the sample with a caller key in slot 4.
func guarded() Table {
	table := sampleTable()
	table.CallerAuth = &CallerAuth{Header: "X-My-Key", TokenFile: "CRED_PROXY_TOKEN_4"}
	return table
}

func guardedTokens() map[string]string {
	tokens := sampleTokens()
	tokens["CRED_PROXY_TOKEN_4"] = callerKey
	return tokens
}

func TestACallerKeyIsSealedAndLoadedLikeATokenOfItsGeneration(t *testing.T) {
	input := guarded()
	sealed, files := seal(t, input, 17, guardedTokens())
	if diff := cmp.Diff(guarded(), input); diff != "" {
		t.Errorf("the input changed:\n%s", diff)
	}
	if got := sealed.CallerAuth.TokenFile; got != "tokens-17/CRED_PROXY_TOKEN_4" || files[2].Name != got {
		t.Errorf("the key is in %s, and the files are %v", got, files)
	}
	loaded, err := Load(volume(files...), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if key, ok := loaded.CallerKey(loaded.Table.CallerAuth); !ok || key.Reveal() != callerKey {
		t.Errorf("another key than sealed was loaded (found: %v)", ok)
	}
	for i := range files[2].Data {
		changed := volume(files...)
		changed[files[2].Name].Data[i] ^= 1
		if _, err := Load(changed, noEnv); !errors.Is(err, ErrIncomplete) {
			t.Fatalf("byte %d of the key changed: %v", i, err)
		}
	}
	without := volume(files...)
	delete(without, files[2].Name)
	if _, err := Load(without, noEnv); !errors.Is(err, ErrIncomplete) {
		t.Errorf("without the key's file: %v", err)
	}
}

func TestACallerKeyFromTheEnvironment(t *testing.T) {
	table := guarded()
	table.CallerAuth = &CallerAuth{TokenEnv: "CRED_PROXY_TOKEN_4"}
	_, files := seal(t, table, 1, sampleTokens())
	load := func(value string) (Loaded, error) {
		return Load(volume(files...), func(name string) string { return map[string]string{"CRED_PROXY_TOKEN_4": value}[name] })
	}
	loaded, err := load(callerKey)
	if err != nil {
		t.Fatal(err)
	}
	if key, ok := loaded.CallerKey(loaded.Table.CallerAuth); !ok || key.Reveal() != callerKey {
		t.Errorf("another key was loaded than the variable's (found: %v)", ok)
	}
	loaded, err = load("")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := loaded.CallerKey(loaded.Table.CallerAuth); ok {
		t.Error("a key was found for a variable that is not set")
	}
	_, err = load(secret[:8])
	wantError(t, err, "the caller key is shorter than 16")
}

func TestSealRefusesABadCallerAuth(t *testing.T) {
	tests := map[string]struct {
		auth CallerAuth
		want string
	}{
		"no place":            {CallerAuth{}, "exactly one"},
		"two places":          {CallerAuth{TokenFile: "CRED_PROXY_TOKEN_4", TokenEnv: "CRED_PROXY_TOKEN_5"}, "exactly one"},
		"no slot":             {CallerAuth{TokenEnv: "PATH"}, "tokenEnv"},
		"slot that is a path": {CallerAuth{TokenFile: "../CRED_PROXY_TOKEN_4"}, "is not of the form"},
		"header that frames":  {CallerAuth{TokenFile: "CRED_PROXY_TOKEN_4", Header: "connection"}, "frames"},
		"header with a break": {CallerAuth{TokenFile: "CRED_PROXY_TOKEN_4", Header: "X\r\nY"}, "legal field name"},
		"a route's token":     {CallerAuth{TokenFile: "CRED_PROXY_TOKEN_1"}, `its key is the token of route "/anthropic"`},
		"a route's variable":  {CallerAuth{TokenEnv: "CRED_PROXY_TOKEN_3"}, `its key is the token of route "/env"`},
		"a key that is gone":  {CallerAuth{TokenFile: "CRED_PROXY_TOKEN_6"}, "no token was given for slot CRED_PROXY_TOKEN_6"},
		"a key that is short": {CallerAuth{TokenFile: "CRED_PROXY_TOKEN_9"}, "shorter than 16"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			table := guarded()
			table.CallerAuth = &tt.auth
			_, _, err := Seal(table, 2, guardedTokens(), bytes.NewReader(make([]byte, 64)))
			wantError(t, err, tt.want)
			if !strings.Contains(err.Error(), "callerAuth: ") {
				t.Errorf("error %q does not say where", err)
			}
		})
	}
}

func TestRoutesDigestTellsWhoMayCall(t *testing.T) {
	digest := func(edit func(*CallerAuth)) string {
		table := guarded()
		edit(table.CallerAuth)
		return RoutesDigest(table)
	}
	base := digest(func(*CallerAuth) {})
	sealed, _ := seal(t, guarded(), 44, guardedTokens())
	if RoutesDigest(sealed) != base {
		t.Error("sealing gives it another digest")
	}
	seen := map[string]string{base: "base", RoutesDigest(sampleTable()): "none"}
	for name, edit := range map[string]func(*CallerAuth){
		"slot":       func(c *CallerAuth) { c.TokenFile = "CRED_PROXY_TOKEN_5" },
		"delivery":   func(c *CallerAuth) { c.TokenFile, c.TokenEnv = "", "CRED_PROXY_TOKEN_4" },
		"header":     func(c *CallerAuth) { c.Header = "X-Another" },
		"any header": func(c *CallerAuth) { c.Header = "" },
	} {
		got := digest(edit)
		if twin, ok := seen[got]; ok {
			t.Errorf("%s and %s have the same digest", name, twin)
		}
		seen[got] = name
	}
}

// Sidecars report this digest. If this test fails, every table without a caller key would be pushed anew by a release.
func TestTablesWithoutACallerKeyKeepTheirDigest(t *testing.T) {
	if got := RoutesDigest(sampleTable()); got != "580122aa56526708ba027351fec5d83f1c0d937ab5a125def7a709e7c4515e98" {
		t.Errorf("RoutesDigest = %s", got)
	}
}

func TestCheckCallerKey(t *testing.T) {
	tests := map[string]bool{
		callerKey: true, strings.Repeat("a", 16): true, "!#$%&'()*+,-./0123456789;<=>?@[]^_`{|}~": true,
		"": false, strings.Repeat("a", 15): false, strings.Repeat("a", MaxTokenBytes+1): false, "a key with spaces in it": false,
		callerKey + " ": false, " " + callerKey: false, callerKey + ":": false, callerKey + "\t": false, callerKey + "é": false,
		callerKey + "\x7f": false, callerKey + "\xff": false,
	}
	for key, good := range tests {
		if err := CheckCallerKey(key); (err == nil) != good {
			t.Errorf("%q: %v", key, err)
		} else if err != nil && key != "" && strings.Contains(err.Error(), key) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
}
