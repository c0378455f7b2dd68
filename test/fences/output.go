package fences

import (
	"fmt"
	"regexp"
	"strings"
)

// sameOutput compares what a page says that a command prints with what it printed. In the page's words an ellipsis (…)
// stands for anything within a line, and alone in a line for any number of lines. How many spaces there are does not count.
func sameOutput(page []string, printed string) error {
	var pattern strings.Builder
	pattern.WriteString("^")
	for _, line := range trimmed(page) {
		if line == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		pieces := strings.Split(line, "…")
		for i := range pieces {
			pieces[i] = regexp.QuoteMeta(pieces[i])
		}
		pattern.WriteString(strings.Join(pieces, ".*") + "\n")
	}
	pattern.WriteString("$")
	got := strings.Join(append(trimmed(strings.Split(printed, "\n")), ""), "\n")
	if !regexp.MustCompile(pattern.String()).MatchString(got) {
		return fmt.Errorf("the page says that it prints\n%sand it prints\n%s", indented(strings.Join(page, "\n")), indented(printed))
	}
	return nil
}

// glob is a pattern of bash for an output, once spaces are single ones. It may match more than sameOutput does.
func glob(page []string) string {
	special := regexp.MustCompile(`[][*?\\!+@()|]`)
	return strings.ReplaceAll(special.ReplaceAllString(strings.Join(trimmed(page), "\n"), `\$0`), "…", "*")
}

// trimmed are the lines with single spaces, without empty ones at the end.
func trimmed(lines []string) []string {
	out := make([]string, 0, len(lines))
	for _, line := range lines {
		out = append(out, strings.Join(strings.Fields(line), " "))
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

func indented(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}
