package reconcile_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// A controller runs on a fake engine inside a bubble of testing/synctest: settle waits, in no time, until nothing is left
// to be done.
type stage struct {
	t        *testing.T
	engine   *fakeengine.Engine
	driver   *fakeengine.Driver
	tokens   *purse
	registry *prometheus.Registry
	*reconcile.Controller
	declared reconcile.Declared
}

func play(t *testing.T, story func(*stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		newStage(t, fakeengine.New(time.Millisecond), defaultOptions()).runs(story)
	})
}

// runs has the controller run while the story lasts.
func (s *stage) runs(story func(*stage)) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			s.t.Errorf("Run: %v", err)
		}
	})
	story(s)
	cancel()
	wg.Wait()
}

func defaultOptions() reconcile.Options {
	return reconcile.Options{
		NamePrefix: "cred-proxy", Workers: 4, Prune: true,
		Resync: 30 * time.Second, DeepResync: 10 * time.Minute, ReadyTimeout: 10 * time.Second,
	}
}

func newStage(t *testing.T, engine *fakeengine.Engine, opts reconcile.Options) *stage {
	s := &stage{
		t: t, engine: engine, driver: engine.Driver("default"), registry: prometheus.NewRegistry(),
		tokens: &purse{values: map[spec.TokenRef]string{{Env: "TOKEN"}: "one"}},
	}
	s.Controller = reconcile.New(s.driver, s.tokens, opts, s.registry, slog.New(slog.DiscardHandler))
	s.declared = reconcile.Declared{Complete: true}
	return s
}

// settle lets a second pass, which is time enough for everything but a backoff, and waits until all is still.
func (s *stage) settle() {
	later(time.Second)
	synctest.Wait()
}

// later lets time pass inside the bubble, where that takes none.
func later(d time.Duration) { time.Sleep(d) }

// declare puts specs into force and waits.
func (s *stage) declare(specs ...*spec.CredProxy) {
	s.declareNow(specs...)
	s.settle()
}

func (s *stage) declareNow(specs ...*spec.CredProxy) {
	s.declared.At, s.declared.Specs = time.Now(), specs
	s.Declare(s.declared)
}

// environment makes the two networks of a spec.
func (s *stage) environment(name string) *spec.CredProxy {
	s.engine.AddNetwork(name+"-internal", true)
	s.engine.AddNetwork(name+"-egress", false)
	return environment(name)
}

func environment(name string) *spec.CredProxy {
	cp := &spec.CredProxy{}
	cp.Name = name
	cp.Spec = spec.CredProxySpec{
		InternalNetwork: name + "-internal", EgressNetwork: name + "-egress",
		Routes: []spec.Route{{
			Path: "/api", Upstream: "https://api.example.com",
			Auth: &spec.Auth{Scheme: spec.SchemeBearer, TokenRef: spec.TokenRef{Env: "TOKEN"}},
		}},
	}
	spec.SetDefaults(cp, spec.Options{})
	return cp
}

// edited returns a copy of a spec with a change.
func edited(cp *spec.CredProxy, change func(*spec.CredProxySpec)) *spec.CredProxy {
	out := cp.DeepCopy()
	change(&out.Spec)
	return out
}

// served is what a request of the environment's agent would meet: upstream and tokens, in order of their names.
func (s *stage) served(name string) []string {
	s.t.Helper()
	var out []string
	for _, a := range s.engine.Ask(s.network(name+"-internal"), "cred-proxy", 9099, "/api/x") {
		var values []string
		for _, name := range slices.Sorted(maps.Keys(a.Tokens)) {
			values = append(values, a.Tokens[name].Reveal())
		}
		out = append(out, a.Upstream+" "+strings.Join(values, " "))
	}
	return out
}

// network returns the ID of a network; empty when there is none of the name.
func (s *stage) network(name string) string {
	for _, n := range s.engine.Snapshot().Networks {
		if n.Name == name {
			return n.ID
		}
	}
	return ""
}

func (s *stage) wantServed(name string, want ...string) {
	s.t.Helper()
	if got := s.served(name); !slices.Equal(got, want) {
		s.t.Errorf("%s serves %q, want %q", name, got, want)
	}
}

func (s *stage) wantReady(name string, status metav1.ConditionStatus, reason string) {
	s.t.Helper()
	cp, ok := s.Get(name)
	if !ok {
		s.t.Fatalf("no spec %s", name)
	}
	got := meta.FindStatusCondition(cp.Status.Conditions, spec.ConditionReady)
	if got.Status != status || got.Reason != reason {
		s.t.Errorf("%s is Ready=%s %s (%s), want %s %s", name, got.Status, got.Reason, got.Message, status, reason)
	}
}

// container returns the one container of a name.
func (s *stage) container(name string) fakeengine.Container {
	s.t.Helper()
	c, ok := s.engine.Container("cred-proxy-" + name)
	if !ok {
		s.t.Fatalf("no container cred-proxy-%s", name)
	}
	return c
}

// purse is where tokens come from.
type purse struct {
	mu     sync.Mutex
	values map[spec.TokenRef]string
}

func (p *purse) put(ref spec.TokenRef, value string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.values[ref] = value
}

func (p *purse) Resolve(_ context.Context, ref spec.TokenRef) (reconcile.Token, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.values[ref] == "" {
		return reconcile.Token{}, fmt.Errorf("token %s: %w", ref, reconcile.ErrTokenMissing)
	}
	return reconcile.NewToken(p.values[ref]), nil
}

// gauge collects one metric of a registry.
type gauge struct {
	registry *prometheus.Registry
	name     string
}

func (g gauge) Describe(chan<- *prometheus.Desc) {}

func (g gauge) Collect(ch chan<- prometheus.Metric) {
	families, _ := g.registry.Gather()
	for _, f := range families {
		if f.GetName() == g.name {
			for _, m := range f.GetMetric() {
				ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(g.name, "", nil, nil), prometheus.GaugeValue, m.GetGauge().GetValue())
			}
		}
	}
}
