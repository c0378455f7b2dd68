package policy

import (
	"slices"

	"credproxy.dev/controller/pkg/spec"
)

// Decision is what a policy says of one spec.
type Decision struct {
	// Spec are the denials of the spec as a whole: nothing may be delivered for it.
	Spec []Denial
	// Routes are the denials of single routes, by their path.
	Routes map[string]Denial
}

// Permitted reports whether there is no denial.
func (d Decision) Permitted() bool { return len(d.Spec) == 0 && len(d.Routes) == 0 }

// Denial is one use that no rule permits.
type Denial struct {
	// Rule is the one that comes nearest to permitting it; empty when none selects the spec's folder.
	Rule string
	// Message is for people: what is not permitted, and what the rule permits instead.
	Message string
}

// Evaluate judges a valid spec whose file really is in a folder below --specs, with slashes, "." for that itself. It looks
// at nothing else: no token, no engine. A nil Policy permits everything.
func (p *Policy) Evaluate(folder string, cp *spec.CredProxy) Decision {
	if p == nil {
		return Decision{}
	}
	rules := p.selecting(folder, cp)
	if len(rules) == 0 {
		return Decision{Spec: []Denial{p.unselected(folder, cp)}}
	}
	e := evaluation{rules: rules, spec: &cp.Spec}
	d := Decision{Spec: slices.Concat(e.networks(), e.image(), e.delivery(), e.callerKey())}
	for _, route := range cp.Spec.Routes {
		if denial, denied := e.route(route); denied {
			if d.Routes == nil {
				d.Routes = map[string]Denial{}
			}
			d.Routes[route.Path] = denial
		}
	}
	return d
}

// selecting are the rules that select a spec.
func (p *Policy) selecting(folder string, cp *spec.CredProxy) []*Rule {
	var out []*Rule
	for i := range p.rules {
		if r := &p.rules[i]; r.hasFolder(folder) && r.hasName(cp.Name) && r.hasLabels(cp.Labels) {
			out = append(out, r)
		}
	}
	return out
}

func (r *Rule) hasFolder(folder string) bool { return pathGlobs(r.Folders, folder) }

func (r *Rule) hasName(name string) bool { return r.Names == nil || globs(r.Names, name) }

func (r *Rule) hasLabels(labels map[string]string) bool {
	for key, want := range r.MatchLabels {
		if got, ok := labels[key]; !ok || got != want {
			return false
		}
	}
	return true
}

// evaluation is one spec with the rules that select it, of which there is at least one.
type evaluation struct {
	rules []*Rule
	spec  *spec.CredProxySpec
}

// any returns whether one of the rules has something, and otherwise the rule that comes nearest: the first of which near
// says so, or the first.
func (e *evaluation) any(has, near func(*Rule) bool) (permitted bool, nearest *Rule) {
	if slices.ContainsFunc(e.rules, has) {
		return true, nil
	}
	return false, e.rules[max(0, slices.IndexFunc(e.rules, near))]
}

func (e *evaluation) networks() []Denial {
	var denials []Denial
	for _, network := range slices.Compact([]string{e.spec.InternalNetwork, e.spec.EgressNetwork}) {
		ok, nearest := e.any(
			func(r *Rule) bool { return globs(r.Networks, network) },
			func(r *Rule) bool { return len(r.Networks) > 0 })
		if !ok {
			denials = append(denials, nearest.deny("does not permit network %q; its networks: %s", network, some(nearest.Networks)))
		}
	}
	return denials
}

func (e *evaluation) image() []Denial {
	if e.spec.Image == "" {
		return nil
	}
	ok, nearest := e.any(
		func(r *Rule) bool { return slices.Contains(r.Allow, CustomImage) && pathGlobs(r.Images, e.spec.Image) },
		func(r *Rule) bool { return len(r.Images) > 0 })
	if ok {
		return nil
	}
	return []Denial{nearest.deny("does not permit image %q; its images: %s", e.spec.Image, some(nearest.Images))}
}

func (e *evaluation) delivery() []Denial {
	if e.spec.TokenDelivery != spec.DeliverEnv {
		return nil
	}
	return e.option(EnvDelivery, "tokenDelivery: Env")
}

func (e *evaluation) callerKey() []Denial {
	if e.spec.CallerAuth == nil {
		return nil
	}
	key := e.spec.CallerAuth.KeyRef
	ok, nearest := e.any(
		func(r *Rule) bool { return anyReference(r.CallerKeys, key) },
		func(r *Rule) bool { return len(r.CallerKeys) > 0 })
	if ok {
		return nil
	}
	return []Denial{nearest.deny("does not permit %s as the key of callers; its callerKeys: %s", key, some(shown(nearest.CallerKeys)))}
}

// option denies what only an option permits.
func (e *evaluation) option(o Option, what string) []Denial {
	ok, nearest := e.any(
		func(r *Rule) bool { return slices.Contains(r.Allow, o) },
		func(r *Rule) bool { return len(r.Allow) > 0 })
	if ok {
		return nil
	}
	return []Denial{nearest.deny("does not permit %s; that takes %s in its allow", what, o)}
}

// route denies a token that goes where no rule permits it, and an option that none allows.
func (e *evaluation) route(route spec.Route) (Denial, bool) {
	to, err := spec.ParseUpstream(route.Upstream)
	if err != nil {
		return e.rules[0].deny("cannot be compared with the upstream, which %v", err), true
	}
	for _, ref := range route.Refs() {
		if denial, denied := e.use(ref, to); denied {
			return denial, true
		}
	}
	for _, use := range []struct {
		option Option
		field  string
		made   bool
	}{
		{InsecureUpstream, "insecureUpstream", route.InsecureUpstream || to.Scheme == "http"},
		{PassCredentials, "passCredentials", route.PassCredentials},
		{AllowPrivate, "allowPrivate", route.AllowPrivate},
		{CustomRoots, "caFile", route.CAFile != ""},
		{EgressProxy, "proxyURL", route.ProxyURL != ""},
		{WarnMode, "mode: Warn", route.Mode == spec.ModeWarn},
		{UnscrubbedResponses, "scrubResponses: false", !route.Scrubbed()},
	} {
		if !use.made {
			continue
		}
		for _, denial := range e.option(use.option, use.field) {
			return denial, true
		}
	}
	return Denial{}, false
}

// use denies a token at an upstream unless one rule has both.
func (e *evaluation) use(ref spec.TokenRef, to spec.Upstream) (Denial, bool) {
	var nearest *Rule
	best := -1
	for _, r := range e.rules {
		token := anyReference(r.Tokens, ref)
		there := slices.ContainsFunc(r.Upstreams, func(u Upstream) bool { return u.matches(to) })
		host := slices.ContainsFunc(r.Upstreams, func(u Upstream) bool { return u.matchesHost(to.Host) })
		if token && there {
			return Denial{}, false
		}
		if near := nearness(token, there, host); near > best {
			nearest, best = r, near
		}
	}
	upstreams := some(shown(nearest.Upstreams))
	if anyReference(nearest.Tokens, ref) {
		return nearest.deny("permits %s at %s only, not at %s", ref, upstreams, to), true
	}
	return nearest.deny("does not permit %s at %s; its tokens: %s; its upstreams: %s", ref, to, some(shown(nearest.Tokens)), upstreams), true
}

// nearness orders rules by how much of a use they have.
func nearness(token, there, host bool) int {
	switch {
	case token && host:
		return 4
	case token:
		return 3
	case there:
		return 2
	case host:
		return 1
	}
	return 0
}
