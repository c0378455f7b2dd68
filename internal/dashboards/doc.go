// Package dashboards makes the Grafana dashboards of config/grafana, of panels that are described here and become Grafana's own
// types. A dashboard is rows of panels, each of which answers the question that its row asks.
package dashboards
