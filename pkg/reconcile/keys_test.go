package reconcile_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// aKey is a private key as the sources of tokens give it.
const aKey = "-----BEGIN PRIVATE KEY-----AAAA-----END PRIVATE KEY-----"

// A private key is no token, and a token no key: neither is used as the other.
func TestNeitherKeysNorTokensAreUsedAsTheOther(t *testing.T) {
	for name, tc := range map[string]struct {
		edit        func(*spec.Route)
		value, want string
	}{
		"a key as a token": {func(*spec.Route) {}, aKey, "the token of env TOKEN is a private key, which no scheme sends"},
		"a token as a key": {func(r *spec.Route) {
			r.Auth, r.ClientCertificate = nil, &spec.ClientCertificate{CertFile: "web.pem", KeyRef: spec.TokenRef{Env: "TOKEN"}}
		}, "a-token", "the token of env TOKEN is no private key in PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *stage) {
				web := edited(s.environment("web"), func(s *spec.CredProxySpec) { tc.edit(&s.Routes[0]) })
				s.tokens.put(spec.TokenRef{Env: "TOKEN"}, tc.value)
				s.declare(web)
				s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonTokenInvalid)
				cp, _ := s.Get("web")
				if message := meta.FindStatusCondition(cp.Status.Conditions, spec.ConditionTokensResolved).Message; !strings.Contains(message, tc.want) || strings.Contains(message, tc.value) {
					t.Errorf("it says %q", message)
				}
			})
		})
	}
}
