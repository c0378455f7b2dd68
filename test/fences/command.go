package fences

import (
	"regexp"
	"strings"
)

// Command is one command line of the controller in a text.
type Command struct {
	// Line is the number of the text's line on which it begins; 1 is the first.
	Line int
	// Args are its words behind the program's name.
	Args []string
}

// called finds the program where a shell would run it: at the beginning, or behind what ends another command, takes one as
// its arguments, or sets a variable for it. The word behind it is a verb or a flag.
var called = regexp.MustCompile(`(?:^|[\s|&;(/])controller((?:[ \t]+|\\\n)+(?:[a-z]|--)(?:\\\n|[^|&;<>()#\n])*)`)

// Commands finds the controller's command lines in a text of a shell.
func Commands(text string) (found []Command) {
	for _, m := range called.FindAllStringSubmatchIndex(text, -1) {
		line := text[m[2]:m[3]]
		if strings.HasPrefix(text[m[3]:], ">") {
			line = strings.TrimRight(line, "0123456789") // of a descriptor that is redirected
		}
		args := words(strings.ReplaceAll(line, "\\\n", " "))
		found = append(found, Command{Line: 1 + strings.Count(text[:m[2]], "\n"), Args: args})
	}
	return found
}

// words are those of a command line; quotes keep spaces, and go.
func words(line string) (out []string) {
	for _, m := range regexp.MustCompile(`(?:'[^']*'|"[^"]*"|[^\s'"])+`).FindAllString(line, -1) {
		out = append(out, strings.NewReplacer("'", "", `"`, "").Replace(m))
	}
	return out
}
