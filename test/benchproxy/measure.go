package main

import (
	"context"
	"slices"
)

// result is what was measured in a scenario.
type result struct {
	scenario scenario
	// rows have the median of each column, by contender, and order is that in which they are shown.
	rows  map[string][]float64
	order []string
	// turns have the figures of each turn, by contender.
	turns map[string][][]float64
}

// measure has each contender take its turns.
func (s scenario) measure(ctx context.Context, l *lab) (result, error) {
	all := contenders(l, s.bodies)
	if s.to.source == http2Source() {
		all = slices.DeleteFunc(all, func(c *contender) bool { return c.name == nameNginx }) // it has no HTTP/2 for upstreams
	}
	defer func() {
		for _, c := range all {
			c.stop()
		}
	}()
	for _, c := range all {
		if err := c.start(ctx, l, s.to); err != nil {
			return result{}, err
		}
	}
	turns, err := s.take(ctx, l, all)
	if err != nil {
		return result{}, err
	}
	found := result{scenario: s, rows: map[string][]float64{}, turns: turns}
	for _, c := range all {
		found.order = append(found.order, c.name)
		row := make([]float64, len(s.columns))
		for i := range row {
			row[i] = median(columnOf(turns[c.name], i))
		}
		found.rows[c.name] = row
	}
	return found, nil
}

// take returns the figures of each turn, by contender. Another one begins each time, and the first turn only warms up.
func (s scenario) take(ctx context.Context, l *lab, all []*contender) (map[string][][]float64, error) {
	samples := map[string][][]float64{}
	turns := l.options.turns + 1
	if s.once {
		turns = 1
	}
	for turn := range turns {
		inTurn := map[string][]float64{}
		for i := range all {
			c := all[(turn+i)%len(all)]
			figures, err := s.turn(ctx, l, c)
			if err != nil {
				return nil, err
			}
			inTurn[c.name] = figures
		}
		if turn == 0 && !s.once {
			continue
		}
		for name, figures := range inTurn {
			samples[name] = append(samples[name], s.beyond(figures, inTurn[nameDirect], name == nameDirect))
		}
	}
	return samples, nil
}

// beyond takes off what it takes without a proxy, in the same turn.
func (s scenario) beyond(figures, direct []float64, isDirect bool) []float64 {
	added := slices.Clone(figures)
	for i, column := range s.columns {
		if column.added && !isDirect {
			added[i] -= direct[i]
		}
	}
	return added
}

func columnOf(turns [][]float64, column int) (values []float64) {
	for _, figures := range turns {
		values = append(values, figures[column])
	}
	return values
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
