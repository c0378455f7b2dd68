package reconcile

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"credproxy.dev/controller/pkg/spec"
)

// EventTokenAccepted is the reason of the event that a rejected token works again.
const EventTokenAccepted = "TokenAccepted"

// An agent can make tokens come and go by what it asks for, and a sidecar that was taken over can say what it likes. So of
// each name, rejectionEvents are told at once, and past them one in rejectionEventPause.
const (
	rejectionEvents     = 10
	rejectionEventPause = 30 * time.Second
)

// rejection is a route whose upstream answers 401 to a token that it took before.
type rejection struct {
	route spec.Route
	// count is how often, since the sidecar's process began.
	count int64
}

// rejections are those that a sidecar reports of routes of its spec, in their order.
func rejections(cp *spec.CredProxy, s *Sidecar) (found []rejection) {
	if cp == nil || s == nil || s.State != StateRunning || s.Report == nil {
		return nil
	}
	for _, route := range credentialed(cp) {
		for _, said := range s.Report.Rejected {
			if said.Route == route.Path {
				found = append(found, rejection{route, said.Count})
				break
			}
		}
	}
	return found
}

// credentialed are the routes that add a token.
func credentialed(cp *spec.CredProxy) []spec.Route {
	return slices.DeleteFunc(slices.Clone(cp.Spec.Routes), func(r spec.Route) bool { return r.Auth == nil })
}

// String says what happened, and what to do.
func (r rejection) String() string { return r.words("") }

func (r rejection) words(often string) string {
	whose, todo := "the token of", "rotate it at its source"
	refs := r.route.Auth.Refs()
	if len(refs) > 1 {
		whose, todo = "the tokens of", "rotate the one that it rejects at its source"
	}
	var names []string
	for _, ref := range refs {
		names = append(names, ref.String())
	}
	return fmt.Sprintf("route %s: %s answers 401 to %s %s, which it took before%s; %s",
		r.route.Path, hostOf(r.route.Upstream), whose, strings.Join(names, " and "), often, todo)
}

func hostOf(upstream string) string {
	u, err := url.Parse(upstream)
	if err != nil {
		return "its upstream"
	}
	return u.Host
}

// counted is String with how often.
func (r rejection) counted() string { return r.words(fmt.Sprintf(" (%d so far)", r.count)) }

func (r rejection) path() string { return r.route.Path }

// joined lists what is said of each.
func joined(found []rejection, say func(rejection) string, separator string) string {
	words := make([]string, len(found))
	for i, r := range found {
		words[i] = say(r)
	}
	return strings.Join(words, separator)
}

// rejectionRecord is what is remembered of the rejected tokens of a name. Counts begin anew with each run of a sidecar, and
// the totals go on.
type rejectionRecord struct {
	run        sidecarRun
	generation int64
	standing   []rejection
	// counts are as the run last told them, and totals since this process began, both by path. A total never wraps, whatever
	// a sidecar says.
	counts map[string]int64
	totals map[string]float64
	events *rate.Limiter
}

// sidecarRun is one run of a container's process.
type sidecarRun struct {
	id    string
	began time.Time
}

// take takes over what a sidecar says now. It returns which rejections have begun, and which have ended because the token
// works again: not because the route is without one now, or there is another token or process, which knows of none.
func (r *rejectionRecord) take(s *Sidecar, now []rejection) (begun, ended []rejection) {
	run := sidecarRun{s.ID, s.StartedAt}
	if run != r.run || r.counts == nil {
		r.counts = map[string]int64{}
	}
	if r.totals == nil {
		r.totals = map[string]float64{}
	}
	for _, n := range now {
		path := n.route.Path
		more := n.count - r.counts[path]
		if more < 0 { // as of a counter that was reset
			more = n.count
		}
		r.counts[path] = n.count
		r.totals[path] += float64(more)
	}
	for _, n := range now {
		if !slices.ContainsFunc(r.standing, func(old rejection) bool { return old.path() == n.path() }) {
			begun = append(begun, n)
		}
	}
	for _, old := range r.standing {
		if run == r.run && s.Report.Generation == r.generation && !s.Report.Rejects(old.path()) {
			ended = append(ended, old)
		}
	}
	r.run, r.generation, r.standing = run, s.Report.Generation, now
	return begun, ended
}

// keep forgets the routes that a spec does not have any more.
func (r *rejectionRecord) keep(cp *spec.CredProxy) {
	maps.DeleteFunc(r.totals, func(path string, _ float64) bool {
		return !slices.ContainsFunc(credentialed(cp), func(route spec.Route) bool { return route.Path == path })
	})
}

// mayTell reports whether one more event is not too many.
func (r *rejectionRecord) mayTell() bool {
	if r.events == nil {
		r.events = rate.NewLimiter(rate.Every(rejectionEventPause), rejectionEvents)
	}
	return r.events.Allow()
}

// tellRejections notes which tokens of a name are rejected, and records each once when that begins and when it ends.
// Nothing is tried again: only another token mends it, and that is delivered when its source has it.
func (c *Controller) tellRejections(cp *spec.CredProxy, s *Sidecar) {
	if cp == nil || s == nil || s.Report == nil {
		return // nothing is known, so nothing has changed
	}
	begun, ended := c.statuses.reject(cp.Name, s, rejections(cp, s))
	if len(begun) > 0 {
		c.recorder.change(Event{Name: cp.Name, Type: eventWarning, Reason: ReasonTokenRejected,
			Message: cut(joined(begun, rejection.String, "; "))})
	}
	if len(ended) > 0 {
		c.recorder.change(Event{Name: cp.Name, Type: eventNormal, Reason: EventTokenAccepted,
			Message: cut("upstreams take the tokens again of: " + joined(ended, rejection.path, ", "))})
	}
}

// reject notes what a sidecar says of its tokens. It returns what of that to tell.
func (s *statuses) reject(name string, sidecar *Sidecar, now []rejection) (begun, ended []rejection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[name]
	if !ok {
		return nil, nil
	}
	begun, ended = e.rejections.take(sidecar, now)
	if len(begun)+len(ended) > 0 && !e.rejections.mayTell() {
		return nil, nil
	}
	return begun, ended
}

// eachRejected calls f with how often the token of each route was rejected, in order of names and routes, under the lock.
func (s *statuses) eachRejected(f func(name, route string, total float64)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, e := range s.entries {
		for _, route := range credentialed(&e.object) {
			f(name, route.Path, e.rejections.totals[route.Path])
		}
	}
}
