package page

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
)

// event is one thing that was done or refused.
type event struct {
	ID                     string
	Time                   moment
	Mark                   mark
	Name, URL              string
	Reason, Message, Cause string
}

// eventTypes are those of events.
func eventTypes() []string { return []string{"Normal", "Warning"} }

// eventsPage is the list of events.
type eventsPage struct {
	Query, Name, Type string
	Problems          []string
	Types             []choice
	Shown             []event
	All               int
	// Meant is the environment whose name is nearest to one that none has.
	Meant []link
}

// Any reports whether the filter leaves anything out.
func (p eventsPage) Any() bool { return p.Query != "" || p.Name != "" || p.Type != "" }

// eventsOf lists the events that a URL asks for, the newest first. For the names of all environments is asked only if there are none.
func eventsOf(all []reconcile.Event, environments func() []string, values url.Values, now time.Time) eventsPage {
	var f filter
	p := eventsPage{Query: searched(values), Name: strings.TrimSpace(values.Get("name")), Type: f.pick(values, "type", eventTypes()), All: len(all)}
	p.Problems, p.Types = f.Problems, choices(eventTypes(), p.Type)
	p.Shown = latest(all, len(all), now, func(e reconcile.Event) bool {
		return (p.Name == "" || p.Name == e.Name) && (p.Type == "" || p.Type == e.Type) && contains(p.Query, func() string {
			return strings.ToLower(strings.Join([]string{e.Name, e.Reason, e.Message, e.Cause}, "\n"))
		})
	})
	if p.Name != "" && len(p.Shown) == 0 {
		names := environments()
		for _, e := range all {
			names = append(names, e.Name) // also of what is gone
		}
		p.Meant = meant(p.Name, names, func(name string) string { return listURL("/events", "name", name) })
	}
	return p
}

// latest are the last events that are wanted, the newest first.
func latest(all []reconcile.Event, most int, now time.Time, wanted func(reconcile.Event) bool) (found []event) {
	for _, e := range slices.Backward(all) {
		if len(found) == most {
			break
		}
		if !wanted(e) {
			continue
		}
		one := event{
			ID: "n" + strconv.FormatInt(e.Sequence, 10), Time: momentOf(e.Time, now), Mark: mark{fine, e.Type}, Name: e.Name, URL: environmentURL(e.Name),
			Reason: e.Reason, Message: e.Message, Cause: e.Cause,
		}
		if e.Type == "Warning" {
			one.Mark.Level = warning
		}
		found = append(found, one)
	}
	return found
}
