package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const printed = `goos: linux
pkg: credproxy.dev/controller/internal/page
BenchmarkPage2000/search-2         	      10	 104000000 ns/op	    401230 bytes	       104.0 ms/page	52000000 B/op	  400000 allocs/op
BenchmarkPage2000/one-2            	     100	  12500000 ns/op
BenchmarkPage2000/all-2            	       4	 350000000 ns/op
PASS
`

func TestThePageIsHeldToItsGoal(t *testing.T) {
	figures, err := figuresOf("BenchmarkPage2000", printed)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := pageRows(figures)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	table(rows).print(&out, "2 cores")
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{"2 cores", "", "FIGURE OURS BESIDE RATIO GOAL",
		"page of 2,000 environments, the list 350 ms ≤ 300 ms MISSED", "page of 2,000 environments, a search 104 ms ≤ 300 ms holds",
		"page of 2,000 environments, one of them 12.5 ms ≤ 300 ms holds"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAPageWithoutATimeIsToldAsThat(t *testing.T) {
	if rows, err := pageRows([]figure{{"BenchmarkPage2000/all-2", 1, "ns/op"}}); err == nil {
		t.Errorf("it gives %v", rows)
	}
}

func TestPartsAreFoundByTheirKeys(t *testing.T) {
	err := run(t.Context(), []string{"pgae"})
	for _, p := range parts() {
		if err == nil || !strings.Contains(err.Error(), p.key) {
			t.Errorf("%v does not name %s", err, p.key)
		}
	}
}
