package dashboards

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// board is what Grafana reads of a dashboard, as far as it is checked here.
type board struct {
	UID           string `json:"uid"`
	SchemaVersion int    `json:"schemaVersion"`
	Templating    struct {
		List []struct{ Name, Type string }
	}
	Links  []struct{ URL string }
	Panels []tile
}

type tile struct {
	ID                       int
	Type, Title, Description string
	GridPos                  struct{ X, Y, W, H int }
	Datasource               struct{ Type, UID string }
	Targets                  []struct {
		RefID, Expr string
		Datasource  struct{ UID string }
	}
	FieldConfig struct {
		Defaults struct {
			Unit       string
			Min        *float64
			Mappings   []json.RawMessage
			Thresholds struct {
				Steps []struct {
					Value *float64
					Color string
				}
			}
			Links []struct{ URL string }
		}
		Overrides []struct {
			Properties []struct {
				ID    string
				Value json.RawMessage
			}
		}
	}
}

func boards(t *testing.T) map[string]board {
	t.Helper()
	files, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]board{}
	for name, content := range files {
		var b board
		if err := json.Unmarshal(content, &b); err != nil {
			t.Fatal(err)
		}
		found[name] = b
	}
	return found
}

func TestGrafanasOwnTypesTakeTheDashboards(t *testing.T) {
	known := cog.NewRuntime()
	known.RegisterPanelcfgVariant(stat.VariantConfig())
	known.RegisterPanelcfgVariant(statetimeline.VariantConfig())
	known.RegisterPanelcfgVariant(table.VariantConfig())
	known.RegisterPanelcfgVariant(timeseries.VariantConfig())
	known.RegisterDataqueryVariant(prometheus.VariantConfig())
	files, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		var d dashboard.Dashboard
		if err := d.UnmarshalJSONStrict(content); err != nil && err.Error() != "" { // it may be a list of no errors
			t.Errorf("%s: %v", name, err)
		}
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEachDashboardHasWhatChoosesAndStaysAtItsPlace(t *testing.T) {
	want := map[string]string{"fleet.json": FleetUID, "environment.json": EnvironmentUID}
	got := boards(t)
	if len(got) != len(want) {
		t.Errorf("there are %d dashboards, want %d", len(got), len(want))
	}
	for name, uid := range want {
		if got[name].UID != uid || got[name].SchemaVersion != schemaVersion {
			t.Errorf("%s: uid %q, schema %d", name, got[name].UID, got[name].SchemaVersion)
		}
		var variables []string
		for _, v := range got[name].Templating.List {
			variables = append(variables, v.Name+" "+v.Type)
		}
		if want := []string{"datasource datasource", "instance query", "name query"}; !slices.Equal(variables, want) {
			t.Errorf("%s: variables %q, want %q", name, variables, want)
		}
	}
}

func TestEachPanelSaysWhatItShows(t *testing.T) {
	for name, b := range boards(t) {
		ids := map[int]bool{}
		for _, p := range b.Panels {
			at := fmt.Sprintf("%s: panel %d, %s", name, p.ID, p.Title)
			if ids[p.ID] || p.ID == 0 {
				t.Errorf("%s: its id is not its own", at)
			}
			ids[p.ID] = true
			if p.Type == "row" {
				continue
			}
			if p.Title == "" || !strings.HasSuffix(p.Description, ".") || len(p.Description) < 20 || p.FieldConfig.Defaults.Unit == "" {
				t.Errorf("%s: title %q, description %q, unit %q", at, p.Title, p.Description, p.FieldConfig.Defaults.Unit)
			}
			checkThresholds(t, at, p)
			checkBottom(t, at, p)
			if judged, plain := p.judges(), slices.Contains(onlyAmounts()[name], p.Title); judged == plain {
				t.Errorf("%s: it says what is good and what is not: %v; it is among those that cannot: %v", at, judged, plain)
			}
			checkTargets(t, at, p)
		}
	}
}

// checkThresholds wants a colour below all, and limits in ascending order.
func checkThresholds(t *testing.T, at string, p tile) {
	t.Helper()
	steps := p.FieldConfig.Defaults.Thresholds.Steps
	if len(steps) == 0 || steps[0].Value != nil {
		t.Errorf("%s: no colour below all thresholds", at)
		return
	}
	for i, step := range steps[1:] {
		if step.Value == nil || i > 0 && *step.Value <= *steps[i].Value {
			t.Errorf("%s: thresholds are not in order", at)
		}
	}
}

// onlyAmounts are the panels of each dashboard whose amounts are neither good nor bad by themselves.
func onlyAmounts() map[string][]string {
	return map[string][]string{
		"fleet.json":       {"Ready", "Sidecars by state", "Calls of token providers"},
		"environment.json": {"Requests", "In flight", "Requests by route", "Requests by answer", "Bytes", "Credentials added", "Steps taken"},
	}
}

// judges reports whether a panel says which of its values are good: by thresholds, by words, or in a column.
func (p tile) judges() bool {
	shown := p.FieldConfig.Defaults
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if property.ID == "thresholds" || property.ID == "mappings" {
				return true
			}
		}
	}
	return len(shown.Thresholds.Steps) > 1 || len(shown.Mappings) > 0
}

