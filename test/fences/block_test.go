package fences

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBlocksOfAPage(t *testing.T) {
	page := strings.Join([]string{
		"# Title",
		"<!-- run: with an engine -->",
		"```sh",
		"one",
		"```",
		"Words, and a block in a list:",
		"- item",
		"",
		"  <!-- not run: it takes a cloud -->",
		"",
		"  ```sh title",
		"  two",
		"    deeper",
		"",
		"  ```",
		"<!-- another comment -->",
		"````yaml",
		"```",
		"inside",
		"```",
		"````",
		"<!-- checked by: TestX -->",
		"```",
		"```",
	}, "\n")
	got, err := Read("p.md", page)
	if err != nil {
		t.Fatal(err)
	}
	want := []Block{
		{Page: "p.md", Line: 4, Language: "sh", Text: "one\n", Way: OnEngine},
		{Page: "p.md", Line: 12, Language: "sh", Text: "two\n  deeper\n\n", Way: NotRun, Why: "it takes a cloud"},
		{Page: "p.md", Line: 18, Language: "yaml", Text: "```\ninside\n```\n"},
		{Page: "p.md", Line: 24, Way: CheckedBy, Why: "TestX"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
}

func TestPagesThatCannotBeRead(t *testing.T) {
	for name, tt := range map[string]struct{ page, want string }{
		"not closed":              {"a\n```sh\nb\n", "p.md:2: the block is not closed"},
		"a comment above nothing": {"<!-- run: with an engine -->\nwords\n```sh\n```\n", "p.md:1: the comment"},
		"a comment at the end":    {"<!-- not run: x -->\n", "p.md:1: the comment"},
		"two comments":            {"<!-- not run: x -->\n<!-- not run: y -->\n```sh\n```\n", "p.md:1: the comment"},
		"an unknown way":          {"<!-- run: on the moon -->\n```sh\n```\n", "p.md:1: \"run: on the moon\" is none of"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read("p.md", tt.page)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s…", err, tt.want)
			}
		})
	}
}
