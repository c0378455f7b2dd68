package reconcile

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// changeTeller is a Resolver that knows since when its sources have their tokens.
type changeTeller interface {
	// Changed is since when the token is there to which a reference led last; zero where nobody knows. Nothing is asked for.
	Changed(ref spec.TokenRef) time.Time
}

// sighted is what became of the references of a spec at the last look: nil for one that has a value.
type sighted map[spec.TokenRef]error

// List returns every declared name with its status, in order of names.
func (c *Controller) List() []spec.CredProxy {
	list := c.statuses.list()
	c.detail(list)
	return list
}

// Get returns one declared name with its status.
func (c *Controller) Get(name string) (spec.CredProxy, bool) {
	one, ok := c.statuses.get(name)
	if !ok {
		return one, false
	}
	list := []spec.CredProxy{one}
	c.detail(list)
	return list[0], true
}

// detail adds to statuses what is known and not judged: how old tokens are, what was counted, and what is still to be done.
func (c *Controller) detail(list []spec.CredProxy) {
	routes := make(map[string][]string, len(list))
	for i := range list {
		routes[list[i].Name] = pathsOfRoutes(&list[i])
	}
	counts := c.traffic.of(routes)
	c.detailAttempts(list)
	for i := range list {
		name, status := list[i].Name, list[i].Status
		for j := range status.Tokens {
			c.date(&status.Tokens[j])
		}
		for _, told := range counts[name] {
			status.Traffic = append(status.Traffic, told.status())
		}
	}
}

// detailAttempts says until when those rest that have something to do.
func (c *Controller) detailAttempts(list []spec.CredProxy) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range list {
		if until := c.rests[list[i].Name]; until.After(now) && len(list[i].Status.PlannedSteps) > 0 {
			list[i].Status.NextAttemptTime = timeOf(until)
		}
	}
}

// date adds to a reference how old its token is, and how long it lasts.
func (c *Controller) date(token *spec.TokenStatus) {
	if teller, ok := c.resolver.(changeTeller); ok {
		token.ChangeTime = timeOf(teller.Changed(token.Ref))
	}
	if teller, ok := c.resolver.(lifetimeTeller); ok {
		life := teller.Lifetime(token.Ref)
		token.ExpirationTime, token.RenewalTime = timeOf(life.Expiry), timeOf(life.Renewal)
	}
}

// timeOf is a time of a status; nil for one that nobody knows.
func timeOf(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	out := metav1.NewTime(t)
	return &out
}

// pathsOfRoutes are those of a spec's routes, and behind them that of no route.
func pathsOfRoutes(cp *spec.CredProxy) (paths []string) {
	for _, r := range cp.Spec.Routes {
		paths = append(paths, r.Path)
	}
	return append(paths, routetable.NoRoute)
}

// tokens says what became of the spec's references at the last look. One that is withheld was not looked for.
func (e *entry) tokens() (told []spec.TokenStatus) {
	for _, slot := range e.object.Spec.Slots() {
		token := spec.TokenStatus{Ref: slot.Ref, Reason: ReasonResolved}
		err, looked := e.sighted[slot.Ref]
		why, withheld := e.withheldFrom(slot.Ref)
		switch {
		case looked && err != nil:
			token.Reason, token.Message = reasonOf(err), cut(err.Error())
		case looked:
		case withheld:
			token.Reason, token.Message = why.Reason, cut(why.Message)
		default:
			token.Reason, token.Message = ReasonNotChecked, "it was not looked for yet"
		}
		told = append(told, token)
	}
	return told
}

// withheldFrom says why a reference is withheld from the first of its routes of which that is so.
func (e *entry) withheldFrom(ref spec.TokenRef) (Withheld, bool) {
	for _, route := range e.object.Spec.Routes {
		why, ok := e.withheld[route.Path]
		if ok && slices.Contains(refsOf(route, e.object.Spec.CallerAuth), ref) {
			return why, true
		}
	}
	return Withheld{}, false
}

// saw notes what became of a name's references, with nil that nobody looked; and which of its routes are withheld.
func (s *statuses) saw(name string, seen sighted, withheld map[string]Withheld) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.entries[name]; ok {
		e.sighted, e.withheld = seen, withheld
	}
}

// planned notes which steps are to be taken for a name, and what they change.
func (s *statuses) planned(name string, item Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.entries[name]; ok {
		if len(e.planned.Steps) != len(item.Steps) || !slices.Equal(e.planned.Changes, item.Changes) {
			s.changed()
		}
		e.planned = item
	}
}

// shown is a copy of the object as people are shown it.
func (e *entry) shown() spec.CredProxy {
	out := *e.object.DeepCopy()
	if !e.rejected && !e.held {
		out.Status.Tokens = e.tokens()
	}
	if meta.IsStatusConditionFalse(out.Status.Conditions, spec.ConditionIsolated) {
		out.Status.IsolationFindings = e.bounds.told()
	}
	for _, s := range e.planned.Steps {
		out.Status.PlannedSteps = append(out.Status.PlannedSteps, spec.PlannedStep{Step: string(s.Step), Target: s.Target, Cause: s.Cause})
	}
	out.Status.PlannedChanges = slices.Clone(e.planned.Changes)
	return out
}

// told are the findings as a status tells them.
func (b bounds) told() (told []spec.IsolationFinding) {
	for _, f := range b.found {
		told = append(told, spec.IsolationFinding{Severity: string(f.Severity), Reason: f.Reason, Object: f.Object, Message: cut(f.Message)})
	}
	return told
}

// status is what was counted as a status tells it.
func (c *counted) status() spec.RouteTraffic {
	t := spec.RouteTraffic{
		Path: c.Route, Warnings: c.Warnings, Injections: c.Injections, InFlight: c.InFlight,
		RequestBytes: c.RequestBytes, ResponseBytes: c.ResponseBytes, LastTime: timeOf(c.last),
	}
	classes, reasons := routetable.CodeClasses(), routetable.RefusalReasons()
	t.Requests, t.Refusals = named(classes[:], c.Requests[:]), named(reasons[:], c.Refusals[:])
	if n := c.Duration.Count(); n > 0 {
		t.Latency = &spec.Latency{
			Count: n, Mean: c.Duration.Micros / n / 1000, P50: c.Duration.Quantile(0.5).Milliseconds(), P95: c.Duration.Quantile(0.95).Milliseconds(),
		}
	}
	return t
}

// named are the counts that are not 0, by their names; nil when all are.
func named(names []string, counts []int64) map[string]int64 {
	var out map[string]int64
	for i, n := range counts {
		if n == 0 {
			continue
		}
		if out == nil {
			out = map[string]int64{}
		}
		out[names[i]] = n
	}
	return out
}
