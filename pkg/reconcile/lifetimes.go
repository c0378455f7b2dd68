package reconcile

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/metric"
	"credproxy.dev/controller/pkg/spec"
)

// Lifetime is until when a token is in force.
type Lifetime struct {
	// Renewal is from when on another is asked for, and Expiry when this one ends or has ended. Both are zero where the token's
	// source does not say.
	Renewal, Expiry time.Time
}

// lifetimeTeller is a Resolver of which some sources say when their tokens end.
type lifetimeTeller interface {
	// Lifetime is that of the token that a reference led to last. Nothing is asked for.
	Lifetime(ref spec.TokenRef) Lifetime
}

// Lifetime is that of the token of a route that ends first; zero where none of its sources says when.
func (c *Controller) Lifetime(route *spec.Route) (first Lifetime) {
	teller, ok := c.resolver.(lifetimeTeller)
	if !ok {
		return Lifetime{}
	}
	for _, ref := range route.Refs() {
		life := teller.Lifetime(ref)
		if !life.Expiry.IsZero() && (first.Expiry.IsZero() || life.Expiry.Before(first.Expiry)) {
			first = life
		}
	}
	return first
}

func tokenExpiry() metric.Family {
	return metric.Family{
		Name: "credproxy_token_expiry_timestamp_seconds", Type: metric.Gauge,
		Help:   "When the token of a route expires or has expired, in seconds since 1970; 0 if its source does not say.",
		More:   "Of several tokens that of the first. Providers can say it; of variables and files nothing is known.",
		Labels: []metric.Label{specName(), {Name: "route", Is: "the path of a route with a token"}},
	}
}

func tokenRenewal() metric.Family {
	return metric.Family{
		Name: "credproxy_token_renewal_timestamp_seconds", Type: metric.Gauge,
		Help:   "From when on another token is asked for in place of the one that expires, in seconds since 1970; 0 if it does not.",
		More:   "While none comes, it stays as it is: halfway from here to the expiry the source is late.",
		Labels: []metric.Label{specName(), {Name: "route", Is: "the path of a route with a token"}},
	}
}

// lifetimeCollector tells, at each scrape, when tokens end.
type lifetimeCollector struct {
	statuses *statuses
	of       func(*spec.Route) Lifetime

	expiry, renewal *prometheus.Desc
}

func newLifetimeCollector(s *statuses, of func(*spec.Route) Lifetime) *lifetimeCollector {
	return &lifetimeCollector{statuses: s, of: of, expiry: tokenExpiry().NewDesc(), renewal: tokenRenewal().NewDesc()}
}

// Describe implements prometheus.Collector.
func (c *lifetimeCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.expiry
	ch <- c.renewal
}

// Collect implements prometheus.Collector.
func (c *lifetimeCollector) Collect(ch chan<- prometheus.Metric) {
	for name, routes := range c.statuses.routesWithTokens() {
		for i := range routes {
			life := c.of(&routes[i])
			ch <- prometheus.MustNewConstMetric(c.expiry, prometheus.GaugeValue, timestamp(life.Expiry), name, routes[i].Path)
			ch <- prometheus.MustNewConstMetric(c.renewal, prometheus.GaugeValue, timestamp(life.Renewal), name, routes[i].Path)
		}
	}
}

// routesWithTokens are the routes that have tokens, of each declared spec by its name.
func (s *statuses) routesWithTokens() map[string][]spec.Route {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string][]spec.Route{}
	for name, e := range s.entries {
		for _, route := range e.object.Spec.Routes {
			if !e.held && len(route.Refs()) > 0 {
				all[name] = append(all[name], route)
			}
		}
	}
	return all
}

// timestamp is a time in seconds since 1970; 0 for none.
func timestamp(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixNano()) / float64(time.Second)
}
