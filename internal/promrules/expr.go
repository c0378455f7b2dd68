package promrules

import (
	"fmt"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Selector is what an expression reads: the series of a metric that match.
type Selector struct {
	Metric string
	// Matchers are those of labels, without that of the name.
	Matchers []*labels.Matcher
}

// nameLabel is the label under which Prometheus keeps the name of a metric.
const nameLabel = "__name__"

// Selectors lists all that an expression reads, in its order.
func Selectors(expr string) (found []Selector, err error) {
	tree, err := parse(expr)
	if err != nil {
		return nil, err
	}
	parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			isName := func(m *labels.Matcher) bool { return m.Name == nameLabel }
			found = append(found, Selector{selector.Name, slices.DeleteFunc(slices.Clone(selector.LabelMatchers), isName)})
		}
		return nil
	})
	return found, nil
}

// Compared are the expressions that an alert's compares with thresholds or with each other. Where the metrics are there, each of
// them has a value, although there is nothing to alert about.
func Compared(expr string) ([]string, error) {
	tree, err := parse(expr)
	if err != nil {
		return nil, err
	}
	var compared []string
	for _, part := range parts(tree) {
		compared = append(compared, part.String())
	}
	return compared, nil
}

// parts are the sides of comparisons and of set operations at the top of an expression, where these are not numbers.
func parts(expr parser.Expr) []parser.Expr {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return parts(e.Expr)
	case *parser.BinaryExpr:
		if !e.Op.IsComparisonOperator() && !e.Op.IsSetOperator() {
			break
		}
		var found []parser.Expr
		for _, side := range []parser.Expr{e.LHS, e.RHS} {
			if side.Type() == parser.ValueTypeVector {
				found = append(found, parts(side)...)
			}
		}
		return found
	case *parser.Call:
		if e.Func.Name == "absent" {
			return parts(e.Args[0])
		}
		for i, arg := range e.Args {
			e.Args[i] = bare(arg)
		}
	}
	return []parser.Expr{expr}
}

// bare takes comparisons with a number out of an argument of a function.
func bare(expr parser.Expr) parser.Expr {
	switch e := expr.(type) {
	case *parser.SubqueryExpr:
		e.Expr = bare(e.Expr)
	case *parser.ParenExpr:
		e.Expr = bare(e.Expr)
	case *parser.BinaryExpr:
		if e.Op.IsComparisonOperator() && e.RHS.Type() == parser.ValueTypeScalar {
			return bare(e.LHS)
		}
	}
	return expr
}

func parse(expr string) (parser.Expr, error) {
	tree, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", expr, err)
	}
	return tree, nil
}
