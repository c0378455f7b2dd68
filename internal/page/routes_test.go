package page

import (
	"testing"

	"credproxy.dev/controller/pkg/spec"
)

func TestWhatARouteAddsIsNamed(t *testing.T) {
	ref := spec.TokenRef{File: "anthropic"}
	for want, auth := range map[string]*spec.Auth{
		"nothing":                       nil,
		"Bearer from file anthropic":    {Scheme: spec.SchemeBearer, TokenRef: ref},
		"X-Api-Key from file anthropic": {Scheme: spec.SchemeHeader, Header: "X-Api-Key", TokenRef: ref},
	} {
		if got := credential(&spec.Route{Auth: auth}); got != want {
			t.Errorf("it adds %q, want %q", got, want)
		}
	}
}
