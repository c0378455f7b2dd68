package routetable

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/template"
)

// OnlyToken is the name that the templates of Additions have for the token of a route whose scheme is not Custom.
const OnlyToken = "token"

// MaxAdditions bounds the tokens, the header fields and the parameters of one route, each by itself.
const MaxAdditions = 16

// Additions is what a route adds to a request, in one form for all schemes.
type Additions struct {
	Headers, Query []Addition
	Basic          *Basic
}

// Additions returns what a route adds: Bearer is RFC 6750 section 2.1, Basic RFC 7617 section 2.
func (a *Auth) Additions() Additions {
	const token, authorization = "{" + OnlyToken + "}", "Authorization"
	switch a.Scheme {
	case schemeBearer:
		return Additions{Headers: []Addition{{authorization, "Bearer " + token}}}
	case schemeToken:
		return Additions{Headers: []Addition{{authorization, "token " + token}}}
	case schemeHeader:
		return Additions{Headers: []Addition{{a.Header, token}}}
	case schemeBasic:
		return Additions{Basic: &Basic{Username: template.Escape(a.Username), Password: token}}
	}
	return Additions{a.Headers, a.Query, a.Basic}
}

// places lists where the tokens of a route are, by name and in order of names; none of nil.
func (a *Auth) places() iter.Seq2[string, place] {
	return func(yield func(string, place) bool) {
		switch {
		case a == nil:
		case a.Scheme != schemeCustom:
			yield(OnlyToken, place{a.TokenFile, a.TokenEnv})
		default:
			for _, name := range slices.Sorted(maps.Keys(a.Tokens)) {
				if !yield(name, a.Tokens[name].place()) {
					return
				}
			}
		}
	}
}

// withTokenFiles returns a copy in which rename has renamed every token file.
func (a *Auth) withTokenFiles(rename func(string) (string, error)) (*Auth, error) {
	if a == nil {
		return nil, nil
	}
	out := *a
	out.Tokens = maps.Clone(a.Tokens)
	for name, at := range a.places() {
		if at.file == "" {
			continue
		}
		file, err := rename(at.file)
		if err != nil {
			return nil, err
		}
		if a.Scheme == schemeCustom {
			out.Tokens[name] = TokenPlace{TokenFile: file, TokenEnv: at.env}
		} else {
			out.TokenFile = file
		}
	}
	return &out, nil
}

// checkCustom is about what scheme Custom has of its own.
func checkCustom(a Auth) error {
	if a.Username != "" || a.Header != "" || a.TokenFile != "" || a.TokenEnv != "" {
		return fmt.Errorf("scheme %s has its tokens in tokens, and what it adds in headers, query and basic", schemeCustom)
	}
	if len(a.Tokens) == 0 {
		return errors.New("tokens is empty")
	}
	if max(len(a.Tokens), len(a.Headers), len(a.Query)) > MaxAdditions {
		return fmt.Errorf("there are more than %d tokens, headers or parameters", MaxAdditions)
	}
	used := map[string]bool{}
	for _, check := range []func(Auth, map[string]bool) error{checkHeaders, checkQuery, checkBasic} {
		if err := check(a, used); err != nil {
			return err
		}
	}
	for name := range a.Tokens {
		if !template.IsName(name) || !used[name] {
			return fmt.Errorf("token %q is in no template, or has no name that one could have", name)
		}
	}
	return nil
}

func checkHeaders(a Auth, used map[string]bool) error {
	seen := map[string]bool{}
	if a.Basic != nil {
		seen["authorization"] = true
	}
	for _, h := range a.Headers {
		if err := checkHeader(h.Name); err != nil {
			return err
		}
		folded := strings.ReplaceAll(strings.ToLower(h.Name), "_", "-")
		if seen[folded] {
			return fmt.Errorf("header %q is added twice", h.Name)
		}
		seen[folded] = true
		if err := a.checkTemplate(h.Value, used); err != nil {
			return fmt.Errorf("header %q: %w", h.Name, err)
		}
	}
	return nil
}

func checkQuery(a Auth, used map[string]bool) error {
	seen := map[string]bool{}
	for _, p := range a.Query {
		if p.Name == "" || strings.ContainsFunc(p.Name, func(r rune) bool { return !isUnreserved(r) }) {
			return fmt.Errorf("parameter %q is not of letters, digits and -._~ alone", p.Name)
		}
		folded := strings.ReplaceAll(strings.ToLower(p.Name), ".", "_")
		if seen[folded] {
			return fmt.Errorf("parameter %q is added twice", p.Name)
		}
		seen[folded] = true
		if err := a.checkTemplate(p.Value, used); err != nil {
			return fmt.Errorf("parameter %q: %w", p.Name, err)
		}
	}
	return nil
}

func checkBasic(a Auth, used map[string]bool) error {
	if a.Basic == nil {
		return nil
	}
	if err := checkUsername(a.Basic.Username); err != nil {
		return fmt.Errorf("basic: %w", err)
	}
	if err := a.checkTemplate(a.Basic.Username, used); err != nil {
		return fmt.Errorf("basic: username: %w", err)
	}
	if err := a.checkTemplate(a.Basic.Password, used); err != nil {
		return fmt.Errorf("basic: password: %w", err)
	}
	return nil
}

// checkTemplate notes which tokens a template has.
func (a Auth) checkTemplate(text string, used map[string]bool) error {
	parsed, err := template.Parse(text)
	if err != nil {
		return fmt.Errorf("the value %w", err)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("the value has a control character")
	}
	for _, name := range parsed.Names() {
		if _, ok := a.Tokens[name]; !ok {
			return fmt.Errorf("the value has {%s}, which is none of tokens", name)
		}
		used[name] = true
	}
	return nil
}

// isUnreserved is what stays as it is in a query (RFC 3986 section 2.3).
func isUnreserved(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r < 0x80 && strings.ContainsRune("-._~", r)
}

// CheckUsername reports why a value cannot be part of the user name of Basic, in words that fit behind "the token of …".
func CheckUsername(value string) error {
	if strings.Contains(value, ":") {
		return errors.New("has a colon, which would end the user name of Basic (RFC 7617 section 2); use it as the password")
	}
	return nil
}

// checkUsernames holds that of the tokens of a table none breaks the user name that it is in.
func (t *Table) checkUsernames(tokens map[place]Token) error {
	for _, r := range t.Routes {
		if r.Auth == nil || r.Auth.Basic == nil {
			continue
		}
		parsed, err := template.Parse(r.Auth.Basic.Username)
		if err != nil {
			return fmt.Errorf("route %q: %w", r.Path, err)
		}
		for _, name := range parsed.Names() {
			if err := CheckUsername(tokens[r.Auth.Tokens[name].place()].Reveal()); err != nil {
				return fmt.Errorf("route %q: its token %s %w", r.Path, name, err)
			}
		}
	}
	return nil
}
