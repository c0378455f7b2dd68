package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// The boundary of an environment is watched, whoever opens it.

// isolated makes an environment on whose internal network the host has no address.
func (s *stage) isolated(name string) *spec.CredProxy {
	cp := s.environment(name)
	s.engine.AlterNetwork(s.network(name+"-internal"), func(n *fakeengine.Network) { n.HostReachable = false })
	return cp
}

// join starts a container that no controller made on a spec's internal network.
func (s *stage) join(name, container string, reach reconcile.Reach) (id string) {
	return s.engine.AddContainer(fakeengine.Foreign{
		Name: container, Networks: map[string][]string{s.network(name + "-internal"): nil}, Reach: reach,
	})
}

func (s *stage) wantIsolated(name string, status metav1.ConditionStatus, reason string) {
	s.t.Helper()
	cp, _ := s.Get(name)
	got := meta.FindStatusCondition(cp.Status.Conditions, spec.ConditionIsolated)
	if got == nil || got.Status != status || got.Reason != reason {
		s.t.Errorf("%s is Isolated=%+v, want %s %s", name, got, status, reason)
	}
}

// told are the events of a name with one of some reasons, in their order, each with its type.
func (s *stage) told(name string, reasons ...string) (told []string) {
	for _, e := range s.Events() {
		if e.Name == name && slices.Contains(reasons, e.Reason) {
			told = append(told, e.Type+" "+e.Reason)
		}
	}
	return told
}

// soon waits for a time much shorter than a resync, so that only an event can have led to a look.
func (s *stage) soon() { s.settle() }

func TestABreachIsSeenAtOnceAndToldOnce(t *testing.T) {
	for name, open := range map[string]struct {
		reason string
		open   func(*stage) (undo func())
	}{
		"a privileged container joins": {reconcile.ReasonPrivileged, func(s *stage) func() {
			id := s.join("web", "bad", reconcile.Reach{Privileged: true})
			return func() { s.engine.RemoveContainer(id, true) }
		}},
		"a container is started in the sidecar's namespace": {reconcile.ReasonSharedNamespace, func(s *stage) func() {
			id := s.engine.AddContainer(fakeengine.Foreign{Name: "bad", Reach: reconcile.Reach{
				Shared: []reconcile.SharedNamespace{{Kind: reconcile.NamespaceNetwork, Container: s.container("web").ID}}}})
			return func() { s.engine.StopContainer(id) }
		}},
		"the agent is connected to a network that leads out": {reconcile.ReasonOtherNetwork, func(s *stage) func() {
			id, out := s.join("web", "agent", reconcile.Reach{}), s.network("elsewhere")
			s.soon()
			s.engine.ConnectContainer(id, out)
			return func() { s.engine.DisconnectContainer(id, out) }
		}},
		"a container that is stopped is started": {reconcile.ReasonHostMount, func(s *stage) func() {
			id := s.join("web", "bad", reconcile.Reach{Mounts: []reconcile.Mount{{Source: "/var/run/docker.sock"}}})
			s.engine.StopContainer(id)
			s.soon()
			s.wantIsolated("web", metav1.ConditionTrue, reconcile.ReasonInternal)
			s.engine.StartContainer(id)
			return func() { s.engine.StopContainer(id) }
		}},
		"somebody mounts the sidecar's volume elsewhere": {reconcile.ReasonSidecarVolume, func(s *stage) func() {
			id := s.engine.AddContainer(fakeengine.Foreign{Name: "bad", Networks: map[string][]string{s.network("elsewhere"): nil},
				Reach: reconcile.Reach{Mounts: []reconcile.Mount{{Volume: s.container("web").Volume}}}})
			return func() { s.engine.RemoveContainer(id, true) }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *stage) {
				s.engine.AddNetwork("elsewhere", false)
				s.declare(s.isolated("web"), s.isolated("shop"))
				s.wantIsolated("web", metav1.ConditionTrue, reconcile.ReasonInternal)
				undo := open.open(s)
				s.soon()
				s.wantIsolated("web", metav1.ConditionFalse, open.reason)
				s.wantIsolated("shop", metav1.ConditionTrue, reconcile.ReasonInternal)
				s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
				later(2 * time.Minute)
				undo()
				s.soon()
				s.wantIsolated("web", metav1.ConditionTrue, reconcile.ReasonInternal)
				told := s.told("web", open.reason, reconcile.EventIsolationRestored)
				if want := []string{"Warning " + open.reason, "Normal IsolationRestored"}; !slices.Equal(told[max(0, len(told)-2):], want) || len(told)%2 != 0 {
					t.Errorf("told %q, want %q", told, want)
				}
			})
		})
	}
}

func TestWarningsAndBreachesAreToldApart(t *testing.T) {
	play(t, func(s *stage) {
		s.engine.SetProduct(reconcile.Engine{Product: "Docker", Version: "24.0.7"})
		s.declare(s.isolated("web"))
		s.wantIsolated("web", metav1.ConditionFalse, reconcile.ReasonDNSForwarded)
		if told := s.told("web", reconcile.ReasonDNSForwarded); len(told) != 0 {
			t.Errorf("told %q of what the engine does to all", told)
		}
		s.wantFindings("web", 0, 1)
		s.join("web", "bad", reconcile.Reach{Privileged: true})
		s.soon()
		s.wantIsolated("web", metav1.ConditionFalse, reconcile.ReasonPrivileged)
		s.wantFindings("web", 1, 1)
		cp, _ := s.Get("web")
		ready := meta.FindStatusCondition(cp.Status.Conditions, spec.ConditionReady).Message
		if !strings.Contains(ready, "privileged") || strings.Contains(ready, "name servers") {
			t.Errorf("Ready says %s", ready)
		}
		s.declare()
		s.wantSeries("credproxy_isolation_findings", "")
	})
}

