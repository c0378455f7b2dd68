package docs

import (
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Who cannot see a picture reads what is on it.
func TestPicturesSayWhatIsOnThem(t *testing.T) {
	picture := regexp.MustCompile(`!\[([^\]]*)\]\(`)
	n := 0
	for path, text := range pages(t) {
		for _, m := range picture.FindAllStringSubmatch(text, -1) {
			n++
			if len(strings.Fields(m[1])) < 3 {
				t.Errorf("%s has a picture without a text that says what is on it: %q", path, m[1])
			}
		}
	}
	if n == 0 {
		t.Error("no page has a picture")
	}
}

// A drawing is whole in itself, and can be read on a light page and on a dark one.
func TestDrawingsCanBeReadAnywhere(t *testing.T) {
	n := 0
	walk(t, func(path string) {
		if !strings.HasPrefix(path, "docs/") || filepath.Ext(path) != ".svg" {
			return
		}
		n++
		text := read(t, path)
		has := elements(t, path, text)
		for _, name := range []string{"title", "desc", "style"} {
			if !has[name] {
				t.Errorf("%s has no <%s>", path, name)
			}
		}
		for _, name := range []string{"script", "image", "foreignObject", "use", "a"} {
			if has[name] {
				t.Errorf("%s has a <%s>, which a forge may not show", path, name)
			}
		}
		if !strings.Contains(text, "@media (prefers-color-scheme: dark)") {
			t.Errorf("%s is not drawn for a dark page", path)
		}
		if regexp.MustCompile(`url\(|@import|href=`).MatchString(text) {
			t.Errorf("%s refers to something else", path)
		}
	})
	if n == 0 {
		t.Error("there is no drawing")
	}
}

// elements are the names of those that a drawing has.
func elements(t *testing.T, path, text string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for decoder := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("%s is no XML: %v", path, err)
		}
		if start, ok := token.(xml.StartElement); ok {
			found[start.Name.Local] = true
		}
	}
}
