// Package prometheus holds config/prometheus and config/grafana to the metrics that a controller has. With the tag prometheus a
// real Prometheus checks the rules and scrapes a controller: `make test-prometheus`.
package prometheus
