package reconcile

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryReasonIsListed(t *testing.T) {
	text, err := os.ReadFile("reasons.go")
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	for _, m := range regexp.MustCompile(`(?m)^\tReason\w+\s+= "(\w+)"`).FindAllStringSubmatch(string(text), -1) {
		declared = append(declared, m[1])
	}
	listed := Reasons()
	slices.Sort(declared)
	slices.Sort(listed)
	if diff := cmp.Diff(declared, listed); diff != "" {
		t.Errorf("reasons (-declared +listed):\n%s", diff)
	}
	for _, reason := range []string{"TokenMissing", "Reloaded", "Mended", "Gone"} {
		if !slices.Contains(EventReasons(), reason) {
			t.Errorf("no event has the reason %s", reason)
		}
	}
}
