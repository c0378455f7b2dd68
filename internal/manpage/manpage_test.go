package manpage

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"credproxy.dev/controller/internal/cli"
)

func pages() map[string]string {
	return Pages(cli.Command(), Header{Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Source: "credproxy 1.2.3"})
}

func TestAPageHasTheSectionsOfAManual(t *testing.T) {
	want := `.TH CONTROLLER-VERSION 1 "2026-01-02" "credproxy 1.2.3" "Credential-proxy controller"
.nh
.SH NAME
controller\-version \- print version, commit, Go, the API versions that are read, and the sidecar\(aqs image
.SH SYNOPSIS
.B controller version [flags]
.SH DESCRIPTION
Prints version, commit, Go, the API versions that are read, and the name of the image that this controller builds for
its sidecars, on an engine of its own architecture. \-o image prints that name alone, for scripts.
.SH OPTIONS
.TP
\fB\-o\fR, \fB\-\-output\fR=\fItext\fR
Text, json, or image for its name alone.
The variable is
.BR CREDPROXY_OUTPUT .
.TP
.B \-\-help
Print the help of this verb.
.SH EXIT STATUS
.TP
.B 0
It is done.
.TP
.B 2
The command line is wrong.
.SH EXAMPLES
.RS 4
.nf
controller version \-o json
docker rmi $(controller version \-o image)
.fi
.RE
.SH SEE ALSO
.BR controller (1)
`
	if diff := cmp.Diff(want, pages()["controller-version.1"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEveryVerbAndFlagHasItsPlace(t *testing.T) {
	all := pages()
	request := regexp.MustCompile(`^(\.(TH|SH|SS|TP|PP|B|BR|RS|RE|nf|fi|nh)( |\n)|\\&\.|[^.'])`)
	for _, verb := range visible(cli.Command()) {
		text := all["controller-"+verb.Name()+".1"]
		if !strings.Contains(all["controller.1"], ".BR controller\\-"+verb.Name()+" (1)\n") {
			t.Errorf("the page of the command does not list %s", verb.Name())
		}
		verb.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && (!strings.Contains(text, "\\-\\-"+escape(f.Name)+"\\fR") || !strings.Contains(text, cli.Variable(f))) {
				t.Errorf("the page of %s does not describe --%s", verb.Name(), f.Name)
			}
		})
		for line := range strings.Lines(text) {
			if line != "\n" && !request.MatchString(line) {
				t.Errorf("%s: roff would read %q", verb.Name(), line)
			}
		}
	}
	if len(all) != len(visible(cli.Command()))+1 {
		t.Errorf("%d pages", len(all))
	}
}

func TestExitCodesAreListedOneByOne(t *testing.T) {
	_, section, _ := strings.Cut(pages()["controller-plan.1"], ".SH EXIT STATUS\n")
	section, _, _ = strings.Cut(section, ".SH ")
	var codes []string
	for _, m := range regexp.MustCompile(`(?m)^\.B (\d+)$`).FindAllStringSubmatch(section, -1) {
		codes = append(codes, m[1])
	}
	if diff := cmp.Diff([]string{"0", "1", "2"}, codes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTextsAreNotReadAsRequests(t *testing.T) {
	for text, want := range map[string]string{
		".yaml": `\&.yaml`, `a\b`: `a\eb`, "it's": `it\(aqs`, "--x": `\-\-x`, "~/x": `\(ti/x`, "plain": "plain",
	} {
		if got := escape(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
