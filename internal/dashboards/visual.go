package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// build makes Grafana's panel.
func (p panel) build(id uint32) cog.Builder[dashboard.Panel] {
	switch p.kind {
	case number:
		return described(stat.NewPanelBuilder(), p, id).ColorMode(common.BigValueColorModeBackground).
			GraphMode(common.BigValueGraphModeNone).Orientation(common.VizOrientationAuto).
			ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"}))
	case rows:
		return p.buildTable(id)
	case states:
		return described(statetimeline.NewPanelBuilder(), p, id).ShowValue(common.VisibilityModeNever).MergeValues(true)
	case bars:
		return p.buildCurves(id).DrawStyle(common.GraphDrawStyleBars).FillOpacity(80).
			Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal).Group("A"))
	default:
		return p.buildCurves(id)
	}
}

func (p panel) buildCurves(id uint32) *timeseries.PanelBuilder {
	b := described(timeseries.NewPanelBuilder(), p, id).LineWidth(1).FillOpacity(5).ShowPoints(common.VisibilityModeNever).
		Legend(common.NewVizLegendOptionsBuilder().ShowLegend(true).Placement(common.LegendPlacementBottom).
			DisplayMode(common.LegendDisplayModeList).Calcs([]string{"lastNotNull", "max"})).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
	if !p.fallsBelowZero() {
		b.Min(0)
	}
	if len(p.limits) > 0 {
		b.ThresholdsStyle(common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeDashed))
	}
	return b
}

// builder is what the builders of all kinds of Grafana's panels have.
type builder[B any] interface {
	Id(id uint32) B
	Title(title string) B
	Description(description string) B
	Datasource(ref common.DataSourceRef) B
	Span(width uint32) B
	Height(height uint32) B
	Unit(unit string) B
	Thresholds(thresholds cog.Builder[dashboard.ThresholdsConfig]) B
	Mappings(mappings []dashboard.ValueMapping) B
	DataLinks(links []cog.Builder[dashboard.DashboardLink]) B
	WithTarget(target cog.Builder[variants.Dataquery]) B
}

// described gives a panel what all kinds have.
func described[B builder[B]](b B, p panel, id uint32) B {
	b.Id(id).Title(p.title).Description(p.about).Datasource(dataSource()).Span(p.width).Height(p.height).
		Unit(p.unit).Thresholds(thresholds(p.limits)).Mappings(mappings(p.words))
	if p.toEnvironment && p.kind != rows {
		b.DataLinks([]cog.Builder[dashboard.DashboardLink]{
			dashboard.NewDashboardLinkBuilder("Environment ${__field.labels.name}").
				Url(environmentURL("${__field.labels.instance}", "${__field.labels.name}")),
		})
	}
	for i, q := range p.queries {
		b.WithTarget(q.build(letter(i), p.kind == rows || p.kind == number, p.kind == rows))
	}
	return b
}

// letter is how Grafana calls the queries of a panel.
func letter(i int) string { return string(rune('A' + i)) }

// build makes Grafana's query: of one moment, or of the time that is shown.
func (q query) build(id string, now, asTable bool) cog.Builder[variants.Dataquery] {
	b := prometheus.NewDataqueryBuilder().RefId(id).Expr(q.expr).LegendFormat(q.legend).Datasource(dataSource())
	if asTable {
		b.Format(prometheus.PromQueryFormatTable)
	}
	if now {
		return b.Instant()
	}
	return b.Range()
}
