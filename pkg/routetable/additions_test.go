package routetable

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// customTable has a route with two tokens before those of the sample.
func customTable() Table {
	table := sampleTable()
	table.Routes = append([]Route{{
		Path: "/custom", Upstream: "https://custom.example.org",
		Auth: &Auth{
			Scheme: "Custom",
			Tokens: map[string]TokenPlace{"app": {TokenFile: "CRED_PROXY_TOKEN_2"}, "user": {TokenFile: "CRED_PROXY_TOKEN_4"}},
			Headers: []Addition{
				{"X-App", "{app}"}, {"anthropic-version", "2023-06-01"}, {"X-Both", "{app}:{user}"},
			},
			Query: []Addition{{"key", "{user}"}},
			Basic: &Basic{Username: "{user}", Password: "p{{{app}"},
		},
	}}, table.Routes...)
	return table
}

func customTokens() map[string]string {
	tokens := sampleTokens()
	tokens["CRED_PROXY_TOKEN_4"] = "token-of-the-user"
	return tokens
}

func TestSeveralTokensOfARouteAreSealedAndLoaded(t *testing.T) {
	input := customTable()
	sealed, files := seal(t, input, 17, customTokens())
	if diff := cmp.Diff(customTable(), input); diff != "" {
		t.Errorf("the input changed:\n%s", diff)
	}
	want := map[string]TokenPlace{"app": {TokenFile: "tokens-17/CRED_PROXY_TOKEN_2"}, "user": {TokenFile: "tokens-17/CRED_PROXY_TOKEN_4"}}
	if diff := cmp.Diff(want, sealed.Routes[0].Auth.Tokens); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	loaded, err := Load(volume(files...), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := loaded.Tokens(loaded.Table.Routes[0].Auth)
	if !ok || len(got) != 2 || got["app"].Reveal() != "another-token" || got["user"].Reveal() != "token-of-the-user" {
		t.Errorf("other tokens were loaded than sealed (found: %v, %d)", ok, len(got))
	}
	if RoutesDigest(sealed) != RoutesDigest(customTable()) {
		t.Error("sealing gives it another digest")
	}
	for i := range files[:3] {
		without := volume(files...)
		delete(without, files[i].Name)
		if _, err := Load(without, noEnv); !errors.Is(err, ErrIncomplete) {
			t.Errorf("without %s: %v", files[i].Name, err)
		}
	}
}

func TestOneUnsetVariableOfSeveralLeavesTheRouteWithoutItsTokens(t *testing.T) {
	table := customTable()
	table.Routes[0].Auth.Tokens["user"] = TokenPlace{TokenEnv: "CRED_PROXY_TOKEN_4"}
	_, files := seal(t, table, 1, sampleTokens())
	for value, want := range map[string]bool{"": false, "u": true} {
		loaded, err := Load(volume(files...), func(name string) string { return map[string]string{"CRED_PROXY_TOKEN_4": value}[name] })
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := loaded.Tokens(loaded.Table.Routes[0].Auth); ok != want {
			t.Errorf("with the variable %q: %v", value, ok)
		}
	}
}

func TestATokenThatWouldEndTheUserNameIsRefused(t *testing.T) {
	tokens := customTokens()
	tokens["CRED_PROXY_TOKEN_2"] = "a:b" // in the password a colon is a character like any other
	_, files := seal(t, customTable(), 1, tokens)
	if _, err := Load(volume(files...), noEnv); err != nil {
		t.Fatal(err)
	}
	tokens["CRED_PROXY_TOKEN_4"] = secret + ":b"
	_, files = seal(t, customTable(), 1, tokens)
	_, err := Load(volume(files...), noEnv)
	wantError(t, err, `route "/custom": its token user has a colon`)
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the error shows the token: %v", err)
	}
}

func TestEverySchemeIsWrittenAsAdditions(t *testing.T) {
	custom := customTable().Routes[0].Auth
	tests := []struct {
		auth *Auth
		want Additions
	}{
		{&Auth{Scheme: "Bearer"}, Additions{Headers: []Addition{{"Authorization", "Bearer {token}"}}}},
		{&Auth{Scheme: "Token"}, Additions{Headers: []Addition{{"Authorization", "token {token}"}}}},
		{&Auth{Scheme: "Header", Header: "X-A"}, Additions{Headers: []Addition{{"X-A", "{token}"}}}},
		{&Auth{Scheme: "Basic", Username: "a{b}"}, Additions{Basic: &Basic{"a{{b}}", "{token}"}}},
		{custom, Additions{custom.Headers, custom.Query, custom.Basic}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.auth.Additions()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.auth.Scheme, diff)
		}
	}
}

