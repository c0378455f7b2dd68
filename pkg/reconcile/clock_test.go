package reconcile_test

import (
	"crypto/rand"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// The clock may have been ahead when a sidecar was last delivered to, as before a machine's clock was set.
func TestAStoppedSidecarThatServedALaterGenerationIsStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := fakeengine.New(time.Millisecond)
		var web *spec.CredProxy
		var id string
		newStage(t, engine, defaultOptions()).runs(func(s *stage) {
			web = s.environment("web")
			s.declare(web)
			id = s.container("web").ID
		})
		later := time.Now().Add(24 * time.Hour).UnixMilli()
		_, files, err := routetable.Seal(routetable.Table{
			Listen: ":9099", InternalSubnets: []string{"10.1.0.0/16"}, Routes: []routetable.Route{{Path: "/a", Upstream: "https://a.test"}},
		}, later, nil, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		driver := engine.Driver("default")
		if err := driver.CopyRoutes(t.Context(), id, files); err != nil {
			t.Fatal(err)
		}
		if _, err := driver.Load(t.Context(), id, later); err != nil {
			t.Fatal(err)
		}
		engine.StopContainer(id)
		newStage(t, engine, defaultOptions()).runs(func(s *stage) {
			s.declare(web)
			s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
			s.wantServed("web", "https://api.example.com one")
			if c := s.container("web"); c.ID != id {
				t.Error("it is another container")
			}
			for _, e := range s.Events() {
				if e.Reason == reconcile.ReasonRoutesRefused {
					t.Errorf("it refused what was delivered: %s", e.Message)
				}
			}
		})
	})
}
