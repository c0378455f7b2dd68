package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// resolution is what the sources had for a spec's references.
type resolution struct {
	found map[spec.TokenRef]Token
	// failed has the references that have no value; first is the first of these failures, in order of slots.
	failed map[spec.TokenRef]error
	first  error
}

// lookFor asks the sources for all of a spec's references: that one has no value does not keep the others from being
// delivered.
func lookFor(ctx context.Context, resolver Resolver, cp *spec.CredProxy) resolution {
	r := resolution{found: map[spec.TokenRef]Token{}, failed: map[spec.TokenRef]error{}}
	for _, slot := range cp.Spec.Slots() {
		token, err := resolver.Resolve(ctx, slot.Ref)
		if err == nil {
			if unfit := deliverable(token, slot.Ref, &cp.Spec); unfit != nil {
				err = fmt.Errorf("%w: the token of %s %w", ErrTokenInvalid, slot.Ref, unfit)
			}
		}
		if err == nil {
			r.found[slot.Ref] = token
			continue
		}
		r.failed[slot.Ref] = err
		if r.first == nil {
			r.first = err
		}
	}
	return r
}

// sighted is what became of each reference.
func (r resolution) sighted() sighted {
	seen := sighted{}
	for ref := range r.found {
		seen[ref] = nil
	}
	maps.Copy(seen, r.failed)
	return seen
}

// values are the tokens of all slots of a spec, whose references are among those that were looked for. What the sidecar was
// given before stands in for what cannot be found now; where there is neither, it fails with the first such error.
func (r resolution) values(cp *spec.CredProxy, held map[spec.TokenRef]Token) (tokens, error) {
	values := r.atHand(cp, held)
	for _, slot := range cp.Spec.Slots() {
		if _, ok := values[slot.Name]; !ok {
			return nil, r.failed[slot.Ref]
		}
	}
	if err := checkCallerKey(&cp.Spec, values); err != nil {
		return nil, err
	}
	return values, nil
}

// atHand are the tokens of those slots that have one.
func (r resolution) atHand(cp *spec.CredProxy, held map[spec.TokenRef]Token) tokens {
	values := tokens{}
	for _, slot := range cp.Spec.Slots() {
		token, ok := r.found[slot.Ref]
		if !ok && !errors.Is(r.failed[slot.Ref], ErrTokenDenied) {
			token, ok = held[slot.Ref]
		}
		if ok {
			values[slot.Name] = token
		}
	}
	return values
}

// gone are the routes of a spec, by path, from whose source a token has gone.
func (r resolution) gone(cp *spec.CredProxy) map[string]Withheld {
	lost := map[spec.TokenRef]error{}
	for ref, err := range r.failed {
		if errors.Is(err, ErrTokenMissing) && !errors.Is(err, ErrTokenUnknown) {
			lost[ref] = err
		}
	}
	return without(cp, lost)
}

// lacking are the routes of a spec, by path, that cannot be served when a generation has to be delivered at once: nothing
// stands in for a token of theirs, or the caller key can be none.
func (r resolution) lacking(cp *spec.CredProxy, held map[spec.TokenRef]Token) map[string]Withheld {
	lost, values := map[spec.TokenRef]error{}, r.atHand(cp, held)
	for _, slot := range cp.Spec.Slots() {
		if _, ok := values[slot.Name]; !ok {
			lost[slot.Ref] = r.failed[slot.Ref]
		}
	}
	if caller := cp.Spec.CallerAuth; caller != nil && lost[caller.KeyRef] == nil {
		if err := checkCallerKey(&cp.Spec, values); err != nil {
			lost[caller.KeyRef] = err
		}
	}
	return without(cp, lost)
}

// without are the routes of a spec, by path, that cannot be served without some references. Without a caller key, none can.
func without(cp *spec.CredProxy, lost map[spec.TokenRef]error) map[string]Withheld {
	found := map[string]Withheld{}
	for _, route := range cp.Spec.Routes {
		for _, ref := range refsOf(route, cp.Spec.CallerAuth) {
			if err, ok := lost[ref]; ok {
				found[route.Path] = Withheld{Word: routetable.WithheldMissing, Reason: reasonOf(err), Message: err.Error()}
			}
		}
	}
	return found
}

// refsOf are the references without which a route cannot be served.
func refsOf(route spec.Route, caller *spec.CallerAuth) (refs []spec.TokenRef) {
	if caller != nil {
		refs = append(refs, caller.KeyRef)
	}
	return append(refs, route.Refs()...)
}

// checkCallerKey reports why the caller key cannot be one: clients could not send it, or it is a token under another
// reference, which callers would then hold.
func checkCallerKey(s *spec.CredProxySpec, found tokens) error {
	if s.CallerAuth == nil {
		return nil
	}
	slots, ref := s.Slots(), s.CallerAuth.KeyRef
	own := slices.IndexFunc(slots, func(slot spec.Slot) bool { return slot.Ref == ref })
	key := found[slots[own].Name]
	if err := routetable.CheckCallerKey(key.Reveal()); err != nil {
		return fmt.Errorf("%w: the caller key of %s %w", ErrTokenInvalid, ref, err)
	}
	for i, slot := range slots {
		if i != own && key.Equal(found[slot.Name]) {
			return fmt.Errorf("%w: the caller key of %s is the token of %s, and the agent would hold it; make another key",
				ErrTokenInvalid, ref, slot.Ref)
		}
	}
	return nil
}

// deliverable reports why a value cannot reach the sidecar as it is, or cannot be what a spec uses it for.
func deliverable(token Token, ref spec.TokenRef, s *spec.CredProxySpec) error {
	if s.TokenDelivery == spec.DeliverEnv && !utf8.ValidString(token.Reveal()) {
		return errors.New("is not UTF-8, and the engine would change it in an environment; use tokenDelivery: File or Memory")
	}
	for _, route := range s.Routes {
		if err := usable(token.Reveal(), ref, route); err != nil {
			return err
		}
	}
	return routetable.CheckToken(token.Reveal())
}

// usable reports why a value cannot be what a route uses its reference for.
func usable(value string, ref spec.TokenRef, route spec.Route) error {
	isKey := routetable.IsPrivateKey(value)
	switch {
	case isKey && slices.Contains(route.Auth.Refs(), ref):
		return errors.New("is a private key, which no scheme sends; it goes with clientCertificate")
	case !isKey && route.ClientCertificate != nil && route.ClientCertificate.KeyRef == ref:
		return errors.New("is no private key in PEM, as the keyRef of clientCertificate has to be")
	case slices.Contains(route.Auth.UsernameRefs(), ref):
		return routetable.CheckUsername(value)
	}
	return nil
}
