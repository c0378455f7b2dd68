// Package manpage writes manual pages, as man-pages(7) has them, of a command and its verbs: from the same texts that their help is made of.
package manpage

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"credproxy.dev/controller/internal/cli"
)

// Header is what all pages have in common.
type Header struct {
	// Date is that of what is described, and Source its name and version.
	Date   time.Time
	Source string
}

// Pages makes a page for the command and for each verb, by the names of their files.
func Pages(root *cobra.Command, h Header) map[string]string {
	pages := map[string]string{}
	for _, cmd := range append(visible(root), root) {
		p := page{cmd: cmd, header: h}
		pages[p.name()+".1"] = p.text()
	}
	return pages
}

// visible are the verbs that people use.
func visible(root *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(root.Commands()), func(c *cobra.Command) bool { return !c.IsAvailableCommand() || c.Name() == "help" })
}

// page is one manual page that is written.
type page struct {
	cmd    *cobra.Command
	header Header
	b      strings.Builder
}

// name is that of the page, such as controller-plan.
func (p *page) name() string { return strings.ReplaceAll(p.cmd.CommandPath(), " ", "-") }

func (p *page) line(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

func (p *page) text() string {
	p.line(".TH %s 1 %q %q \"Credential-proxy controller\"", strings.ToUpper(p.name()), p.header.Date.UTC().Format(time.DateOnly), p.header.Source)
	p.line(".nh") // names of variables are not to be broken
	p.line(".SH NAME\n%s \\- %s", escape(p.name()), escape(lowered(p.cmd.Short)))
	p.line(".SH SYNOPSIS\n.B %s", escape(synopsis(p.cmd)))
	p.line(".SH DESCRIPTION")
	p.description(withoutExitCodes(p.cmd.Long))
	p.verbs()
	p.flags()
	p.exitStatus()
	p.line(".SH EXAMPLES")
	p.verbatim(p.cmd.Example)
	p.seeAlso()
	return p.b.String()
}

// lowered begins with a small letter, as the line of a NAME does.
func lowered(short string) string { return strings.ToLower(short[:1]) + short[1:] }

func synopsis(cmd *cobra.Command) string {
	if cmd.HasParent() {
		return cmd.Parent().Name() + " " + cmd.Use + " [flags]"
	}
	return cmd.Use + " [flags]"
}

// withoutExitCodes is a long text without its last paragraph, where that is about exit codes: they have a section.
func withoutExitCodes(long string) string {
	text, _, _ := strings.Cut(long, "\n\nExit code: ")
	return text
}

// description parts a text into paragraphs; lines that begin with spaces stand as they are.
func (p *page) description(text string) {
	for i, paragraph := range strings.Split(text, "\n\n") {
		switch {
		case strings.HasPrefix(paragraph, "  "):
			p.line(".PP")
			p.verbatim(paragraph)
			continue
		case i > 0:
			p.line(".PP")
		}
		for line := range strings.Lines(paragraph) {
			p.line("%s", escape(strings.TrimSpace(line)))
		}
	}
}

// verbatim keeps lines as they are.
func (p *page) verbatim(text string) {
	p.line(".RS 4\n.nf")
	for line := range strings.Lines(text) {
		p.line("%s", escape(strings.TrimPrefix(strings.TrimRight(line, "\n"), "  ")))
	}
	p.line(".fi\n.RE")
}

// verbs lists those of the command itself.
func (p *page) verbs() {
	if p.cmd.HasParent() {
		return
	}
	p.line(".SH COMMANDS")
	for _, group := range p.cmd.Groups() {
		p.line(".SS %s", escape(strings.TrimSuffix(group.Title, ":")))
		for _, verb := range visible(p.cmd) {
			if verb.GroupID == group.ID {
				p.line(".TP\n.BR %s (1)\n%s.", escape(p.cmd.Name()+"-"+verb.Name()), escape(verb.Short))
			}
		}
	}
}

func (p *page) flags() {
	if !p.cmd.HasParent() {
		return
	}
	p.line(".SH OPTIONS")
	p.cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		p.line(".TP\n%s", term(f))
		p.line("%s.", escape(sentence(cli.Usage(f))))
		p.line("The variable is\n.BR %s .", escape(cli.Variable(f)))
	})
	p.line(".TP\n.B \\-\\-help\nPrint the help of this verb.")
}

// term is a flag as it is written, with its default.
func term(f *pflag.Flag) string {
	text := "\\fB\\-\\-" + escape(f.Name) + "\\fR"
	if f.Shorthand != "" {
		text = "\\fB\\-" + f.Shorthand + "\\fR, " + text
	}
	if !slices.Contains([]string{"", "[]", "0s", "false"}, f.DefValue) {
		text += "=\\fI" + escape(f.DefValue) + "\\fR"
	}
	return text
}

// sentence begins with a capital.
func sentence(usage string) string { return strings.ToUpper(usage[:1]) + usage[1:] }

// code is a number with what it means.
var code = regexp.MustCompile(`(?:^|; )(\d+)\b`)

// exitStatus lists the codes, with that of a wrong command line.
func (p *page) exitStatus() {
	meaning := cli.ExitCodes(p.cmd)
	if meaning == "" {
		return
	}
	p.line(".SH EXIT STATUS")
	all := code.FindAllStringSubmatchIndex(meaning, -1)
	for i, at := range all {
		end := len(meaning)
		if i+1 < len(all) {
			end = all[i+1][0]
		}
		words := strings.Trim(meaning[at[3]:end], " ;,")
		if words == "" {
			words = "it is done"
		}
		p.line(".TP\n.B %s\n%s.", meaning[at[2]:at[3]], escape(sentence(words)))
	}
	if !strings.Contains(meaning, "; 2 ") {
		p.line(".TP\n.B 2\nThe command line is wrong.")
	}
}

func (p *page) seeAlso() {
	p.line(".SH SEE ALSO")
	if p.cmd.HasParent() {
		p.line(".BR %s (1)", escape(p.cmd.Parent().Name()))
		return
	}
	verbs := visible(p.cmd)
	for i, verb := range verbs {
		comma := ","
		if i == len(verbs)-1 {
			comma = ""
		}
		p.line(".BR %s (1)%s", escape(p.cmd.Name()+"-"+verb.Name()), comma)
	}
}

// escape keeps a line from being read as requests of roff: groff_char(7).
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	if strings.HasPrefix(text, ".") {
		return `\&` + text
	}
	return text
}
