// Package promrules reads the files of config/prometheus as values: rules, the cases of them that promtool plays, and what an
// expression reads. Documents are made of that, and tests hold it to the metrics that there are.
package promrules
