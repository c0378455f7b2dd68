package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/terminal"
)

// widestHelp is the width beyond which lines are hard to read, however wide a terminal is.
const widestHelp = 120

// fitHelp wraps the help of all verbs for a terminal; for anything else it stays as it was written.
func fitHelp(root *cobra.Command, to io.Writer) {
	width := terminal.Width(to, widestHelp, 0)
	if width == 0 {
		return
	}
	write := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		var whole strings.Builder
		cmd.SetOut(&whole)
		write(cmd, args)
		cmd.SetOut(to)
		_, _ = io.WriteString(to, fitted(whole.String(), width)) // a reader that goes ends the verb
	})
}

// fitted has the lines of each paragraph as long as fits, and what an entry of a list says wrapped beside it or below it. Other lines
// that are indented, and those of usage and examples, stay as they are: they are to be copied.
func fitted(help string, width int) string {
	var lines, paragraph []string
	end := func() {
		if len(paragraph) > 0 {
			lines = append(lines, terminal.Wrap(strings.Join(paragraph, " "), width)...)
		}
		paragraph = nil
	}
	copied := false
	for line := range strings.SplitSeq(help, "\n") {
		copied = line != "" && (copied || line == "Usage:" || line == "Examples:")
		if line != "" && !copied && line[0] != ' ' {
			paragraph = append(paragraph, line)
			continue
		}
		end()
		if name, says := entryOf(line); says != "" && !copied {
			line = beside(name, says, width)
		}
		lines = append(lines, line)
	}
	end()
	return strings.Join(lines, "\n")
}

// entryOf parts a line of a list: a verb or a flag, at least two spaces, and what it is. It is empty for other lines.
func entryOf(line string) (name, says string) {
	indent := len(line) - len(strings.TrimLeft(line, " "))
	gap := strings.Index(line[indent:], "  ")
	if indent == 0 || gap < 0 {
		return "", ""
	}
	says = strings.TrimLeft(line[indent+gap:], " ")
	return line[:len(line)-len(says)], says
}

// beside wraps what an entry says: below its name where there is no room beside.
func beside(name, says string, width int) string {
	if width-terminal.Cells(name) >= leastBeside {
		return terminal.Hang(name, says, width)
	}
	return strings.TrimRight(name, " ") + "\n" + terminal.Hang("          ", says, width)
}
