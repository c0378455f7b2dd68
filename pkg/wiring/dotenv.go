package wiring

import (
	"strings"

	"credproxy.dev/controller/pkg/spec"
)

// dotenv writes a line for each variable. docker run --env-file knows no quotes, so a value has them only where docker compose
// needs them.
func (w *Wiring) dotenv() (Document, error) {
	variables := w.Variables()
	if len(variables) == 0 {
		return Document{}, w.nothing(spec.Roles()...)
	}
	var notes, quoted []string
	var b strings.Builder
	for _, v := range variables {
		value := dotenvValue(v.Value)
		if value != v.Value {
			quoted = append(quoted, v.Name)
		}
		b.WriteString(v.Name + "=" + value + "\n")
	}
	if strings.Contains(b.String(), keyRef) {
		notes = append(notes, "docker compose puts "+KeyVariable+" in from its own environment; for docker run --env-file, envsubst '$"+KeyVariable+"' does")
	}
	if len(quoted) > 0 {
		notes = append(notes, "docker run --env-file takes the quotes of "+strings.Join(quoted, ", ")+
			" for a part of the value; docs/agent.md has the line that takes them off")
	}
	return w.document(Dotenv, b.String(), notes...), nil
}

// dotenvValue quotes a value for docker compose if it has to be. In single quotes everything is itself; in double quotes the
// key is put in.
func dotenvValue(value string) string {
	bare := strings.ReplaceAll(value, keyRef, "")
	switch {
	case !strings.ContainsFunc(bare, needsQuotes):
		return value
	case bare == value && !strings.ContainsAny(value, `'\`):
		return "'" + value + "'"
	}
	escaped := strings.NewReplacer(keyRef, keyRef, `\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(value)
	return `"` + escaped + `"`
}

func needsQuotes(r rune) bool { return r >= 0x7f || !isPlain(byte(r)) && r != '%' && r != '=' }
