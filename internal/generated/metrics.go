package generated

import (
	"fmt"
	"slices"
	"strings"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/pkg/metric"
)

// metricParts are the tables of docs/metrics.md, and the lists of values that tables refer to.
func metricParts() map[string]string {
	parts := map[string]string{}
	for _, group := range app.Metrics() {
		parts["metrics, "+group.Name] = familyTable(group.Families)
		for _, family := range group.Families {
			for _, label := range family.Labels {
				if place, ok := strings.CutPrefix(label.At, "#"); ok {
					parts["values, "+place] = valueList(place[:len(place)-1], label.Values)
				}
			}
		}
	}
	return parts
}

func familyTable(families []metric.Family) string {
	var b strings.Builder
	b.WriteString("| metric | type | labels | meaning |\n|---|---|---|---|\n")
	for _, f := range families {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Name, f.Type, labelNames(f), meaning(f))
	}
	return b.String()
}

// labelNames are those of all labels, the constant ones first.
func labelNames(f metric.Family) string {
	var names []string
	for name := range f.Constant {
		names = append(names, code(name))
	}
	slices.Sort(names)
	for _, label := range f.Labels {
		names = append(names, code(label.Name))
	}
	if len(names) == 0 {
		return "–"
	}
	return strings.Join(names, ", ")
}

// meaning is what is said of a metric, what its labels can be, and what more there is to say.
func meaning(f metric.Family) string {
	sentences := []string{f.Help}
	for _, label := range f.Labels {
		if said := values(label); said != "" {
			sentences = append(sentences, said)
		}
	}
	if f.More != "" {
		sentences = append(sentences, f.More)
	}
	if len(f.Buckets) > 0 {
		sentences = append(sentences, "Its buckets end at "+bounds(f.Buckets)+".")
	}
	return strings.Join(sentences, " ")
}

// bounds lists those of buckets.
func bounds(buckets []float64) string {
	var each []string
	for _, bound := range buckets {
		each = append(each, fmt.Sprintf("%.3g", bound))
	}
	last := len(each) - 1
	return strings.Join(each[:last], ", ") + " and " + each[last]
}

// values says what a label can be; nothing where its name does. Of one with a single value the table has nothing to say.
func values(label metric.Label) string {
	switch {
	case label.At != "":
		return fmt.Sprintf("Values of %s are [below](%s).", code(label.Name), label.At)
	case len(label.Values) < 2 && label.Is == "":
		return ""
	case len(label.Values) < 2:
		return fmt.Sprintf("%s is %s.", code(label.Name), label.Is)
	}
	is := "is "
	if label.Is != "" {
		is = "is " + label.Is + ": "
	}
	var each []string
	for _, value := range label.Values {
		each = append(each, explained(value))
	}
	last := len(each) - 1
	return fmt.Sprintf("%s %s%s or %s.", code(label.Name), is, strings.Join(each[:last], ", "), each[last])
}

// valueList is a table of values where each has a meaning, and otherwise their names in lines of readable length.
func valueList(what string, values []metric.Value) string {
	var b strings.Builder
	if slices.ContainsFunc(values, func(v metric.Value) bool { return v.Means == "" }) {
		var each []string
		for _, value := range values {
			each = append(each, explained(value))
		}
		return wrap(strings.Join(each, ", ")+".", 116)
	}
	fmt.Fprintf(&b, "| %s | what it does |\n|---|---|\n", what)
	for _, value := range values {
		fmt.Fprintf(&b, "| %s | %s |\n", code(value.Name), value.Means)
	}
	return b.String()
}

func explained(value metric.Value) string {
	if value.Means == "" {
		return code(value.Name)
	}
	return fmt.Sprintf("%s (%s)", code(value.Name), value.Means)
}

func code(name string) string { return "`" + name + "`" }

// wrap breaks a text between words into lines of at most so many bytes.
func wrap(text string, width int) string {
	var b strings.Builder
	length := 0
	for _, word := range strings.Fields(text) {
		switch {
		case length == 0:
		case length+1+len(word) > width:
			b.WriteString("\n")
			length = 0
		default:
			b.WriteString(" ")
			length++
		}
		b.WriteString(word)
		length += len(word)
	}
	return b.String() + "\n"
}
