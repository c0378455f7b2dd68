package dockerdriver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/routetable"
)

func TestWhatASidecarSaysOfItsTokensIsBounded(t *testing.T) {
	good := routetable.Rejection{Route: "/api", Count: 3}
	many := make([]routetable.Rejection, 3*routetable.MaxRejected)
	for i := range many {
		many[i] = routetable.Rejection{Route: fmt.Sprintf("/%d", i), Count: 1}
	}
	for name, c := range map[string]struct {
		said string
		want []routetable.Rejection
	}{
		"as it should":      {`[{"route":"/api","count":3}]`, []routetable.Rejection{good}},
		"too many":          {list(many), many[:routetable.MaxRejected]},
		"no count":          {`[{"route":"/x"},{"route":"/api","count":3}]`, []routetable.Rejection{good}},
		"less than nothing": {`[{"route":"/x","count":-9223372036854775808},{"route":"/api","count":3}]`, []routetable.Rejection{good}},
		"no route":          {`[{"count":3}]`, nil},
		"to be seen only":   {`[{"route":"/a\u001b[2Jpi","count":3},{"route":"/a\u202epi","count":3}]`, nil},
		"longer than any":   {`[{"route":"/` + strings.Repeat("a", maxShown) + `","count":3}]`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, s := speaking(t)
			if !s.hear([]byte(`{"event":"state","generation":1,"serving":true,"rejected":` + c.said + `}`)) {
				t.Error("the first report is no news")
			}
			if diff := cmp.Diff(c.want, s.last().Rejected, cmp.Transformer("nil", func(r []routetable.Rejection) []routetable.Rejection {
				return append([]routetable.Rejection{}, r...)
			})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func list(all []routetable.Rejection) string {
	items := make([]string, len(all))
	for i, r := range all {
		items[i] = fmt.Sprintf(`{"route":%q,"count":%d}`, r.Route, r.Count)
	}
	return "[" + strings.Join(items, ",") + "]"
}

func TestACountThatGrowsIsNoNews(t *testing.T) {
	_, s := speaking(t)
	for i, c := range []struct {
		rejected []routetable.Rejection
		news     bool
	}{
		{nil, true},
		{nil, false},
		{[]routetable.Rejection{{Route: "/api", Count: 1}}, true},
		{[]routetable.Rejection{{Route: "/api", Count: 7}}, false},
		{[]routetable.Rejection{{Route: "/api", Count: 7}, {Route: "/git", Count: 1}}, true},
		{nil, true},
	} {
		report := routetable.Report{Event: routetable.EventState, Generation: 1, Serving: true, Rejected: c.rejected}
		if got := s.hear(report.Line()); got != c.news {
			t.Errorf("report %d is news: %v", i, got)
		}
		if diff := cmp.Diff(report, *s.last()); diff != "" {
			t.Errorf("report %d is kept as (-said +kept)\n%s", i, diff)
		}
	}
}
