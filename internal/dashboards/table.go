package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/table"
)

// buildTable makes a line of each set of labels, with the values of all queries, and shows the columns alone.
func (p panel) buildTable(id uint32) cog.Builder[dashboard.Panel] {
	b := described(table.NewPanelBuilder(), p, id).ShowHeader(true).Filterable(true).
		Footer(common.NewTableFooterOptionsBuilder().Show(false).Reducer([]string{"sum"}).Fields([]string{}))
	if len(p.queries) > 1 {
		b.WithTransformation(dashboard.DataTransformerConfig{Id: "merge", Options: map[string]any{}})
	}
	order := map[string]int{}
	var names []string
	for i, c := range p.columns {
		order[c.field] = i
		names = append(names, c.field)
		properties := c.properties()
		if p.toEnvironment && c.field == "name" {
			properties = append(properties, dashboard.DynamicConfigValue{Id: "links", Value: []map[string]any{{
				"title": "Environment ${__data.fields.name}", "url": environmentURL("${__data.fields.instance}", "${__data.fields.name}"),
			}}})
		}
		b.OverrideByName(c.field, properties)
	}
	b.WithTransformation(dashboard.DataTransformerConfig{Id: "filterFieldsByName", Options: map[string]any{
		"include": map[string]any{"names": names},
	}})
	return b.WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{"indexByName": order}})
}
