package reconcile_test

import (
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// lender is a purse that wants some of its tokens back.
type lender struct {
	*purse
	until map[spec.TokenRef]time.Time
}

func (l lender) Lifetime(ref spec.TokenRef) reconcile.Lifetime {
	if l.until[ref].IsZero() {
		return reconcile.Lifetime{}
	}
	return reconcile.Lifetime{Renewal: l.until[ref].Add(-time.Minute), Expiry: l.until[ref]}
}

func TestExpiryOfTokensIsToldByRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sooner, later := time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
		s := newStage(t, fakeengine.New(time.Millisecond), defaultOptions())
		brief, long, endless := spec.TokenRef{Provider: "vault", Key: "brief"}, spec.TokenRef{Provider: "vault", Key: "long"}, spec.TokenRef{Env: "TOKEN"}
		s.tokens.put(brief, "b")
		s.tokens.put(long, "l")
		s.registry = prometheus.NewRegistry()
		s.Controller = reconcile.New(s.driver, lender{s.tokens, map[spec.TokenRef]time.Time{brief: sooner, long: later}},
			defaultOptions(), s.registry, slog.New(slog.DiscardHandler))
		s.runs(func(s *stage) {
			web := edited(s.environment("web"), func(cp *spec.CredProxySpec) {
				bearer := func(ref spec.TokenRef) *spec.Auth { return &spec.Auth{Scheme: spec.SchemeBearer, TokenRef: ref} }
				cp.Routes = []spec.Route{
					{Path: "/both", Upstream: "https://a.example.com", Auth: &spec.Auth{Scheme: spec.SchemeCustom,
						Tokens:  map[string]spec.TokenRef{"a": long, "b": brief, "c": endless},
						Headers: []spec.Addition{{Name: "X-Keys", Value: "{a} {b} {c}"}}}},
					{Path: "/long", Upstream: "https://b.example.com", Auth: bearer(long)},
					{Path: "/endless", Upstream: "https://c.example.com", Auth: bearer(endless)},
					{Path: "/open", Upstream: "https://d.example.com"},
				}
			})
			s.declare(web)
			s.wantSeries("credproxy_token_expiry_timestamp_seconds", fmt.Sprintf(`
# HELP credproxy_token_expiry_timestamp_seconds When the token of a route expires or has expired, in seconds since 1970; 0 if its source does not say.
# TYPE credproxy_token_expiry_timestamp_seconds gauge
credproxy_token_expiry_timestamp_seconds{name="web",route="/both"} %d
credproxy_token_expiry_timestamp_seconds{name="web",route="/endless"} 0
credproxy_token_expiry_timestamp_seconds{name="web",route="/long"} %d
`, sooner.Unix(), later.Unix()))
			s.wantSeries("credproxy_token_renewal_timestamp_seconds", fmt.Sprintf(`
# HELP credproxy_token_renewal_timestamp_seconds From when on another token is asked for in place of the one that expires, in seconds since 1970; 0 if it does not.
# TYPE credproxy_token_renewal_timestamp_seconds gauge
credproxy_token_renewal_timestamp_seconds{name="web",route="/both"} %d
credproxy_token_renewal_timestamp_seconds{name="web",route="/endless"} 0
credproxy_token_renewal_timestamp_seconds{name="web",route="/long"} %d
`, sooner.Unix()-60, later.Unix()-60))
			s.declare()
			s.wantSeries("credproxy_token_expiry_timestamp_seconds", "")
			s.wantSeries("credproxy_token_renewal_timestamp_seconds", "")
		})
	})
}

func TestNothingIsToldOfTokensWhoseSourcesSayNothing(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		if life := s.Lifetime(&web.Spec.Routes[0]); life != (reconcile.Lifetime{}) {
			t.Errorf("lifetime %v", life)
		}
		s.wantSeries("credproxy_token_expiry_timestamp_seconds", `
# HELP credproxy_token_expiry_timestamp_seconds When the token of a route expires or has expired, in seconds since 1970; 0 if its source does not say.
# TYPE credproxy_token_expiry_timestamp_seconds gauge
credproxy_token_expiry_timestamp_seconds{name="web",route="/api"} 0
`)
	})
}