// wantFindings holds what the metric says of the one name.
func (s *stage) wantFindings(name string, breaches, warnings int) {
	s.t.Helper()
	s.wantSeries("credproxy_isolation_findings", fmt.Sprintf(`
# HELP credproxy_isolation_findings Things by which a spec's environment is not isolated, by severity.
# TYPE credproxy_isolation_findings gauge
credproxy_isolation_findings{name=%q,severity="breach"} %d
credproxy_isolation_findings{name=%q,severity="warning"} %d
`, name, breaches, name, warnings))
}

func (s *stage) wantSeries(name, want string) {
	s.t.Helper()
	if err := testutil.GatherAndCompare(s.registry, strings.NewReader(want), name); err != nil {
		s.t.Error(err)
	}
}

func TestAContainerThatCannotBeInspectedIsAWarning(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.isolated("web"))
		s.engine.Inject(fakeengine.Inspect, 0, fakeengine.FailsBefore(nil))
		s.join("web", "dark", reconcile.Reach{Privileged: true})
		s.soon()
		s.wantIsolated("web", metav1.ConditionFalse, reconcile.ReasonNotInspected)
		s.engine.Heal()
		later(31 * time.Second) // a resync
		s.settle()
		s.wantIsolated("web", metav1.ConditionFalse, reconcile.ReasonPrivileged)
		s.engine.Inject(fakeengine.Inspect, 0, fakeengine.FailsBefore(nil))
		later(11 * time.Minute) // a deep look
		s.settle()
		s.wantIsolated("web", metav1.ConditionFalse, reconcile.ReasonPrivileged)
	})
}

func TestAnEngineThatWasReplacedIsAskedAgain(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.isolated("web"))
		s.wantIsolated("web", metav1.ConditionTrue, reconcile.ReasonInternal)
		s.engine.SetProduct(reconcile.Engine{Product: "Docker", Version: "20.10.24"})
		s.engine.Restart()
		s.settle()
		s.wantIsolated("web", metav1.ConditionFalse, reconcile.ReasonDNSForwarded)
	})
}

// Another container may take the hostname, or the name of the sidecar itself, whichever letters it is written in.
func TestANameOfTheSidecarThatIsTakenIsSaid(t *testing.T) {
	for name, foreign := range map[string]struct{ container, alias string }{
		"its hostname, by an alias":   {"impostor", "cred-proxy"},
		"in capitals":                 {"impostor", "Cred-Proxy"},
		"by the container's own name": {"cred-proxy", ""},
		"its own name, by an alias":   {"impostor", "cred-proxy-web"},
	} {
		add := func(s *stage) string {
			var aliases []string
			if foreign.alias != "" {
				aliases = []string{foreign.alias}
			}
			return s.engine.AddContainer(fakeengine.Foreign{
				Name: foreign.container, Networks: map[string][]string{s.network("web-internal"): aliases},
			})
		}
		conflicts := func(s *stage, n int) {
			s.wantSeries("credproxy_alias_conflict", fmt.Sprintf(`
# HELP credproxy_alias_conflict 1 while another container, or another spec, claims a name of the sidecar's on its internal network.
# TYPE credproxy_alias_conflict gauge
credproxy_alias_conflict{name="web"} %d
`, n))
			if told := s.told("web", reconcile.ReasonAliasConflict); len(told) != 1 {
				s.t.Errorf("told %q", told)
			}
		}
		t.Run(name+", before", func(t *testing.T) {
			play(t, func(s *stage) {
				web := s.isolated("web")
				id := add(s)
				s.declare(web)
				later(2 * time.Minute)
				s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonAliasConflict)
				conflicts(s, 1)
				s.engine.RemoveContainer(id, true)
				s.soon()
				s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
				conflicts(s, 0)
			})
		})
		t.Run(name+", after", func(t *testing.T) {
			play(t, func(s *stage) {
				s.declare(s.isolated("web"))
				id := add(s)
				s.soon()
				s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonAliasConflict)
				later(2 * time.Minute)
				conflicts(s, 1)
				s.engine.RenameContainer(id, "renamed") // which changes nothing for an alias
				s.engine.RemoveContainer(id, true)
				s.soon()
				s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
				conflicts(s, 0)
			})
		})
	}
}

// What happens to containers that have nothing to do with a spec costs one look, and no spec is reconciled.
func TestStrangersElsewhereCostOneLook(t *testing.T) {
	play(t, func(s *stage) {
		elsewhere := s.engine.AddNetwork("elsewhere", false)
		s.declare(s.isolated("web"))
		s.settle()
		s.engine.ResetCalls()
		s.engine.AddContainer(fakeengine.Foreign{Name: "other", Networks: map[string][]string{elsewhere: nil}, Reach: reconcile.Reach{Privileged: true}})
		s.soon()
		if calls := s.engine.Calls(); calls[fakeengine.Observe] != 1 || calls[fakeengine.Inspect] != 1 {
			t.Errorf("it cost %v", calls)
		}
	})
}