func TestSealRefusesABadCustomAuth(t *testing.T) {
	many := func() (all []Addition) {
		for i := range MaxAdditions + 1 {
			all = append(all, Addition{fmt.Sprint("x", i), "{app}"})
		}
		return all
	}
	tests := map[string]struct {
		edit func(*Auth)
		want string
	}{
		"another scheme":          {func(a *Auth) { a.Scheme, a.TokenFile = "Bearer", "CRED_PROXY_TOKEN_1" }, "go with scheme Custom only"},
		"a token of its own":      {func(a *Auth) { a.TokenFile = "CRED_PROXY_TOKEN_1" }, "has its tokens in tokens"},
		"a header of its own":     {func(a *Auth) { a.Header = "X-A" }, "has its tokens in tokens"},
		"no tokens":               {func(a *Auth) { a.Tokens = nil }, "tokens is empty"},
		"token without a place":   {func(a *Auth) { a.Tokens["app"] = TokenPlace{} }, "exactly one"},
		"token of two places":     {func(a *Auth) { a.Tokens["app"] = TokenPlace{"CRED_PROXY_TOKEN_2", "CRED_PROXY_TOKEN_2"} }, "exactly one"},
		"token in a path":         {func(a *Auth) { a.Tokens["app"] = TokenPlace{TokenFile: "../x"} }, "is not of the form"},
		"token that is gone":      {func(a *Auth) { a.Tokens["app"] = TokenPlace{TokenFile: "CRED_PROXY_TOKEN_7"} }, "no token was given for slot CRED_PROXY_TOKEN_7"},
		"token in no template":    {func(a *Auth) { a.Tokens["spare"] = TokenPlace{TokenFile: "CRED_PROXY_TOKEN_1"} }, `token "spare" is in no template`},
		"template without token":  {func(a *Auth) { a.Headers[0].Value = "{spare}" }, `header "X-App": the value has {spare}, which is none of tokens`},
		"template that is none":   {func(a *Auth) { a.Headers[0].Value = "{" }, `header "X-App": the value has a { without`},
		"a line break":            {func(a *Auth) { a.Headers[0].Value = "{app}\r\nX: y" }, "control character"},
		"a header that frames":    {func(a *Auth) { a.Headers[0].Name = "Transfer-Encoding" }, "frames"},
		"no name of a header":     {func(a *Auth) { a.Headers[0].Name = "X App" }, "legal field name"},
		"a header twice":          {func(a *Auth) { a.Headers[0].Name = "x_both" }, `header "X-Both" is added twice`},
		"Authorization twice":     {func(a *Auth) { a.Headers[0].Name = "authorization" }, "is added twice"},
		"no name of a parameter":  {func(a *Auth) { a.Query[0].Name = "" }, "parameter"},
		"a parameter with a &":    {func(a *Auth) { a.Query[0].Name = "a&b" }, "parameter"},
		"a parameter twice":       {func(a *Auth) { a.Query = append(a.Query, Addition{"KEY", "x"}) }, `parameter "KEY" is added twice`},
		"bad value of it":         {func(a *Auth) { a.Query[0].Value = "}" }, `parameter "key": the value has a }`},
		"user name with a colon":  {func(a *Auth) { a.Basic.Username = "a:{user}" }, "colon"},
		"user name that is none":  {func(a *Auth) { a.Basic.Username = "{x" }, "username"},
		"password that is none":   {func(a *Auth) { a.Basic.Password = "{x" }, "password"},
		"too many headers":        {func(a *Auth) { a.Headers = many() }, "more than 16"},
		"too many parameters":     {func(a *Auth) { a.Query = many() }, "more than 16"},
		"a name that is no token": {func(a *Auth) { a.Tokens["a b"] = a.Tokens["app"] }, `token "a b" is in no template`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			table := customTable()
			tt.edit(table.Routes[0].Auth)
			_, _, err := Seal(table, 2, customTokens(), bytes.NewReader(make([]byte, 64)))
			wantError(t, err, tt.want)
		})
	}
	table := customTable()
	table.CallerAuth = &CallerAuth{TokenFile: "CRED_PROXY_TOKEN_2"}
	_, _, err := Seal(table, 2, map[string]string{"CRED_PROXY_TOKEN_1": secret, "CRED_PROXY_TOKEN_2": callerKey, "CRED_PROXY_TOKEN_4": "u"},
		bytes.NewReader(make([]byte, 64)))
	wantError(t, err, `its key is the token of route "/custom"`)
}

func TestRoutesDigestTellsWhatIsAdded(t *testing.T) {
	seen := map[string]string{RoutesDigest(customTable()): "base"}
	for name, edit := range map[string]func(*Route){
		"slot":         func(r *Route) { r.Auth.Tokens["app"] = TokenPlace{TokenFile: "CRED_PROXY_TOKEN_1"} },
		"name":         func(r *Route) { r.Auth.Headers[0].Name = "X-Other" },
		"value":        func(r *Route) { r.Auth.Headers[0].Value = "{user}" },
		"parameter":    func(r *Route) { r.Auth.Query[0].Value = "{app}" },
		"user name":    func(r *Route) { r.Auth.Basic.Username = "x" },
		"what passes":  func(r *Route) { r.PassCredentials = true },
		"nothing else": func(r *Route) { r.Auth.Query = nil },
	} {
		table := customTable()
		edit(&table.Routes[0])
		digest := RoutesDigest(table)
		if twin, ok := seen[digest]; ok {
			t.Errorf("%s and %s have the same digest", name, twin)
		}
		seen[digest] = name
	}
}
