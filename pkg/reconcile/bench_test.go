package reconcile_test

import (
	"fmt"
	"log/slog"
	"maps"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// BenchmarkResync1000Settled is one look at 1,000 settled sidecars: the lists, and no other call.
func BenchmarkResync1000Settled(b *testing.B) {
	engine := fakeengine.New(0)
	purse := &purse{values: map[spec.TokenRef]string{{Env: "TOKEN"}: "one"}}
	c := reconcile.New(engine.Driver("default"), purse, defaultOptions(), prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	declared := reconcile.Declared{Complete: true}
	for i := range 1000 {
		name := fmt.Sprintf("env-%d", i)
		engine.AddNetwork(name+"-internal", true)
		engine.AddNetwork(name+"-egress", false)
		declared.Specs = append(declared.Specs, environment(name))
	}
	c.Declare(declared)
	for range 2 { // the second pass inspects what the first made
		if err := c.Once(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	engine.ResetCalls()
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Once(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	if calls := engine.Calls(); !maps.Equal(calls, map[fakeengine.Verb]int{fakeengine.Observe: b.N}) {
		b.Fatalf("calls in %d passes: %v", b.N, calls)
	}
}
