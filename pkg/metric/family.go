package metric

// Type is how a metric's values are to be read.
type Type string

// The types that are used here, as Prometheus names them.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
)

// Family is one metric: all series of one name.
type Family struct {
	// Name is the whole of it. It ends in the unit, and that of a counter in _total.
	Name string
	Type Type
	// Help is a sentence or two, which the metrics page shows too.
	Help string
	// More is what only docs/metrics.md adds, in Markdown.
	More string
	// Constant are labels that are the same on every series.
	Constant map[string]string
	// Labels are those by which series differ, in the order in which values are given.
	Labels []Label
	// Buckets are the upper bounds of a histogram's buckets, in its unit and in ascending order.
	Buckets []float64
}

// Label is one by which the series of a Family differ.
type Label struct {
	Name string
	// Is says what the values are, as in "the step"; it may be empty where the name says it.
	Is string
	// Values are all that there are, where they are known beforehand. A metric all of whose labels have some begins with a
	// series of each combination, at zero, so that a first increase is seen as one.
	Values []Value
	// At is where the values are explained, as a link within docs/metrics.md; empty where the row of the metric does that.
	At string
}

// Value is one of a Label.
type Value struct {
	Name string
	// Means explains it where its name does not, in Markdown.
	Means string
}

// Group are the metrics of one table of docs/metrics.md.
type Group struct {
	Name     string
	Families []Family
}

// Values are some whose names say all.
func Values[S ~string](names ...S) []Value {
	values := make([]Value, len(names))
	for i, name := range names {
		values[i].Name = string(name)
	}
	return values
}

// labelNames are those of the labels by which series differ.
func (f Family) labelNames() []string {
	names := make([]string, len(f.Labels))
	for i, label := range f.Labels {
		names[i] = label.Name
	}
	return names
}

// known are the values of all labels, one list for each series that is known beforehand. There is none as soon as the values
// of one label are not.
func (f Family) known() [][]string {
	series := [][]string{nil}
	for _, label := range f.Labels {
		var longer [][]string
		for _, begun := range series {
			for _, value := range label.Values {
				longer = append(longer, append(begun[:len(begun):len(begun)], value.Name))
			}
		}
		series = longer
	}
	return series
}
