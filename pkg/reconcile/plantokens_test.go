package reconcile_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// guarded is a purse of which the operator permits nothing.
type guarded struct{ *purse }

func (guarded) Permitted(ref spec.TokenRef) error {
	return fmt.Errorf("token %s: %w: ask the operator", ref, reconcile.ErrTokenDenied)
}

func TestPlanKnowsWhatIsDeniedWithoutLookingForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, fakeengine.New(time.Millisecond), defaultOptions())
		s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "")
		s.declareNow(s.environment("web"))
		plan, err := s.Plan(t.Context(), false, false)
		if err != nil || len(plan.Items) != 1 || len(plan.Blocked) != 0 {
			t.Errorf("a token that is not looked for: plan %v, error %v", plan, err)
		}
		strict := reconcile.New(s.driver, guarded{s.tokens}, defaultOptions(), prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
		strict.Declare(s.declared)
		plan, err = strict.Plan(t.Context(), false, false)
		if err != nil || !strings.Contains(plan.String(), "blocked: TokenDenied: token env TOKEN: token denied: ask the operator") {
			t.Errorf("plan %v, error %v", plan, err)
		}
	})
}
