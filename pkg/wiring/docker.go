package wiring

import "strings"

// rawFrames is the capability of Docker's usual ones without which no agent can pose as another on its network.
const rawFrames = "NET_RAW"

// docker writes options for `docker run $(controller env NAME -o docker) IMAGE`. What a shell makes of that is parted at spaces, and
// nothing else: no quotes, no variables. So values have no spaces, and the key can be passed on by its own name alone.
func (w *Wiring) docker() Document {
	lines := []string{"--network " + w.Network, "--cap-drop " + rawFrames}
	for _, v := range w.withoutKey() {
		lines = append(lines, "-e "+v.Name+"="+v.Value)
	}
	notes := w.notesIn(Docker)
	if w.readsKey {
		lines = append(lines, "-e "+KeyVariable)
		notes = append(notes, "docker passes "+KeyVariable+" on from the environment that it is called in")
	}
	if missing := w.withKeyOnly(); len(missing) > 0 {
		notes = append(notes, "the key cannot be put in by $(…): add "+strings.Join(missing, " "))
	}
	for _, e := range w.git {
		if e.needsKey() {
			notes = append(notes, "git has to be told the key in the container: "+e.command())
		}
	}
	if len(w.variables) == 0 && len(w.git) == 0 {
		notes = append(notes, "no route of "+w.Name+" has a role, so no variable is set")
	}
	return Document{strings.Join(lines, "\n") + "\n", notes}
}

// withKeyOnly are options, for a person to type, with the variables that have the key in them.
func (w *Wiring) withKeyOnly() (options []string) {
	for _, v := range w.variables {
		if v.needsKey() {
			options = append(options, "-e "+shellWord(v.Name+"="+v.Value))
		}
	}
	return options
}
