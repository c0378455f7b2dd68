package cli

import (
	"fmt"
	"io"
	"strings"

	"credproxy.dev/controller/internal/web"
)

// mostFiles is how many bad files status names.
const mostFiles = 10

// tellSources says which files the controller cannot use, a line for each, and why it cannot read all of them. It
// reports whether there was anything to say. Of a file whose last good version is in force the spec's own line tells.
func tellSources(w io.Writer, list web.SourceList) (wrong bool) {
	if list.ScanError != "" {
		fmt.Fprintf(w, "not everything could be read, so nothing is removed: %s\n", clean(strings.ReplaceAll(list.ScanError, "\n", "; ")))
	}
	lines := unusable(list)
	const advice = "`controller validate DIR` shows all"
	switch n := len(lines); {
	case n == 1:
		fmt.Fprintf(w, "1 file cannot be used: %s; %s\n", lines[0], advice)
	case n > 1:
		fmt.Fprintf(w, "%d files cannot be used; %s\n", n, advice)
		for _, line := range lines[:min(n, mostFiles)] {
			fmt.Fprintf(w, "  %s\n", line)
		}
		if n > mostFiles {
			fmt.Fprintf(w, "  and %d more\n", n-mostFiles)
		}
	}
	return list.ScanError != "" || len(lines) > 0
}

// unusable has the first problem of each bad file without a last good version, and how many more it has.
func unusable(list web.SourceList) (lines []string) {
	for _, file := range list.Items {
		if len(file.Errors) == 0 || file.LastGood {
			continue
		}
		first := file.Errors[0]
		first.File = file.Path
		line := clean(strings.ReplaceAll(first.String(), "\n", " "))
		if more := len(file.Errors) - 1; more > 0 {
			line += fmt.Sprintf(" (and %d more)", more)
		}
		lines = append(lines, line)
	}
	return lines
}
