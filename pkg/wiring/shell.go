package wiring

import "strings"

// shellWord is a value as a person types it into a POSIX shell, with the key in it from the shell's own variable. A spec's author
// may have chosen parts of it.
func shellWord(value string) string {
	var b strings.Builder
	for i, part := range strings.Split(value, keyRef) {
		if i > 0 {
			b.WriteString(`"$` + KeyVariable + `"`)
		}
		switch {
		case part == "":
		case !strings.ContainsFunc(part, needsQuotes):
			b.WriteString(part)
		default:
			b.WriteString("'" + strings.ReplaceAll(part, "'", `'\''`) + "'")
		}
	}
	return b.String()
}
