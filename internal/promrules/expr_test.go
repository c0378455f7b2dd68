package promrules

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatAnExpressionCompares(t *testing.T) {
	tests := []struct {
		name, expr string
		want       []string
	}{
		{"nothing", `rate(a[5m])`, []string{`rate(a[5m])`}},
		{"with a number", `a{x="y"} == 0`, []string{`a{x="y"}`}},
		{"with a number that is worked out", `a > 10 / 600`, []string{`a`}},
		{"a number with it", `300 < time() - a`, []string{`time() - a`}},
		{"two", `a - time() < (a - b) / 2 and a > 0`, []string{`a - time()`, `(a - b) / 2`, `a`}},
		{"a set", `a > 0 unless increase(b[5m]) > 0`, []string{`a`, `increase(b[5m])`}},
		{"absence", `absent(up{job="j"})`, []string{`up{job="j"}`}},
		{"within a subquery", `count_over_time((a > 0)[1h:5m]) >= 6`, []string{`count_over_time((a)[1h:5m])`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Compared(tt.expr)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatAnExpressionReads(t *testing.T) {
	got, err := Selectors(`sum by (x) (rate(a{x=~"b|c"}[5m])) / on (x) d and absent(e{y="z"})`)
	if err != nil {
		t.Fatal(err)
	}
	var read []string
	for _, s := range got {
		words := s.Metric
		for _, m := range s.Matchers {
			words += " " + m.String()
		}
		read = append(read, words)
	}
	if diff := cmp.Diff([]string{`a x=~"b|c"`, "d", `e y="z"`}, read); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExpressionsThatAreNone(t *testing.T) {
	if _, err := Selectors("sum by ("); err == nil {
		t.Error("Selectors takes anything")
	}
	if _, err := Compared("sum by ("); err == nil {
		t.Error("Compared takes anything")
	}
}
