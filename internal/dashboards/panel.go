package dashboards

import "math"

// kind is how a panel shows what its queries give.
type kind string

const (
	// number shows one value, large, in the colour of its threshold.
	number kind = "stat"
	// curves show values over time, and their thresholds as lines.
	curves kind = "timeseries"
	// bars show counts in each interval, on top of each other.
	bars kind = "bars"
	// states show over time which of a few values something had.
	states kind = "state-timeline"
	// rows show the values of now, a line for each thing.
	rows kind = "table"
)

// panel is one question, and the queries that answer it.
type panel struct {
	kind  kind
	title string
	// about says what is shown, and what to make of it.
	about string
	unit  string
	// width is in 24ths of the page, and height in Grafana's units of about 30 pixels.
	width, height uint32
	queries       []query
	// limits are from which value on something is in which colour; below the first it is good. Without any, it is neither.
	limits []limit
	// words stand for values, as "down" does for 0.
	words []word
	// columns are those of a table, in their order; others are hidden.
	columns []column
	// toEnvironment links what is shown of a name to its dashboard.
	toEnvironment bool
}

// query is one expression of PromQL.
type query struct {
	expr string
	// legend names the series, such as {{name}}.
	legend string
}

// limit is from which value on a panel is in a colour.
type limit struct {
	from   float64
	colour string
}

// word stands for a value.
type word struct {
	value, text, colour string
}

// column is one of a table: a label, or the value of a query.
type column struct {
	// field is a label's name, or Value and, in a table of several queries, its letter as in "Value #A".
	field, title, unit string
	limits             []limit
	words              []word
}

// Colours, as Grafana names them.
const (
	good    = "green"
	warning = "orange"
	bad     = "red"
	neutral = "blue"
)

// anyIsBad turns red at one.
func anyIsBad() []limit { return []limit{{1, bad}} }

// anyIsAWarning turns orange at one.
func anyIsAWarning() []limit { return []limit{{1, warning}} }

// upOrDown are the words of what is 1 while it works.
func upOrDown() []word { return []word{{"0", "down", bad}, {"1", "up", good}} }

// yesOrNo are the words of a condition.
func yesOrNo() []word { return []word{{"0", "no", bad}, {"1", "yes", good}} }

// seconds are limits of a time.
func seconds(warn, fail float64) []limit { return []limit{{warn, warning}, {fail, bad}} }

// timeLeft are limits of a time that falls: what is over is bad, and so is what has nearly gone by.
func timeLeft() []limit { return []limit{{math.Inf(-1), bad}, {0, warning}, {30, good}} }

// fallsBelowZero reports whether values below zero tell something: where what is over is bad.
func (p panel) fallsBelowZero() bool { return len(p.limits) > 0 && math.IsInf(p.limits[0].from, -1) }

// one is a panel's only query.
func one(expr, legend string) []query { return []query{{expr, legend}} }
