package proxy

import (
	"net/http"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/routetable"
)

// gate is the policy of a route: which requests pass, of those that could be forwarded.
type gate struct {
	route string
	// methods are the only ones that pass; empty for all.
	methods []string
	paths   *pathRules
	git     *gitRules
	// warn has everything pass, and what would be refused be logged.
	warn bool
}

// newGate prepares a route's policy; nil for a route without one.
func newGate(r routetable.Route) *gate {
	if len(r.Methods) == 0 && r.Paths == nil && r.Git == nil {
		return nil
	}
	return &gate{
		route: r.Path, methods: r.Methods, paths: newPathRules(r.Paths), git: newGitRules(r.Git),
		warn: r.Mode == routetable.ModeWarn,
	}
}

// refuse decides whether a request passes, by what follows the route's prefix in its path. A route without a policy has a
// nil gate, through which all pass.
func (g *gate) refuse(e *exchange, rt *route, r *http.Request) *refusal {
	if g == nil {
		return nil
	}
	rest, _ := rt.cut(r.URL.EscapedPath())
	refused := g.judge(r, rest)
	if refused != nil && g.warn {
		e.warned = refused.code
		return nil
	}
	return refused
}

// judge says why a request does not pass, and what does, since whoever reads it may be able to ask otherwise.
func (g *gate) judge(r *http.Request, rest string) *refusal {
	if g.git != nil {
		return g.git.judge(g.route, r, rest)
	}
	if refused := g.judgeMethod(r); refused != nil {
		return refused
	}
	return g.paths.judge(g.route, rest)
}

func (g *gate) judgeMethod(r *http.Request) *refusal {
	switch {
	case len(g.methods) == 0:
		return nil
	case !slices.Contains(g.methods, r.Method):
		return denied("route " + g.route + " does not permit " + knownMethod(r.Method) + "; it permits " + listed(g.methods))
	case overridesMethod(r.URL.RawQuery):
		return denied("route " + g.route + " permits some methods only, and no parameter _method, which could stand for another; leave it out")
	}
	return nil
}

// maxListed is how many things a message lists.
const maxListed = 10

// listed words a list for people.
func listed(all []string) string {
	if len(all) <= maxListed {
		return strings.Join(all, ", ")
	}
	return strings.Join(all[:maxListed], ", ") + " and more"
}
