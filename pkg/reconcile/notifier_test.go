package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// shortly is enough for a push on the engine in memory, and less than it takes until the engine's events about it, a
// retry or a resync have anything looked at.
const shortly = 50 * time.Millisecond

// telling is a purse that tells of what is put into it.
type telling struct {
	*purse
	changed chan spec.TokenRef
	// failures end as many calls of Watch.
	failures chan error
}

func (p *telling) Watch(ctx context.Context, changed func(spec.TokenRef)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-p.failures:
			return err
		case ref := <-p.changed:
			changed(ref)
		}
	}
}

// playTelling is play with a resolver that notices changes.
func playTelling(t *testing.T, story func(*stage, *telling)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, fakeengine.New(time.Millisecond), defaultOptions())
		tells := &telling{purse: s.tokens, changed: make(chan spec.TokenRef), failures: make(chan error)}
		s.registry = prometheus.NewRegistry()
		s.Controller = reconcile.New(s.driver, tells, defaultOptions(), s.registry, slog.New(slog.DiscardHandler))
		s.runs(func(s *stage) { story(s, tells) })
	})
}

// rotate gives the token of environments another value, and tells of it.
func (p *telling) rotate(value string) {
	p.put(spec.TokenRef{Env: "TOKEN"}, value)
	p.changed <- spec.TokenRef{Env: "TOKEN"}
}

func TestATokenThatChangesIsServedAtOnce(t *testing.T) {
	playTelling(t, func(s *stage, tokens *telling) {
		other := edited(s.environment("other"), func(s *spec.CredProxySpec) { s.Routes[0].Auth.TokenRef = spec.TokenRef{Env: "OTHER"} })
		tokens.put(spec.TokenRef{Env: "OTHER"}, "another")
		s.declare(s.environment("web"), other)
		s.engine.ResetCalls()
		tokens.rotate("two")
		later(shortly)
		s.wantServed("web", "https://api.example.com two")
		want := map[fakeengine.Verb]int{fakeengine.CopyRoutes: 1, fakeengine.Reload: 1}
		if calls := s.engine.Calls(); !maps.Equal(calls, want) {
			t.Errorf("calls %v, want %v: one push, on what was seen before", calls, want)
		}
	})
}

func TestATokenOfTheEnvironmentThatChangesIsAReplacement(t *testing.T) {
	playTelling(t, func(s *stage, tokens *telling) {
		s.declare(edited(s.environment("web"), func(s *spec.CredProxySpec) { s.TokenDelivery = spec.DeliverEnv }))
		before := s.container("web").ID
		tokens.rotate("two")
		s.settle()
		s.wantServed("web", "https://api.example.com two")
		if s.container("web").ID == before || len(s.engine.Snapshot().Containers) != 1 {
			t.Errorf("containers: %v", s.engine.Snapshot().Containers)
		}
	})
}

func TestATokenThatIsTheSameCostsNoCall(t *testing.T) {
	playTelling(t, func(s *stage, tokens *telling) {
		s.declare(s.environment("web"))
		s.engine.ResetCalls()
		tokens.rotate("one")
		s.settle()
		if calls := s.engine.Calls(); len(calls) > 0 {
			t.Errorf("calls: %v", calls)
		}
	})
}

func TestATokenThatIsWaitedForIsTakenAtOnce(t *testing.T) {
	playTelling(t, func(s *stage, tokens *telling) {
		tokens.put(spec.TokenRef{Env: "TOKEN"}, "")
		s.declare(s.environment("web"))
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonTokenMissing)
		tokens.rotate("late")
		later(shortly)
		s.wantServed("web", "https://api.example.com late")
	})
}

// A fleet on one token gets one push each, however often it is told of the change meanwhile.
func TestAFleetOnOneTokenGetsOnePushEach(t *testing.T) {
	const fleet = 300
	playTelling(t, func(s *stage, tokens *telling) {
		var specs []*spec.CredProxy
		for i := range fleet {
			specs = append(specs, s.environment(fmt.Sprint("web-", i)))
		}
		s.declareNow(specs...)
		later(30 * time.Second)
		s.settle()
		s.engine.ResetCalls()
		for range 100 {
			tokens.rotate("two")
		}
		later(10 * time.Second)
		s.settle()
		calls := s.engine.Calls()
		if calls[fakeengine.CopyRoutes] != fleet || calls[fakeengine.Reload] != fleet {
			t.Errorf("calls: %v", calls)
		}
		s.wantServed("web-299", "https://api.example.com two")
	})
}

func TestAWatchOfTokensThatFailsIsTriedAgain(t *testing.T) {
	playTelling(t, func(s *stage, tokens *telling) {
		s.declare(s.environment("web"))
		tokens.failures <- errors.New("the watch was lost")
		tokens.rotate("two") // received by the next Watch
		later(shortly)
		s.wantServed("web", "https://api.example.com two")
	})
}
