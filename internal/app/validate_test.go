package app

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/source"
)

func TestSpecsThatCannotBeInForceTogetherAreProblemsOfBoth(t *testing.T) {
	dir, more := t.TempDir(), t.TempDir()
	named := func(name string, networks ...string) string {
		return strings.NewReplacer(append([]string{"name: web", "name: " + name}, networks...)...).Replace(goodSpec)
	}
	write(t, dir, "web.yaml", goodSpec)
	write(t, dir, "alone.yaml", named("alone", "web-internal", "a-internal", "web-egress", "a-egress"))
	write(t, more, "through.yaml", "# a comment\n"+named("through", "web-internal", "t-internal", "web-egress", "web-internal"))
	snap, err := Validate([]string{dir, more}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, file := range snap.Files {
		for _, p := range file.Errors {
			got = append(got, filepath.Base(file.Path)+" "+string(file.State)+" "+p.String()[strings.LastIndex(p.File, "/")+1:])
		}
	}
	const why = `network "web-internal" is the way out of one environment and the inside of another, with spec `
	const mend = `; give one of them another network`
	want := []string{
		"through.yaml Invalid through.yaml:4: " + why + `"web"` + mend, "web.yaml Invalid web.yaml:3: " + why + `"through"` + mend,
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if again, _ := Validate([]string{dir}, Options{}); again.Files[1].State != source.FileValid {
		t.Errorf("without the other file: %+v", again.Files)
	}
}
