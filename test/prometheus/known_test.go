package prometheus

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/internal/promrules"
	"credproxy.dev/controller/pkg/metric"
)

const root = "../.."

// known is what can be read: metrics of a controller, by the names of their series, and what Prometheus makes itself.
type known map[string]metric.Family

func knownSeries(t *testing.T) known {
	t.Helper()
	k := known{}
	for _, group := range app.Metrics() {
		for _, f := range group.Families {
			for constant := range f.Constant {
				f.Labels = append(f.Labels, metric.Label{Name: constant})
			}
			k.add(f)
		}
	}
	k.add(metric.Family{Name: "up"})
	k.add(metric.Family{Name: "process_start_time_seconds"})
	for _, made := range []string{"ALERTS", "ALERTS_FOR_STATE"} {
		k.add(metric.Family{Name: made, Labels: []metric.Label{{Name: "alertname"}, {Name: "alertstate"}, {Name: "severity"}, {Name: "name"}}})
	}
	recorded, err := promrules.Read(root, promrules.RecordingPath)
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range recorded {
		k.add(metric.Family{Name: rule.Record, Labels: k.labelsOf(t, rule.Expr)})
	}
	return k
}

func (k known) add(f metric.Family) {
	if f.Type != metric.Histogram {
		k[f.Name] = f
		return
	}
	k[f.Name+"_sum"], k[f.Name+"_count"] = f, f
	f.Labels = append(slices.Clone(f.Labels), metric.Label{Name: "le"})
	k[f.Name+"_bucket"] = f
}

// labelsOf are all that an expression could have.
func (k known) labelsOf(t *testing.T, expr string) (all []metric.Label) {
	t.Helper()
	read, err := promrules.Selectors(expr)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range read {
		all = append(all, k[s.Metric].Labels...)
	}
	return all
}

// problems are what an expression reads that is never there.
func (k known) problems(expr string) (found []string) {
	read, err := promrules.Selectors(expr)
	if err != nil {
		return []string{err.Error()}
	}
	if len(read) == 0 {
		return []string{"it reads nothing"}
	}
	for _, s := range read {
		f, ok := k[s.Metric]
		if !ok {
			found = append(found, "there is no metric "+s.Metric)
			continue
		}
		for _, m := range s.Matchers {
			found = append(found, unknownIn(f, m)...)
		}
	}
	return found
}

// unknownIn says what a matcher asks for that a metric does not have.
func unknownIn(f metric.Family, m *labels.Matcher) (found []string) {
	if m.Name == "job" || m.Name == "instance" {
		return nil // what Prometheus adds
	}
	at := slices.IndexFunc(f.Labels, func(l metric.Label) bool { return l.Name == m.Name })
	if at < 0 {
		return []string{fmt.Sprintf("%s has no label %s", f.Name, m.Name)}
	}
	if len(f.Labels[at].Values) == 0 || !regexp.MustCompile(`^[A-Za-z0-9_|]+$`).MatchString(m.Value) {
		return nil
	}
	for value := range strings.SplitSeq(m.Value, "|") {
		if !slices.ContainsFunc(f.Labels[at].Values, func(v metric.Value) bool { return v.Name == value }) {
			found = append(found, fmt.Sprintf("the label %s of %s is never %s", m.Name, f.Name, value))
		}
	}
	return found
}

func TestWhatIsNeverThereIsFound(t *testing.T) {
	tests := []struct{ name, expr, want string }{
		{"all good", `sum by (name) (rate(credproxy_requests_total{code=~"5xx|none", route!=""}[5m]))`, ""},
		{"recorded", `name_reason:credproxy_refusals:rate10m{reason="denied"} > 1`, ""},
		{"no such metric", `credproxy_request_total`, "there is no metric credproxy_request_total"},
		{"a histogram as a whole", `credproxy_spec_to_ready_seconds`, "there is no metric credproxy_spec_to_ready_seconds"},
		{"no such label", `credproxy_requests_total{status="5xx"}`, "credproxy_requests_total has no label status"},
		{"no such value", `credproxy_requests_total{code=~"4xx|500"}`, "the label code of credproxy_requests_total is never 500"},
		{"no such value, recorded", `name_reason:credproxy_refusals:rate10m{reason="policy"} > 1`,
			"the label reason of name_reason:credproxy_refusals:rate10m is never policy"},
		{"nothing", `vector(1)`, "it reads nothing"},
	}
	k := knownSeries(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(k.problems(tt.expr), "; "); got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}
