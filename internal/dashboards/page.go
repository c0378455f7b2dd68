package dashboards

import (
	"net/url"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// The identities of the dashboards. Links lead to them, so they stay.
const (
	FleetUID       = "credproxy-fleet"
	EnvironmentUID = "credproxy-environment"
)

// schemaVersion is that of Grafana 10.0. Later ones bring a dashboard up to theirs when they read it.
const schemaVersion = 38

// page is a dashboard.
type page struct {
	uid, title, about string
	variables         []variable
	links             []link
	rows              []row
}

// row is a heading and what belongs to it.
type row struct {
	title  string
	panels []panel
}

// variable is what people choose at the top.
type variable struct {
	name, label string
	// query lists what there is to choose.
	query string
	// several may be chosen, and all of them are at first.
	several bool
}

// link leads to another dashboard.
type link struct{ title, url, about string }

// fleetURL leads to the fleet of a controller, and environmentURL to one environment. Both keep the data source and the time
// that is shown.
func fleetURL(instance string) string {
	return dashboardURL(FleetUID, [2]string{"instance", instance})
}

func environmentURL(instance, name string) string {
	return dashboardURL(EnvironmentUID, [2]string{"instance", instance}, [2]string{"name", name})
}

// dashboardURL has the values of variables, which Grafana puts in: nothing of them is escaped here.
func dashboardURL(uid string, values ...[2]string) string {
	to := url.URL{Path: "/d/" + uid}
	query := "var-datasource=${datasource}"
	for _, v := range values {
		query += "&var-" + v[0] + "=" + v[1]
	}
	return to.String() + "?" + query + "&${__url_time_range}"
}

// build makes Grafana's dashboard of a page.
func (p page) build() (dashboard.Dashboard, error) {
	b := dashboard.NewDashboardBuilder(p.title).Uid(p.uid).Description(p.about).Tags([]string{"credproxy"}).
		Time("now-6h", "now").Refresh("30s").Timezone("browser").Editable().Tooltip(dashboard.DashboardCursorSyncCrosshair).
		WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").Type("prometheus"))
	for _, v := range p.variables {
		b.WithVariable(v.build())
	}
	for _, l := range p.links {
		b.Link(dashboard.NewDashboardLinkBuilder(l.title).Type(dashboard.DashboardLinkTypeLink).Url(l.url).Tooltip(l.about).Icon("dashboard"))
	}
	id := uint32(0)
	for _, r := range p.rows {
		id++
		b.WithRow(dashboard.NewRowBuilder(r.title).Id(id))
		for _, panel := range r.panels {
			id++
			b.WithPanel(panel.build(id))
		}
	}
	made, err := b.Build()
	made.SchemaVersion = schemaVersion
	return made, err
}

func (v variable) build() cog.Builder[dashboard.VariableModel] {
	b := dashboard.NewQueryVariableBuilder(v.name).Label(v.label).Datasource(dataSource()).
		Query(dashboard.StringOrMap{String: &v.query}).Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
		Sort(dashboard.VariableSortAlphabeticalAsc)
	if v.several {
		b.Multi(true).IncludeAll(true).AllValue(".*").Current(dashboard.VariableOption{
			Text: dashboard.StringOrArrayOfString{String: cog.ToPtr("All")}, Value: dashboard.StringOrArrayOfString{String: cog.ToPtr("$__all")},
		})
	}
	return b
}

// dataSource is the one that is chosen at the top.
func dataSource() common.DataSourceRef {
	return common.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("${datasource}")}
}
