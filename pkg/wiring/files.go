package wiring

import (
	"fmt"
	"strings"

	"credproxy.dev/controller/pkg/spec"
)

// npmrc writes npm's settings. npm puts variables in for itself (npmrc, "Environment variables can be replaced").
func (w *Wiring) npmrc() (Document, error) {
	if len(w.npm) == 0 {
		return Document{}, w.nothing(spec.RoleNPM)
	}
	return w.document(NPMRC, lines(w.npm, "")), nil
}

// pipconf writes pip's settings.
func (w *Wiring) pipconf() (Document, error) {
	if len(w.pip) == 0 {
		return Document{}, w.nothing(spec.RolePip)
	}
	text := "[global]\n" + lines(w.pip, " ")
	return w.document(PipConf, text, w.toFill(PipConf, text)...), nil
}

func lines(settings []setting, space string) string {
	var b strings.Builder
	for _, s := range settings {
		b.WriteString(s.key + space + "=" + space + s.value + "\n")
	}
	return b.String()
}

// gitconfig writes git's settings, by git-config's rules for quotes.
func (w *Wiring) gitconfig() (Document, error) {
	if len(w.git) == 0 {
		return Document{}, w.nothing(spec.RoleGit)
	}
	var b strings.Builder
	var notes []string
	last := ""
	for _, e := range w.git {
		if e.needsKey() {
			notes = append(notes, "git puts no variable in: run "+e.command())
			continue
		}
		if head := fmt.Sprintf("[%s %s]\n", e.section, gitQuoted(e.part)); head != last {
			last = head
			b.WriteString(head)
		}
		fmt.Fprintf(&b, "\t%s = %s\n", e.key, gitQuoted(e.value))
	}
	return w.document(GitConfig, b.String(), notes...), nil
}

func gitQuoted(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// command is how a person sets what has the key in it.
func (e gitEntry) command() string {
	return "git config --global " + shellWord(e.section+"."+e.part+"."+e.key) + " " + shellWord(e.value)
}

// teaFile is what tea's config.yml is made of.
type teaFile struct {
	Logins []teaLogin `yaml:"logins"`
}

type teaLogin struct {
	Name    string `yaml:"name"`
	URL     string `yaml:"url"`
	Token   string `yaml:"token"`
	Default bool   `yaml:"default"`
	SSHHost string `yaml:"ssh_host"`
	// VersionCheck would have each command begin with a request for the server's version.
	VersionCheck bool `yaml:"version_check"`
}

// tea writes tea's logins, of which the first is its default.
func (w *Wiring) tea() (Document, error) {
	if len(w.logins) == 0 {
		return Document{}, w.nothing(spec.RoleTea)
	}
	var file teaFile
	for i, l := range w.logins {
		file.Logins = append(file.Logins, teaLogin{Name: l.name, URL: l.url, Token: l.token, Default: i == 0, SSHHost: l.sshHost})
	}
	text, err := yamlOf(file)
	return w.document(Tea, text, w.toFill(Tea, text)...), err
}
