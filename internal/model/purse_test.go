package model

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// purse is where tokens come from. Each value begins with the name of its reference, so that it can be told where it
// belongs.
type purse struct {
	world *world

	mu     sync.Mutex
	values map[string]string
	given  int
	before map[string]string
	// told are the processes that notice what is rotated, by what they end with.
	told map[context.Context]func(spec.TokenRef)
}

func newPurse(w *world) *purse {
	p := &purse{world: w, values: map[string]string{}, before: map[string]string{}, told: map[context.Context]func(spec.TokenRef){}}
	for _, ref := range refs() {
		p.put(ref)
	}
	return p
}

// put gives a reference a new value.
func (p *purse) put(ref string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.given++
	p.before[ref] = p.values[ref]
	p.values[ref] = fmt.Sprint(ref, "-of-the-model-", p.given) // as long as a caller key has to be
}

// rotate gives a reference a new value, which is noticed; what put and the others do is found with the next look.
func (p *purse) rotate(ref string) {
	p.put(ref)
	p.tell(ref)
}

// tell has all processes notice a reference, whether or not its value is another.
func (p *purse) tell(ref string) {
	p.mu.Lock()
	told := slices.Collect(maps.Values(p.told))
	p.mu.Unlock()
	for _, changed := range told {
		changed(spec.TokenRef{Env: ref})
	}
}

// Watch implements reconcile.Notifier.
func (p *purse) Watch(ctx context.Context, changed func(spec.TokenRef)) error {
	p.mu.Lock()
	p.told[ctx] = changed
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.told, ctx)
	return nil
}

// putBack gives a reference the value again that it had before.
func (p *purse) putBack(ref string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before[ref], p.values[ref] = p.values[ref], p.before[ref]
}

func (p *purse) take(ref string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.values, ref)
}

func (p *purse) value(ref string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.values[ref]
}

// resolveTokens stands for the step among the verbs of the engine, in the table of hits.
const resolveTokens fakeengine.Verb = fakeengine.Verb(reconcile.StepResolveTokens)

// Resolve implements reconcile.Resolver.
func (p *purse) Resolve(_ context.Context, ref spec.TokenRef) (reconcile.Token, error) {
	if value := p.value(ref.Env); value != "" {
		return reconcile.NewToken(value), nil
	}
	p.world.note(fakeengine.Hit{Fault: "token missing", Verb: resolveTokens})
	return reconcile.Token{}, fmt.Errorf("token %s: %w", ref, reconcile.ErrTokenMissing)
}
