// Package wiring says what an agent's container needs so that its clients ask the sidecar: from the roles of a spec's routes to
// variables and files of clients, in the clients' own formats. It is pure, and knows no token: where a client refuses to start
// without a key it gets a placeholder, which the sidecar takes out of every request.
package wiring

import (
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/spec"
)

const (
	// Placeholder stands where a client wants a key. It opens nothing.
	Placeholder = "credproxy-placeholder"
	// KeyVariable is the variable in which an agent's container has the caller key, where the spec asks callers for one.
	KeyVariable = "CREDPROXY_CALLER_KEY"
)

// keyRef stands for the caller key in values. Nothing else in them can look so: neither paths nor hosts have braces.
const keyRef = "${" + KeyVariable + "}"

// Wiring is what one agent's container needs.
type Wiring struct {
	// Name is the spec's.
	Name string
	// Network is the only one that the container is on.
	Network string
	// URL is the sidecar's, without a path.
	URL string
	// CallerKey is true when the sidecar serves only who shows a key, and KeyHeader is the only header for it; empty for any.
	CallerKey bool
	KeyHeader string

	notes     []note
	variables []Variable
	git       []gitEntry
	npm       []setting
	pip       []setting
	logins    []login
	// readsKey is true when a client reads KeyVariable for itself, in the container.
	readsKey bool
}

// Variable is a variable of a container's environment.
type Variable struct {
	Name string `json:"name"`
	// Value may have KeyVariable in it, as ${CREDPROXY_CALLER_KEY}.
	Value string `json:"value"`
}

func (v Variable) needsKey() bool { return strings.Contains(v.Value, keyRef) }

// note is what a person has to know or do besides, where a wiring is printed in one of some formats.
type note struct {
	text string
	in   []Format
}

// setting is a line of a client's file.
type setting struct{ key, value string }

// Of is what the agent of a spec needs. The spec is valid and has its defaults.
func Of(c *spec.CredProxy) *Wiring {
	w := &Wiring{Name: c.Name, Network: c.Spec.InternalNetwork, URL: sidecarURL(&c.Spec)}
	if c.Spec.CallerAuth != nil {
		w.CallerKey, w.KeyHeader = true, c.Spec.CallerAuth.Header
	}
	for _, role := range spec.Roles() {
		for i := range c.Spec.Routes {
			if r := &c.Spec.Routes[i]; r.Has(role) {
				w.add(role, r)
			}
		}
	}
	return w
}

func (w *Wiring) add(role spec.Role, r *spec.Route) {
	switch role {
	case spec.RoleAnthropic, spec.RoleClaudeCode:
		w.addAnthropic(role, r)
	case spec.RoleOpenAI:
		w.addOpenAI(r)
	case spec.RoleNPM:
		w.addNPM(r)
	case spec.RolePip:
		w.addPip(r)
	case spec.RoleGit:
		w.addGit(r)
	case spec.RoleTea:
		w.addTea(r)
	}
}

func (w *Wiring) set(name, value string) { w.variables = append(w.variables, Variable{name, value}) }

// note adds what a person has to know, once: of variables, and of the client's own file if it has one.
func (w *Wiring) note(text string, file ...Format) {
	if !slices.ContainsFunc(w.notes, func(n note) bool { return n.text == text }) {
		w.notes = append(w.notes, note{text, append([]Format{Dotenv, Docker, Compose, JSON}, file...)})
	}
}

// notesIn are those that belong to a format.
func (w *Wiring) notesIn(f Format) (texts []string) {
	for _, n := range w.notes {
		if slices.Contains(n.in, f) {
			texts = append(texts, n.text)
		}
	}
	return texts
}

// Variables are those of the container, in the order of roles.
func (w *Wiring) Variables() []Variable {
	all := slices.Concat(w.variables, gitVariables(w.git))
	if w.readsKey {
		all = append(all, Variable{KeyVariable, keyRef})
	}
	return all
}

// withoutKey are the variables in which the key does not have to be written.
func (w *Wiring) withoutKey() []Variable {
	git := slices.DeleteFunc(slices.Clone(w.git), gitEntry.needsKey)
	return slices.Concat(slices.DeleteFunc(slices.Clone(w.variables), Variable.needsKey), gitVariables(git))
}
