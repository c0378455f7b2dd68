package fakeengine

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	"credproxy.dev/controller/pkg/routetable"
)

// standing is what a route's upstream made of its tokens. It follows pkg/proxy, but for the time that it takes there until a
// token counts as one that works again.
type standing struct {
	tokens           map[string]routetable.Token
	worked, rejected bool
	count            int64
}

// UpstreamAnswers has the upstream of a route, which has a token, answer a request of the agent with a status. The sidecar
// reports what it makes of that.
func (e *Engine) UpstreamAnswers(containerID, path string, status int) {
	e.with(containerID, func(c *container) {
		tokens, ok := c.run.tokensOf(path)
		if !ok {
			panic("fakeengine: " + c.Name + " serves no route " + path + " with a token")
		}
		if c.run.standings == nil {
			c.run.standings = map[string]*standing{}
		}
		s := c.run.standings[path]
		if s == nil {
			s = &standing{tokens: tokens}
			c.run.standings[path] = s
		}
		if !s.has(tokens) {
			*s = standing{tokens: tokens, count: s.count}
		}
		e.countAnswer(c, path, status)
		if s.answered(status) {
			e.report(c, routetable.EventState)
		}
	})
}

// has reports whether the standing is that of these tokens.
func (s *standing) has(tokens map[string]routetable.Token) bool {
	return maps.EqualFunc(s.tokens, tokens, routetable.Token.Equal)
}

// answered notes the status of an answer, and reports whether that is worth telling.
func (s *standing) answered(status int) (tells bool) {
	switch {
	case status == http.StatusUnauthorized && s.worked:
		s.rejected = true
		s.count++
		return true
	case status == http.StatusSwitchingProtocols, status >= 200 && status < 300:
		tells = s.rejected
		s.worked, s.rejected = true, false
	}
	return tells
}

// keepStandings forgets those of routes that have no token any more.
func (r *run) keepStandings() {
	maps.DeleteFunc(r.standings, func(path string, _ *standing) bool {
		_, ok := r.tokensOf(path)
		return !ok
	})
}

// tokensOf are the tokens of a route that is served now, by name; false when there are none.
func (r *run) tokensOf(path string) (map[string]routetable.Token, bool) {
	if r.loaded == nil {
		return nil, false
	}
	for _, route := range r.loaded.Table.Routes {
		if route.Path == path && route.Auth != nil {
			return r.loaded.Tokens(route.Auth)
		}
	}
	return nil, false
}

// rejected lists the routes whose tokens are rejected now, in order of paths.
func (r *run) rejected() (found []routetable.Rejection) {
	for path, s := range r.standings {
		if tokens, ok := r.tokensOf(path); ok && s.rejected && s.has(tokens) {
			found = append(found, routetable.Rejection{Route: path, Count: s.count})
		}
	}
	slices.SortFunc(found, func(a, b routetable.Rejection) int { return cmp.Compare(a.Route, b.Route) })
	return found[:min(len(found), routetable.MaxRejected)]
}
