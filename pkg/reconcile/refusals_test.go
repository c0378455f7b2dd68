package reconcile_test

import (
	"testing"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// Two reasons that stand side by side would otherwise push each other out at every look.
func TestSeveralRefusalsOfOneNameAreToldOnceEach(t *testing.T) {
	play(t, func(s *stage) {
		s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "")
		s.declare(environment("web")) // without its networks
		s.wantToldOf("web", reconcile.ReasonTokenMissing, 1)
		s.wantToldOf("web", reconcile.ReasonNetworkNotFound, 1)
		later(10 * time.Minute)
		s.settle()
		s.wantToldOf("web", reconcile.ReasonTokenMissing, 1)
		s.wantToldOf("web", reconcile.ReasonNetworkNotFound, 1)
	})
}

func TestARefusalThatComesBackIsToldAgain(t *testing.T) {
	play(t, func(s *stage) {
		cp := s.environment("web")
		paused := cp.DeepCopy()
		paused.Annotations = map[string]string{spec.AnnotationPaused: "true"}
		for n := range 3 {
			s.declare(cp)
			s.declare(paused)
			s.wantToldOf("web", reconcile.ReasonPaused, n+1)
		}
	})
}

// wantToldOf holds how many events of a name there are with a reason.
func (s *stage) wantToldOf(name, reason string, want int) {
	s.t.Helper()
	n := 0
	for _, e := range s.Events() {
		if e.Name == name && e.Reason == reason {
			n++
		}
	}
	if n != want {
		s.t.Errorf("%d events of %s say %s, want %d", n, name, reason, want)
	}
}
