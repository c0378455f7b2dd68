package page

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// route is one of an environment's.
type route struct {
	Path, Upstream string
	// Credential says what is added; never a token.
	Credential string
	// Withheld is true while the sidecar has no token of it on purpose.
	Withheld bool
	// Passes says what passes, in as many phrases as there are rules; empty for everything. Loose are the options that protect less.
	Passes, Limits, Loose []string
	// Roles are the agent's clients that are to use it.
	Roles   []string
	Traffic *traffic
}

// traffic is what was counted of a route.
type traffic struct {
	Classes, Refusals []tallied
	Facts             []fact
	Last              moment
}

// tallied is a number of something.
type tallied struct{ Name, Count string }

// routesOf are an environment's routes, and the requests that none of them took.
func routesOf(cp *spec.CredProxy, now time.Time) (routes []route, unrouted *traffic) {
	counted := map[string]*traffic{}
	for i := range cp.Status.Traffic {
		t := &cp.Status.Traffic[i]
		counted[t.Path] = trafficOf(t, now)
		if t.Path == routetable.NoRoute && len(t.Requests)+len(t.Refusals) > 0 {
			unrouted = counted[t.Path]
		}
	}
	for i := range cp.Spec.Routes {
		r := &cp.Spec.Routes[i]
		routes = append(routes, route{
			Path: r.Path, Upstream: r.Upstream, Credential: credential(r), Withheld: slices.Contains(cp.Status.WithheldRoutes, r.Path),
			Passes: passes(r), Limits: limits(r.Limits), Loose: loose(r), Roles: roles(r), Traffic: counted[r.Path],
		})
	}
	return routes, unrouted
}

// credential says in words what a route adds.
func credential(r *spec.Route) string {
	var parts []string
	if r.Auth != nil {
		parts = append(parts, cmp.Or(r.Auth.Header, string(r.Auth.Scheme))+" from "+refs(r.Auth.Refs()))
	}
	if r.ClientCertificate != nil {
		parts = append(parts, "a client certificate with the key of "+r.ClientCertificate.KeyRef.String())
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", and ")
}

func roles(r *spec.Route) (names []string) {
	for _, role := range r.Roles {
		names = append(names, string(role))
	}
	return names
}

func refs(all []spec.TokenRef) string {
	var names []string
	for _, ref := range all {
		names = append(names, ref.String())
	}
	return strings.Join(names, " and ")
}

// passes lists the rules of what a route lets pass.
func passes(r *spec.Route) (rules []string) {
	if len(r.Methods) > 0 {
		rules = append(rules, "only "+strings.Join(r.Methods, ", "))
	}
	if p := r.Paths; p != nil {
		if len(p.Allow) > 0 {
			rules = append(rules, "only the paths "+strings.Join(p.Allow, ", "))
		}
		if len(p.Deny) > 0 {
			rules = append(rules, "never the paths "+strings.Join(p.Deny, ", "))
		}
	}
	if g := r.Git; g != nil {
		rules = append(rules, "only git: "+either(g.Fetch, "fetch", "no fetch")+", "+
			either(len(g.Push) > 0, "push to "+strings.Join(g.Push, ", "), "no push"))
	}
	return rules
}

func limits(l *spec.Limits) (rules []string) {
	if l == nil {
		return nil
	}
	add := func(limited bool, words string) {
		if limited {
			rules = append(rules, words)
		}
	}
	add(l.RequestsPerMinute > 0, count(l.RequestsPerMinute)+" requests a minute")
	add(l.ConcurrentRequests > 0, count(l.ConcurrentRequests)+" at a time")
	add(l.HeaderBytes != "", "headers of "+l.HeaderBytes+"B")
	add(l.BodyBytes != "", "bodies of "+l.BodyBytes+"B")
	add(l.BodyTimeout != "", l.BodyTimeout+" for a body")
	add(l.IdleTimeout != "", l.IdleTimeout+" of silence")
	return rules
}

