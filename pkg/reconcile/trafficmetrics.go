package reconcile

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/routetable"
)

// trafficCollector tells, at each scrape, what sidecars have counted; so a route's series go when the route goes.
type trafficCollector struct {
	traffic *traffic
	routes  func() map[string][]string

	requests, refusals, warnings, duration, firstByte, requestBytes, responseBytes, injections, inFlight *prometheus.Desc
}

func newTrafficCollector(t *traffic, routes func() map[string][]string) *trafficCollector {
	return &trafficCollector{
		traffic: t, routes: routes,
		requests:      requestsTotal().NewDesc(),
		refusals:      refusalsTotal().NewDesc(),
		warnings:      policyWarnings().NewDesc(),
		duration:      requestDuration().NewDesc(),
		firstByte:     timeToFirstByte().NewDesc(),
		requestBytes:  requestBytes().NewDesc(),
		responseBytes: responseBytes().NewDesc(),
		injections:    injectionsTotal().NewDesc(),
		inFlight:      requestsInFlight().NewDesc(),
	}
}

// Describe implements prometheus.Collector.
func (c *trafficCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		c.requests, c.refusals, c.warnings, c.duration, c.firstByte, c.requestBytes, c.responseBytes, c.injections, c.inFlight,
	} {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *trafficCollector) Collect(ch chan<- prometheus.Metric) {
	for name, routes := range c.traffic.of(c.routes()) {
		for i := range routes {
			c.collect(ch, name, &routes[i].RouteCounters)
		}
	}
}

// collect tells of one route. A reason appears when something was first refused for it: of most routes, most never are.
func (c *trafficCollector) collect(ch chan<- prometheus.Metric, name string, r *routetable.RouteCounters) {
	count := func(desc *prometheus.Desc, n int64, labels ...string) {
		labels = append([]string{name, r.Route}, labels...)
		ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), labels...)
	}
	for i, class := range routetable.CodeClasses() {
		count(c.requests, r.Requests[i], class)
	}
	for i, reason := range routetable.RefusalReasons() {
		if r.Refusals[i] > 0 {
			count(c.refusals, r.Refusals[i], reason)
		}
	}
	if r.Route == routetable.NoRoute {
		return // nothing is forwarded
	}
	count(c.warnings, r.Warnings)
	count(c.requestBytes, r.RequestBytes)
	count(c.responseBytes, r.ResponseBytes)
	count(c.injections, r.Injections)
	ch <- prometheus.MustNewConstMetric(c.inFlight, prometheus.GaugeValue, float64(r.InFlight), name, r.Route)
	ch <- constHistogram(c.duration, &r.Duration, name, r.Route)
	ch <- constHistogram(c.firstByte, &r.FirstByte, name, r.Route)
}

func constHistogram(desc *prometheus.Desc, h *routetable.Histogram, labels ...string) prometheus.Metric {
	bounds := routetable.LatencyBounds()
	buckets, sum := make(map[float64]uint64, len(bounds)), uint64(0)
	for i, bound := range bounds {
		sum += uint64(h.Buckets[i])
		buckets[bound.Seconds()] = sum
	}
	seconds := float64(h.Micros) / float64(time.Second/time.Microsecond)
	return prometheus.MustNewConstHistogram(desc, sum+uint64(h.Buckets[len(bounds)]), seconds, buckets, labels...)
}
