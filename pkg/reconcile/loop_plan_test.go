package reconcile_test

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// Whoever asked for a plan needs no log to tell him the same.
func TestWhatAPlanHasSaidIsNotLogged(t *testing.T) {
	for _, planned := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t, fakeengine.New(time.Millisecond), defaultOptions())
			var log strings.Builder
			c := reconcile.New(s.driver, s.tokens, defaultOptions(), prometheus.NewRegistry(), slog.New(slog.NewTextHandler(&log, nil)))
			c.Declare(reconcile.Declared{Complete: true, Specs: []*spec.CredProxy{environment("web")}})
			if planned {
				plan, err := c.Plan(t.Context(), false, false)
				if err != nil || !strings.Contains(plan.String(), "blocked: NetworkNotFound") {
					t.Errorf("error %v, plan\n%s", err, plan)
				}
			}
			if err := c.Once(t.Context()); err != nil {
				t.Error(err)
			}
			if logged := strings.Contains(log.String(), "NetworkNotFound"); logged == planned || len(c.Events()) != 1 {
				t.Errorf("planned: %v, events: %v, log:\n%s", planned, c.Events(), log.String())
			}
		})
	}
}

func TestTwoPlansOfTheSameAreTheSame(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		for range 2 {
			other := reconcile.New(s.driver, s.tokens, defaultOptions(), prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
			other.Declare(reconcile.Declared{Complete: true, Specs: []*spec.CredProxy{edited(web, func(s *spec.CredProxySpec) { s.Port = 8080 })}})
			plan, err := other.Plan(s.t.Context(), false, false)
			if err != nil || !strings.Contains(plan.String(), "  create         cred-proxy-web-…\n") {
				t.Errorf("error %v, plan\n%s", err, plan)
			}
		}
	})
}

func TestPlanAsksForNothingToBeDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, fakeengine.New(time.Millisecond), defaultOptions())
		s.declareNow(s.environment("web"))
		plan, err := s.Plan(t.Context(), false, true)
		if err != nil || len(plan.Items) != 1 || !strings.Contains(plan.String(), "create") {
			t.Errorf("plan %v, error %v", plan, err)
		}
		if n := len(s.engine.Snapshot().Containers); n != 0 {
			t.Errorf("%d containers were made", n)
		}
		if err := s.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
	})
}

// What there is now is read where it is: from the labels and places of the container, and out of its volume.
func TestAPlanTellsHowRoutesChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, fakeengine.New(time.Millisecond), defaultOptions())
		web := s.environment("web")
		s.declareNow(web)
		if err := s.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		changes := func(cp *spec.CredProxy) string {
			s.declareNow(cp)
			plan, err := s.Plan(t.Context(), false, false)
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, item := range plan.Items {
				for _, c := range item.Changes {
					lines = append(lines, string(c.Change)+" "+c.String())
				}
			}
			return strings.Join(lines, "\n")
		}
		if got := changes(web); got != "" {
			t.Errorf("of the same there is %s", got)
		}
		other := edited(web, func(s *spec.CredProxySpec) {
			s.Routes = append(s.Routes, spec.Route{Path: "/more", Upstream: "https://more.example"})
		})
		if got := changes(other); got != "add route /more: https://more.example" {
			t.Errorf("of a route that is new there is %s", got)
		}
		s.engine.Inject(fakeengine.ReadRoutes, 1, fakeengine.FailsBefore(nil))
		if got := changes(other); got != "modify routes: cannot be compared (what it has was not read)" {
			t.Errorf("where routes cannot be read there is %s", got)
		}
		driver, id := s.engine.Driver("another"), s.container("web").ID
		table, err := driver.ReadRoutes(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		// What lies in the volume, and was not taken over, is not what it has.
		_, files, err := routetable.Seal(routetable.Table{Listen: ":9099", InternalSubnets: []string{"10.0.0.0/24"},
			Routes: []routetable.Route{{Path: "/lies", Upstream: "https://lies.example"}}}, 1<<50, nil, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := driver.CopyRoutes(t.Context(), id, files); err != nil {
			t.Fatal(err)
		}
		if got := changes(other); !strings.HasSuffix(got, "was not read)") {
			t.Errorf("of routes that are not served there is %s", got)
		}
		// More than a spec can have are not the controller's, though a sidecar serves them.
		for i, want := range []string{"remove route /r9: ", "was not read"} {
			n, generation := spec.MaxRoutes+i, int64(1<<50+1+i)
			table.Routes = nil
			for i := range n {
				table.Routes = append(table.Routes, routetable.Route{Path: fmt.Sprintf("/r%d", i), Upstream: "https://lies.example"})
			}
			_, files, err := routetable.Seal(table, generation, nil, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			if err := driver.CopyRoutes(t.Context(), id, files); err != nil {
				t.Fatal(err)
			}
			if report, err := driver.Reload(t.Context(), id, generation); err != nil {
				t.Fatal(report, err)
			}
			if got := changes(other); !strings.Contains(got, want) {
				t.Errorf("of %d routes there is %s", n, got)
			}
		}
	})
}
