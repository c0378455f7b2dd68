package docs

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/test/leakhunt"
)

// Where a token may be found is said in the same words to people, and to the hunt that holds that it is nowhere else.
func TestSecuritySaysWhereTokensAreFound(t *testing.T) {
	_, section, found := strings.Cut(read(t, "SECURITY.md"), "\n### Where the hunt finds tokens\n")
	if !found {
		t.Fatal("SECURITY.md has no such section")
	}
	section, _, _ = strings.Cut(section, "\n#")
	var said []leakhunt.Place
	for _, row := range regexp.MustCompile(`(?m)^\| (.+?) \| .+ \|$`).FindAllStringSubmatch(section, -1) {
		said = append(said, leakhunt.Place(row[1]))
	}
	if len(said) == 0 || said[0] != "place" {
		t.Fatalf("its table is not understood: %q", said)
	}
	if diff := cmp.Diff(leakhunt.Places(), said[1:]); diff != "" {
		t.Errorf("places (-of the hunt, +in SECURITY.md):\n%s", diff)
	}
}
