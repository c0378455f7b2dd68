//go:build prometheus

package prometheus

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"credproxy.dev/controller/internal/promrules"
)

// patience is for how long something is waited for that has to come; it is over only where it never does.
const patience = 4 * time.Minute

func TestEachExpressionOfEachRuleAndDashboardReturnsData(t *testing.T) {
	f := startFleet(t)
	s := startServer(t, f.address)
	await(t, "a first scrape", func() bool { return s.has(t, `up{job="credproxy"} == 1`) })
	f.misuse()
	ctx, stop := context.WithCancel(t.Context())
	var living sync.WaitGroup
	living.Go(func() { f.live(ctx) })
	defer living.Wait()
	defer stop()

	left := expressions(t)
	t.Logf("%d expressions", len(left))
	awaitAll(t, func() []query {
		var still []query
		for _, q := range left {
			if !s.has(t, q.expr) {
				still = append(still, q)
			}
		}
		left = still
		return left
	})
}

func TestTheMetricsArePrometheusOwnWay(t *testing.T) {
	f := startFleet(t)
	var page string
	await(t, "the metrics of a first look", func() bool {
		page = f.metrics()
		return regexp.MustCompile(`(?m)^credproxy_requests_total\{.*name="web"`).MatchString(page)
	})
	promtool(t, page, "check", "metrics")
}

// expressions are what the rules record, what the alerts compare, and what the dashboards ask for.
func expressions(t *testing.T) (found []query) {
	t.Helper()
	for _, rule := range rules(t) {
		if rule.Record != "" {
			found = append(found, query{at: rule.Record, expr: rule.Expr}, query{at: rule.Record, expr: rule.Record})
			continue
		}
		compared, err := promrules.Compared(rule.Expr)
		if err != nil {
			t.Fatal(err)
		}
		for _, expr := range compared {
			found = append(found, query{at: rule.Alert, expr: expr})
		}
	}
	for _, q := range queries(t) {
		if !strings.Contains(q.expr, `=~"$`) { // one alone can be chosen
			found = append(found, query{at: q.at, expr: chosen(q.expr, "build-1", "web")})
			continue
		}
		found = append(found, query{at: q.at + ", of some", expr: chosen(q.expr, "(build-1)", "(web|waiting)")},
			query{at: q.at + ", of all", expr: chosen(q.expr, ".*", ".*")})
	}
	return found
}

// has reports whether an expression has a value now. Steps of a subquery lie at multiples of their own, of which there may be none
// since the start: it is asked for at the next.
func (s server) has(t *testing.T, expr string) bool {
	t.Helper()
	at := time.Now()
	if step := regexp.MustCompile(`\[\w+:(\w+)\]`).FindStringSubmatch(expr); step != nil {
		every, err := time.ParseDuration(step[1])
		if err != nil {
			t.Fatal(err)
		}
		at = at.Add(every).Truncate(every)
	}
	series, err := s.ask(t.Context(), expr, at)
	if err != nil {
		t.Fatal(err)
	}
	return series > 0
}

// metrics is the controller's page.
func (f *fleet) metrics() string {
	f.t.Helper()
	request, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, "http://"+f.address+"/metrics", nil)
	if err != nil {
		f.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(page)
}

// await polls until something is so.
func await(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	awaitAll(t, func() []query {
		if isSo() {
			return nil
		}
		return []query{{at: what}}
	})
}

// awaitAll polls until nothing is left.
func awaitAll(t *testing.T, left func() []query) {
	t.Helper()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		missing := left()
		if len(missing) == 0 {
			return
		}
		if time.Now().After(deadline) {
			for _, q := range missing {
				t.Errorf("there is nothing of %s: %s", q.at, q.expr)
			}
			t.FailNow()
		}
	}
}
