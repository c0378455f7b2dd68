package fakeengine

import (
	"slices"
	"strconv"
	"strings"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// Answer is what would become of a request.
type Answer struct {
	// ContainerID is the sidecar that takes the request.
	ContainerID string
	// CallerAuth is what the sidecar asks of its callers; nil for nothing. CallerKey is the key that it knows.
	CallerAuth *routetable.CallerAuth
	CallerKey  routetable.Token
	// Route is the path of the route that matches; empty when none does, and then the rest is empty too.
	Route    string
	Upstream string
	// Auth is the credential that the route declares; nil for none.
	Auth *routetable.Auth
	// Withheld is why the sidecar would answer no_token, though the route declares no credential; empty when it would not.
	Withheld routetable.Withheld
	// Tokens are the credential's, by name; HasTokens is false when the sidecar lacks one, so that it would answer no_token.
	Tokens    map[string]routetable.Token
	HasTokens bool
}

// Resolve returns the IDs of the running containers that answer to a name on a network, in order of their names.
// Docker hands out all of them.
func (e *Engine) Resolve(networkID, host string) (ids []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.sorted() {
		if p := c.endpoint(networkID); p != nil && c.run != nil && (c.Name == host || slices.Contains(p.Aliases, host)) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// Ask says what would become of a request to http://host:port/path by a container on the network: one answer for each
// sidecar that would take it. None means that nobody listens there. path is clean and not escaped.
func (e *Engine) Ask(networkID, host string, port int, path string) (answers []Answer) {
	for _, id := range e.Resolve(networkID, host) {
		if answer, ok := e.ask(id, networkID, port, path); ok {
			answers = append(answers, answer)
		}
	}
	return answers
}

func (e *Engine) ask(id, networkID string, port int, path string) (Answer, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, n := e.containers[id], e.networks[networkID]
	if c == nil || n == nil || c.State != reconcile.StateRunning || !c.run.serves(n, port) {
		return Answer{}, false
	}
	answer, route := Answer{ContainerID: id}, longest(c.run.loaded.Table.Routes, path)
	if answer.CallerAuth = c.run.loaded.Table.CallerAuth; answer.CallerAuth != nil {
		answer.CallerKey, _ = c.run.loaded.CallerKey(answer.CallerAuth)
	}
	if route == nil {
		return answer, true
	}
	answer.Route, answer.Upstream, answer.Auth, answer.Withheld = route.Path, route.Upstream, route.Auth, route.Withheld
	if route.Auth != nil {
		answer.Tokens, answer.HasTokens = c.run.loaded.Tokens(route.Auth)
	}
	return answer, true
}

// serves reports whether the listener is open on a network, which it is on the internal one alone.
func (r *run) serves(n *Network, port int) bool {
	return r.loaded != nil && r.problem == "" && r.loaded.Table.Listen == ":"+strconv.Itoa(port) &&
		slices.ContainsFunc(n.Subnets, func(s string) bool { return slices.Contains(r.loaded.Table.InternalSubnets, s) })
}

// longest finds the route with the longest prefix of a path, on whole segments.
func longest(routes []routetable.Route, path string) (found *routetable.Route) {
	for i, r := range routes {
		rest, ok := strings.CutPrefix(path, strings.TrimSuffix(r.Path, "/"))
		if ok && (rest == "" || rest[0] == '/') && (found == nil || len(r.Path) > len(found.Path)) {
			found = &routes[i]
		}
	}
	return found
}
