package prometheus

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"credproxy.dev/controller/pkg/metric"
)

// query is one of a panel of a dashboard.
type query struct {
	// at is the file and the panel's title.
	at, expr, legend string
}

// queries are those of all panels, and of the variables.
func queries(t *testing.T) (found []query) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "config/grafana/dashboards/*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no dashboards: %v", err)
	}
	for _, path := range paths {
		var board struct {
			Templating struct {
				List []struct{ Name, Query string }
			}
			Panels []struct {
				Title   string
				Targets []struct{ Expr, LegendFormat string }
			}
		}
		name := filepath.Base(path)
		if err := json.Unmarshal([]byte(read(t, "config/grafana/dashboards/"+name)), &board); err != nil {
			t.Fatal(err)
		}
		for _, v := range board.Templating.List {
			if listed, ok := strings.CutPrefix(v.Query, "label_values("); ok {
				expr := listed[:strings.LastIndex(listed, ",")]
				found = append(found, query{name + ": variable " + v.Name, expr, ""})
			}
		}
		for _, p := range board.Panels {
			for _, target := range p.Targets {
				found = append(found, query{name + ": " + p.Title, target.Expr, target.LegendFormat})
			}
		}
	}
	return found
}

// chosen puts in what Grafana does.
func chosen(expr, instance, name string) string {
	return strings.NewReplacer(
		"$__rate_interval", "1m", "$__range", "5m", "$instance", instance, "$name", name,
	).Replace(expr)
}

func TestDashboardsReadWhatThereIs(t *testing.T) {
	k := knownSeries(t)
	for _, q := range queries(t) {
		expr := chosen(q.expr, "any", "any")
		for _, problem := range k.problems(expr) {
			t.Errorf("%s: %s", q.at, problem)
		}
		for _, label := range regexp.MustCompile(`{{(\w+)}}`).FindAllStringSubmatch(q.legend, -1) {
			is := func(l metric.Label) bool { return l.Name == label[1] }
			if label[1] != "instance" && !slices.ContainsFunc(k.labelsOf(t, expr), is) {
				t.Errorf("%s: nothing that it reads has the label %s of its legend", q.at, label[1])
			}
		}
	}
}

func TestDashboardsAreProvisioned(t *testing.T) {
	var boards struct {
		Providers []struct {
			Type    string
			Options struct{ Path string }
		}
	}
	decode(t, "config/grafana/provisioning/dashboards/credproxy.yaml", &boards)
	if len(boards.Providers) != 1 || boards.Providers[0].Type != "file" ||
		!strings.Contains(read(t, "config/grafana/README.md"), "| `"+boards.Providers[0].Options.Path+"/` |") {
		t.Errorf("dashboards come from %+v, which is not where config/grafana/README.md has them copied", boards)
	}
	var sources struct {
		Datasources []struct {
			Type     string
			JSONData struct {
				TimeInterval string `yaml:"timeInterval"`
			} `yaml:"jsonData"`
		}
	}
	decode(t, "config/grafana/provisioning/datasources/credproxy.yaml", &sources)
	var scraping struct {
		Global struct {
			Interval string `yaml:"scrape_interval"`
		}
	}
	decode(t, "config/prometheus/prometheus.yml", &scraping)
	if len(sources.Datasources) != 1 || sources.Datasources[0].Type != "prometheus" ||
		sources.Datasources[0].JSONData.TimeInterval != scraping.Global.Interval {
		t.Errorf("data sources %+v do not go with scrapes every %s", sources, scraping.Global.Interval)
	}
}

func decode(t *testing.T, path string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, path)), into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
