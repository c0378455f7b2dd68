package wiring

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// keyOrEnd is how docker compose is told to put the key in, or to end when it has none.
const keyOrEnd = "${" + KeyVariable + ":?set it to the key that the spec's callerAuth.keyRef names}"

// compose writes a file to be given to docker compose besides the agent's own: what it says of the service is added to that.
func (w *Wiring) compose(service string) (Document, error) {
	body := mapping()
	if variables := w.Variables(); len(variables) > 0 {
		environment := mapping()
		for _, v := range variables {
			put(environment, v.Name, text(composeValue(v.Value)))
		}
		put(body, "environment", environment)
	}
	put(body, "networks", list(text(w.Network)))
	put(body, "cap_drop", list(text(rawFrames)))

	external := mapping()
	put(external, "external", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
	services, networks, file := mapping(), mapping(), mapping()
	putNamed(services, service, body)
	putNamed(networks, w.Network, external)
	put(file, "services", services)
	put(file, "networks", networks)
	written, err := yamlOf(file)
	return w.document(Compose, written), err
}

// composeValue doubles each dollar sign, but for the key.
func composeValue(value string) string {
	return strings.NewReplacer(keyRef, keyOrEnd, "$", "$$").Replace(value)
}

func yamlOf(v any) (string, error) {
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	err := encoder.Encode(v)
	return b.String(), err
}

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode} }

func list(items ...*yaml.Node) *yaml.Node { return &yaml.Node{Kind: yaml.SequenceNode, Content: items} }

// text is a string, whatever it looks like.
func text(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Style: yaml.DoubleQuotedStyle}
}

// put adds a field to a mapping.
func put(m *yaml.Node, key string, value *yaml.Node) {
	m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)
}

// putNamed adds a field whose name somebody chose, who may have chosen "on" or "1.5".
func putNamed(m *yaml.Node, name string, value *yaml.Node) {
	m.Content = append(m.Content, text(name), value)
}