// checkBottom wants curves and bars to begin at zero, unless what is below it is bad: that has to be seen.
func checkBottom(t *testing.T, at string, p tile) {
	t.Helper()
	steps, least := p.FieldConfig.Defaults.Thresholds.Steps, p.FieldConfig.Defaults.Min
	if p.Type != "timeseries" || len(steps) == 0 {
		return
	}
	badBelow := steps[0].Color == bad
	if badBelow && least != nil {
		t.Errorf("%s: what is below zero is bad, and cannot be seen: the least is %v", at, *least)
	}
	if !badBelow && (least == nil || *least != 0) {
		t.Errorf("%s: it does not begin at zero", at)
	}
}

func checkTargets(t *testing.T, at string, p tile) {
	t.Helper()
	if p.Datasource.Type != "prometheus" || p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
		t.Errorf("%s: data source %+v, %d queries", at, p.Datasource, len(p.Targets))
	}
	refs := map[string]bool{}
	for _, target := range p.Targets {
		if refs[target.RefID] || target.RefID == "" || target.Expr == "" || target.Datasource.UID != "${datasource}" {
			t.Errorf("%s: query %+v", at, target)
		}
		refs[target.RefID] = true
	}
}

func TestPanelsDoNotOverlapAndFillTheirLines(t *testing.T) {
	for name, b := range boards(t) {
		taken, widths := map[[2]int]string{}, map[int]int{}
		for _, p := range b.Panels {
			widths[p.GridPos.Y] += p.GridPos.W
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" {
						t.Fatalf("%s: %s lies on %s", name, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
		for y, width := range widths {
			if width != 24 {
				t.Errorf("%s: the panels at %d are %d wide, want 24", name, y, width)
			}
		}
	}
}

func TestLinksLeadToDashboardsAndChooseWhatTheyHave(t *testing.T) {
	variables := map[string][]string{}
	for _, b := range boards(t) {
		for _, v := range b.Templating.List {
			variables[b.UID] = append(variables[b.UID], "var-"+v.Name)
		}
	}
	for name, b := range boards(t) {
		links := linksOf(t, b)
		for _, link := range links {
			checkLink(t, name, link, variables)
		}
		other := EnvironmentUID
		if b.UID == EnvironmentUID {
			other = FleetUID
		}
		if !slices.ContainsFunc(links, func(l string) bool { return strings.HasPrefix(l, "/d/"+other+"?") }) {
			t.Errorf("%s does not lead to %s", name, other)
		}
	}
}

func checkLink(t *testing.T, name, link string, variables map[string][]string) {
	t.Helper()
	where, query, _ := strings.Cut(link, "?")
	known, ok := variables[strings.TrimPrefix(where, "/d/")]
	if !ok {
		t.Errorf("%s: %s leads nowhere", name, link)
	}
	query, keepsTime := strings.CutSuffix(query, "&${__url_time_range}")
	if !keepsTime {
		t.Errorf("%s: %s does not keep the time", name, link)
	}
	chosen, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	for variable, value := range chosen {
		if !slices.Contains(known, variable) || !strings.HasPrefix(value[0], "${") {
			t.Errorf("%s: %s chooses %s=%s", name, link, variable, value[0])
		}
	}
}

// linksOf are those of a dashboard, of its panels, and of columns of its tables.
func linksOf(t *testing.T, b board) (urls []string) {
	t.Helper()
	for _, l := range b.Links {
		urls = append(urls, l.URL)
	}
	for _, p := range b.Panels {
		for _, l := range p.FieldConfig.Defaults.Links {
			urls = append(urls, l.URL)
		}
		for _, o := range p.FieldConfig.Overrides {
			for _, property := range o.Properties {
				if property.ID != "links" {
					continue
				}
				var links []struct{ URL string }
				if err := json.Unmarshal(property.Value, &links); err != nil {
					t.Fatal(err)
				}
				urls = append(urls, links[0].URL)
			}
		}
	}
	return urls
}
