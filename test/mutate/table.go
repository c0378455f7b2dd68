package main

import (
	"errors"
	"fmt"
	"strings"
)

// width is that of the table's column of names, in characters.
const width = 110

// table shows which attacks catch the lack of each protection.
func table(rows []row) string {
	var b strings.Builder
	b.WriteString("What is switched off, and the attacks and tests that catch it\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "\n%s (%s)\n", r.name, r.file)
		switch {
		case r.err != nil:
			fmt.Fprintf(&b, "    NOT KNOWN: %v\n", r.err)
		case len(r.caught) == 0:
			b.WriteString("    NOTHING\n")
		default:
			for _, line := range wrapped(fmt.Sprintf("%d: %s", len(r.caught), strings.Join(r.caught, "; "))) {
				fmt.Fprintf(&b, "    %s\n", line)
			}
		}
	}
	return b.String()
}

func wrapped(text string) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// judge fails for a protection that could be missing without anybody noticing, and for one of which that is not known.
func judge(rows []row) error {
	var empty, unknown []string
	for _, r := range rows {
		switch {
		case r.err != nil:
			unknown = append(unknown, r.name)
		case len(r.caught) == 0:
			empty = append(empty, r.name)
		}
	}
	var all []error
	if len(empty) > 0 {
		all = append(all, fmt.Errorf("nothing would notice if these were missing: %s", strings.Join(empty, "; ")))
	}
	if len(unknown) > 0 {
		all = append(all, fmt.Errorf("of these it is not known: %s", strings.Join(unknown, "; ")))
	}
	return errors.Join(all...)
}