// loose lists the options of a route that protect less than the defaults.
func loose(r *spec.Route) (options []string) {
	add := func(set bool, words string) {
		if set {
			options = append(options, words)
		}
	}
	add(r.InsecureUpstream, "plain HTTP to the upstream")
	add(r.AllowPrivate, "private addresses are permitted")
	add(r.PassCredentials, "the agent's own credentials pass")
	add(!r.Scrubbed(), "answers are not searched for tokens")
	add(r.Mode == spec.ModeWarn, "what the rules do not permit passes, and is logged")
	add(r.CAFile != "", "authorities of its own")
	add(r.ProxyURL != "", "through an egress proxy")
	return options
}

// trafficOf is what was counted of one route, in words.
func trafficOf(t *spec.RouteTraffic, now time.Time) *traffic {
	out := &traffic{Last: momentOfPointer(t.LastTime, now)}
	classes, reasons := routetable.CodeClasses(), routetable.RefusalReasons()
	out.Classes, out.Refusals = tallyOf(classes[:], t.Requests), tallyOf(reasons[:], t.Refusals)
	add := func(name, value string) { out.Facts = append(out.Facts, fact{Name: name, Value: value}) }
	if t.InFlight > 0 {
		add("In flight", count(t.InFlight))
	}
	if l := t.Latency; l != nil {
		add("Time", millis(l.Mean)+" on average; half within "+millis(l.P50)+", 19 of 20 within "+millis(l.P95))
	}
	if t.RequestBytes+t.ResponseBytes > 0 {
		add("Bodies", size(t.RequestBytes)+" sent, "+size(t.ResponseBytes)+" received")
	}
	if t.Injections > 0 {
		add("Credentials added", count(t.Injections))
	}
	if t.Warnings > 0 {
		add("Would be refused", count(t.Warnings))
	}
	return out
}

// tallyOf are counts in the order of their names.
func tallyOf(names []string, counts map[string]int64) (out []tallied) {
	for _, name := range names {
		if n := counts[name]; n > 0 {
			out = append(out, tallied{strings.ReplaceAll(name, "_", " "), count(n)})
		}
	}
	return out
}

// token is one reference of an environment.
type token struct {
	Ref string
	// Uses are the paths of the routes that need it, and "callers" for the caller key.
	Uses    []string
	State   mark
	Message string
	// Since is the token's age; Variable is true when nobody knows it, as of a variable.
	Since    moment
	Variable bool
	Ends     moment
	// Verb says whether it ends or has ended.
	Verb   string
	Renews moment
}

// tokensOf are an environment's references.
func tokensOf(cp *spec.CredProxy, now time.Time) (tokens []token) {
	for _, t := range cp.Status.Tokens {
		one := token{
			Ref: t.Ref.String(), Uses: usesOf(&cp.Spec, t.Ref), State: mark{levelOfToken(t, now), t.Reason}, Message: t.Message,
			Since: momentOfPointer(t.ChangeTime, now), Variable: t.Ref.Env != "",
			Ends: momentOfPointer(t.ExpirationTime, now), Renews: momentOfPointer(t.RenewalTime, now),
		}
		if t.ExpirationTime != nil {
			one.Verb = verbOfEnd(t.ExpirationTime.Time, now)
		}
		tokens = append(tokens, one)
	}
	return tokens
}

func usesOf(s *spec.CredProxySpec, ref spec.TokenRef) (uses []string) {
	for i := range s.Routes {
		if slices.Contains(s.Routes[i].Refs(), ref) {
			uses = append(uses, s.Routes[i].Path)
		}
	}
	if s.CallerAuth != nil && s.CallerAuth.KeyRef == ref {
		uses = append(uses, "callers")
	}
	return uses
}

// place is file:line, as far as that is known.
func place(file string, line int) string {
	if line == 0 {
		return file
	}
	return file + ":" + strconv.Itoa(line)
}
