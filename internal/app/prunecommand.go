package app

import (
	"regexp"
	"strings"
)

// pruneCommand is what a person types who means the removals that a controller with these options holds back: the flags on
// which it depends what is removed.
func pruneCommand(o Options) string {
	words := []string{"controller", "apply", "--prune"}
	for _, flag := range [][2]string{{"--specs", o.Specs}, {"--instance", o.Instance}, {"--docker-host", o.DockerHost}} {
		if flag[1] != "" {
			words = append(words, flag[0], shellWord(flag[1]))
		}
	}
	return strings.Join(words, " ")
}

// plainWord is what a shell leaves as it is.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shellWord is a text as one word of a POSIX shell (2.2.2, single quotes).
func shellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
