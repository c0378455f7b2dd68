package wiring

import (
	"fmt"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/spec"
)

// Format is a form in which a wiring is printed.
type Format string

// The formats.
const (
	Dotenv    Format = "dotenv"    // variables, a line each, as docker compose and docker --env-file read them
	Docker    Format = "docker"    // options of docker run, for $(…)
	Compose   Format = "compose"   // a service of a compose file
	NPMRC     Format = "npmrc"     // ~/.npmrc
	GitConfig Format = "gitconfig" // ~/.gitconfig
	PipConf   Format = "pipconf"   // ~/.config/pip/pip.conf
	Tea       Format = "tea"       // ~/.config/tea/config.yml
	JSON      Format = "json"      // all of it, for programs
)

// Formats are all of them.
func Formats() []Format {
	return []Format{Dotenv, Docker, Compose, NPMRC, GitConfig, PipConf, Tea, JSON}
}

// NothingError says that a wiring has nothing for a format.
type NothingError struct {
	Name  string
	Roles []spec.Role // one of which a route would need
}

func (e *NothingError) Error() string {
	var roles []string
	for _, role := range e.Roles {
		roles = append(roles, string(role))
	}
	if len(roles) == 1 {
		return fmt.Sprintf("no route of %s has the role %s; add roles: [%s] to the one that it is", e.Name, roles[0], roles[0])
	}
	return fmt.Sprintf("no route of %s has a role, so there is nothing to set; add roles to its routes: %s", e.Name, strings.Join(roles, ", "))
}

// Document is what is printed in one format.
type Document struct {
	Text string
	// Notes are what a person has to know or do besides. Where the format has comments, they are in Text too.
	Notes []string
}

// Render writes the wiring in a format. service is the name of the service in a compose file. It fails with a NothingError.
func (w *Wiring) Render(f Format, service string) (Document, error) {
	switch f {
	case Dotenv:
		return w.dotenv()
	case Docker:
		return w.docker(), nil
	case Compose:
		return w.compose(service)
	case NPMRC:
		return w.npmrc()
	case GitConfig:
		return w.gitconfig()
	case PipConf:
		return w.pipconf()
	case Tea:
		return w.tea()
	case JSON:
		return w.json()
	}
	return Document{}, fmt.Errorf("%q is no format", f)
}

func (w *Wiring) nothing(roles ...spec.Role) error { return &NothingError{w.Name, roles} }

// document puts the notes before a text as comments.
func (w *Wiring) document(f Format, text string, notes ...string) Document {
	notes = slices.Concat(w.notesIn(f), notes)
	var b strings.Builder
	fmt.Fprintf(&b, "# Made by: controller env %s -o %s\n", w.Name, f)
	for _, note := range notes {
		fmt.Fprintf(&b, "# %s.\n", note)
	}
	return Document{b.String() + text, notes}
}

// toFill notes that a file has the name of the variable in it, where the client wants the key itself.
func (w *Wiring) toFill(f Format, text string) []string {
	if !strings.Contains(text, keyRef) {
		return nil
	}
	return []string{fmt.Sprintf("the client does not put the key in by itself: controller env %s -o %s | envsubst '$%s' does", w.Name, f, KeyVariable)}
}
