// Package metric declares metrics. One Family says what a metric is called, which labels it has and what it means; what is
// registered and the tables of docs/metrics.md are both made of it, so that neither can say what the other does not.
package metric
