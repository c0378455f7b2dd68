package dashboards

import (
	"math"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// thresholds are those of limits. Below the first it is good; without any there is one colour, which says nothing.
func thresholds(limits []limit) cog.Builder[dashboard.ThresholdsConfig] {
	base := good
	if len(limits) == 0 {
		base = neutral
	}
	if len(limits) > 0 && math.IsInf(limits[0].from, -1) {
		base, limits = limits[0].colour, limits[1:]
	}
	steps := []dashboard.Threshold{{Color: base}} // no value is all that is below
	for _, l := range limits {
		steps = append(steps, dashboard.Threshold{Value: &l.from, Color: l.colour})
	}
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(steps)
}

// mappings put words in place of values.
func mappings(words []word) []dashboard.ValueMapping {
	if len(words) == 0 {
		return []dashboard.ValueMapping{}
	}
	options := map[string]dashboard.ValueMappingResult{}
	for i, w := range words {
		index := int32(i)
		options[w.value] = dashboard.ValueMappingResult{Text: &w.text, Color: &w.colour, Index: &index}
	}
	return []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{Type: "value", Options: options}}}
}

// properties are what a column has of its own.
func (c column) properties() []dashboard.DynamicConfigValue {
	found := []dashboard.DynamicConfigValue{{Id: "displayName", Value: c.title}}
	if c.unit != "" {
		found = append(found, dashboard.DynamicConfigValue{Id: "unit", Value: c.unit})
	}
	if len(c.words) > 0 {
		found = append(found, dashboard.DynamicConfigValue{Id: "mappings", Value: mappings(c.words)})
	}
	if len(c.limits) > 0 {
		config, _ := thresholds(c.limits).Build() // nothing in it can be refused
		found = append(found, dashboard.DynamicConfigValue{Id: "thresholds", Value: config})
	}
	if len(c.words)+len(c.limits) > 0 {
		found = append(found, dashboard.DynamicConfigValue{Id: "custom.cellOptions", Value: map[string]string{"type": "color-text"}})
	}
	return found
}
