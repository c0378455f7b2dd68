package wiring

import (
	"encoding/json"

	"credproxy.dev/controller/pkg/spec"
)

// object is the wiring for programs.
type object struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Name       string     `json:"name"`
	Network    string     `json:"network"`
	CapDrop    []string   `json:"capDrop"`
	URL        string     `json:"url"`
	CallerKey  *callerKey `json:"callerKey,omitempty"`
	Variables  []Variable `json:"variables"`
	Files      []file     `json:"files"`
	Notes      []string   `json:"notes"`
}

// callerKey says that ${variable} in values and files stands for the key.
type callerKey struct {
	Variable string `json:"variable"`
	Header   string `json:"header,omitempty"`
}

// file is one of a client's, with where the client looks for it.
type file struct {
	Format Format `json:"format"`
	Path   string `json:"path"`
	Text   string `json:"text"`
}

func (w *Wiring) json() (Document, error) {
	o := object{
		APIVersion: spec.APIVersion, Kind: "AgentWiring", Name: w.Name, Network: w.Network, CapDrop: []string{rawFrames}, URL: w.URL,
		Variables: append([]Variable{}, w.Variables()...), Files: []file{}, Notes: append([]string{}, w.notesIn(JSON)...),
	}
	if w.CallerKey {
		o.CallerKey = &callerKey{KeyVariable, w.KeyHeader}
	}
	for _, f := range []struct {
		format Format
		path   string
		render func() (Document, error)
	}{
		{NPMRC, "~/.npmrc", w.npmrc}, {GitConfig, "~/.gitconfig", w.gitconfig},
		{PipConf, "~/.config/pip/pip.conf", w.pipconf}, {Tea, "~/.config/tea/config.yml", w.tea},
	} {
		if d, err := f.render(); err == nil {
			o.Files = append(o.Files, file{f.format, f.path, d.Text})
		}
	}
	text, err := json.MarshalIndent(o, "", "  ")
	return Document{Text: string(text) + "\n", Notes: o.Notes}, err
}
