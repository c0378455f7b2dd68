package page

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/nearest"
	"credproxy.dev/controller/pkg/spec"
)

// maxQuery is how many bytes of a search are looked for.
const maxQuery = 200

// choice is one value of a filter.
type choice struct {
	Value, Word string
	Chosen      bool
}

// filter is what a URL asks of the list of environments. The zero filter leaves nothing out.
type filter struct {
	Query string
	// State is one of states; Condition a type, and Status what it has to be; empty for any.
	State, Condition, Status string
	// Planned asks for those for which steps are still to be taken.
	Planned bool
	// Problems are the values that are none, each in words.
	Problems []string
}

// states are what a filter calls the levels.
func states() []choice {
	return []choice{
		{Value: "attention", Word: "needs attention"}, {Value: "unknown", Word: "unknown"}, {Value: "warning", Word: "warning"},
		{Value: "progress", Word: "in progress"}, {Value: "held", Word: "paused or withheld"}, {Value: "ready", Word: "ready"},
	}
}

// stateOf is what a filter calls a level.
func stateOf(l level) string { return states()[l.rank()].Value }

func statuses() []string {
	return []string{string(metav1.ConditionTrue), string(metav1.ConditionFalse), string(metav1.ConditionUnknown)}
}

// filterOf reads a URL. What it asks for and does not exist is left out, and told.
func filterOf(values url.Values) filter {
	f := filter{Query: searched(values)}
	var known []string
	for _, s := range states() {
		known = append(known, s.Value)
	}
	f.State = f.pick(values, "state", known)
	f.Condition = f.pick(values, "condition", conditionTypes())
	f.Status = f.pick(values, "status", statuses())
	f.Planned = f.pick(values, "plan", []string{"steps"}) != ""
	if f.Status != "" && f.Condition == "" && len(f.Problems) == 0 {
		f.Condition = spec.ConditionReady
	}
	return f
}

// searched is what a URL searches for, without what nobody can see.
func searched(values url.Values) string {
	visible := strings.Map(func(r rune) rune {
		if spec.IsPrintable(r) {
			return r
		}
		return -1
	}, values.Get("q"))
	return strings.TrimSpace(strings.ToValidUTF8(visible[:min(len(visible), maxQuery)], ""))
}

// pick is the value of a parameter, if it is one of those that are known, whatever its capitals.
func (f *filter) pick(values url.Values, name string, known []string) string {
	asked := values.Get(name)
	if asked == "" {
		return ""
	}
	if at := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, asked) }); at >= 0 {
		return known[at]
	}
	f.Problems = append(f.Problems, fmt.Sprintf("There is no %s %q%s. It can be: %s.",
		name, short(asked, 40), nearest.Hint(asked, known), strings.Join(known, ", ")))
	return ""
}

// Any reports whether it leaves anything out.
func (f filter) Any() bool { return f.Query != "" || f.State != "" || f.Condition != "" || f.Planned }

// takes reports whether an environment is asked for.
func (f filter) takes(cp *spec.CredProxy, e environment) bool {
	switch {
	case f.State != "" && stateOf(e.State.Level) != f.State:
		return false
	case f.Planned && e.Planned == "":
		return false
	case f.Condition != "" && f.Status != "" && string(find(cp, f.Condition).Status) != f.Status:
		return false
	case f.Condition != "" && f.Status == "" && find(cp, f.Condition).Status == metav1.ConditionTrue:
		return false
	}
	return contains(f.Query, func() string { return haystack(cp) })
}

// contains reports whether all words of a query are in a text.
func contains(query string, text func() string) bool {
	if query == "" {
		return true
	}
	in := text()
	for word := range strings.FieldsSeq(strings.ToLower(query)) {
		if !strings.Contains(in, word) {
			return false
		}
	}
	return true
}

// StateChoices, ConditionChoices and StatusChoices are what the form offers.
func (f filter) StateChoices() []choice {
	offered := states()
	for i := range offered {
		offered[i].Chosen = offered[i].Value == f.State
	}
	return offered
}

// ConditionChoices are the types.
func (f filter) ConditionChoices() []choice { return choices(conditionTypes(), f.Condition) }

// StatusChoices are the statuses.
func (f filter) StatusChoices() []choice { return choices(statuses(), f.Status) }

func choices(values []string, chosen string) (out []choice) {
	for _, v := range values {
		out = append(out, choice{v, v, v == chosen})
	}
	return out
}

// listURL is the list with parameters, given as names and values in turn.
func listURL(path string, pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return path + "?" + values.Encode()
}
