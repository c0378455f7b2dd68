package routetable

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatRoutesLetPassArrives(t *testing.T) {
	table := sampleTable()
	table.Routes = append(table.Routes, []Route{
		{
			Path: "/bounded", Upstream: "https://example.org", Methods: []string{"GET"}, Mode: ModeWarn,
			Paths:  &Paths{Allow: []string{"/", "/@a%2f*"}, Deny: []string{"/a/**"}},
			Limits: &Limits{HeaderBytes: 1, BodyBytes: 2, ConcurrentRequests: 3, RequestsPerMinute: 4, BodyTimeout: 5, IdleTimeout: 6},
		},
		{Path: "/repositories", Upstream: "https://example.org", Git: &Git{Fetch: true, Push: []string{"a/b", "**"}}},
	}...)
	sealed, files := seal(t, table, 1, sampleTokens())
	loaded, err := Load(volume(files...), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	sealed.Key = nil
	if diff := cmp.Diff(sealed, loaded.Table); diff != "" {
		t.Errorf("the table changed on its way (-sealed +loaded):\n%s", diff)
	}
}
