package generated

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root = "../.."

func TestWhatIsMadeFromTheCodeIsWhatIsThere(t *testing.T) {
	files, err := Files(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		is, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file.Path)))
		if err != nil {
			t.Errorf("%v; run make generate", err)
			continue
		}
		if diff := cmp.Diff(string(file.Content), string(is)); diff != "" {
			t.Errorf("%s is not what the code makes; run make generate (-of the code +there):\n%s", file.Path, diff)
		}
	}
}

func TestPartsOfAPageAreFilled(t *testing.T) {
	const page = "above\n<!-- made from the code: a -->\nold\n<!-- end of what is made -->\nbetween\n" +
		"  <!-- made from the code: b -->\n<!-- end of what is made -->\nbelow\n"
	got, err := Fill(page, map[string]string{"a": "new\n", "b": "other\n"})
	if err != nil {
		t.Fatal(err)
	}
	want := "above\n<!-- made from the code: a -->\nnew\n<!-- end of what is made -->\nbetween\n" +
		"  <!-- made from the code: b -->\nother\n<!-- end of what is made -->\nbelow\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again, err := Fill(got, map[string]string{"a": "new\n", "b": "other\n"})
	if err != nil || again != got {
		t.Errorf("filled again, it is %q, %v", again, err)
	}
}

func TestPagesThatCannotBeFilled(t *testing.T) {
	const begin, end = "<!-- made from the code: a -->\n", "<!-- end of what is made -->\n"
	tests := []struct{ name, page, want string }{
		{"no place", "text\n", "a has no place"},
		{"no end", begin + "text\n", "the place of a has no end"},
		{"no end before another", begin + "<!-- made from the code: b -->\n" + end, "the place of a has no end"},
		{"two places", begin + end + begin + end, "nothing is made for the place of a, or it has another"},
		{"no part", begin + end + "<!-- made from the code: b -->\n" + end, "nothing is made for the place of b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Fill(tt.page, map[string]string{"a": "new\n"})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v does not say %q", err, tt.want)
			}
		})
	}
}
