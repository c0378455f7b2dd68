//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"credproxy.dev/controller/test/leakhunt"
)

// source is where a token of the hunt comes from.
type source string

const (
	fromFile     source = "file"
	fromEnv      source = "env"
	fromProvider source = "provider"
	// fromSpec is a token that its author wrote into the spec itself.
	fromSpec source = "spec"
)

// hunted is a token, and how it is used at the moment.
type hunted struct {
	leakhunt.Secret

	// spec is the only one that names it.
	spec string
	source
	// delivery is how its spec has it delivered.
	delivery string
	// inForce tells that its sidecar may have it.
	inForce bool
	// isKey tells that callers show it.
	isKey bool
}

// ref is how its spec names it.
func (s *hunted) ref() string {
	switch s.source {
	case fromEnv:
		return "{env: " + s.variable() + "}"
	case fromProvider:
		return "{provider: shop, key: " + s.Name + "}"
	default:
		return "{file: hunt/" + s.Name + "}"
	}
}

func (s *hunted) variable() string {
	return "HUNT_" + strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
}

// token makes a token of a spec, and puts it where it comes from.
func (h *hunt) token(spec, delivery string, from source) *hunted {
	name := strings.ToLower(fmt.Sprintf("%s-%d", spec, len(h.tokens)))
	s := &hunted{leakhunt.NewSecret(name), spec, from, delivery, true, false}
	h.put(s, s.Value)
	return s
}

// put hunts a token, and writes a text with it to where it comes from.
func (h *hunt) put(s *hunted, text string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.index.Add(leakhunt.Secret{Name: s.Name + " " + s.Value, Value: s.Value}); err != nil {
		h.t.Fatal(err)
	}
	h.tokens[s.Name+" "+s.Value] = s
	switch s.source {
	case fromFile:
		h.setToken("hunt/"+s.Name, text)
	case fromEnv:
		h.env = append(h.env, s.variable()+"="+text)
	case fromProvider:
		quoted, err := json.Marshal(text)
		if err != nil {
			h.t.Fatal(err)
		}
		h.shop.put(s.Name, string(quoted[1:len(quoted)-1]))
	}
}

// rotated puts another value where a token comes from, and returns it. The old one may soon be nowhere.
func (h *hunt) rotated(s *hunted) *hunted {
	h.t.Helper()
	s.inForce = false
	another := *s
	another.Value, another.inForce = leakhunt.NewSecret(s.Name).Value, true
	h.put(&another, another.Value)
	return &another
}

// declares is a spec with a route for each token, and with a hostname of its own.
func (h *hunt) declares(name, delivery string, tokens []*hunted, more ...string) string {
	var spec strings.Builder
	fmt.Fprintf(&spec, "apiVersion: credproxy.dev/v1alpha1\nkind: CredProxy\nmetadata:\n  name: %s\n", name)
	fields := []string{"internalNetwork: " + h.internal, "egressNetwork: " + h.egress, "hostname: " + name, "tokenDelivery: " + delivery}
	for _, line := range more {
		if annotation, ok := strings.CutPrefix(line, "annotation: "); ok {
			fmt.Fprintf(&spec, "  annotations: {%s}\n", annotation)
			continue
		}
		name, _, _ := strings.Cut(line, ":")
		for i, field := range fields {
			if strings.HasPrefix(field, name+":") {
				fields[i] = ""
			}
		}
		fields = append(fields, line)
	}
	spec.WriteString("spec:\n")
	for _, field := range fields {
		if field != "" {
			spec.WriteString("  " + field + "\n")
		}
	}
	spec.WriteString("  routes:\n")
	schemes := []string{"scheme: Bearer", "scheme: Basic, username: someone", "scheme: Token", "scheme: Header, header: X-Story"}
	for i, s := range tokens {
		fmt.Fprintf(&spec, "  - path: /%d\n    upstream: http://%s:8080\n    insecureUpstream: true\n    allowPrivate: true\n    auth: {%s, tokenRef: %s}\n    roles: [tea-login]\n",
			i, h.upstream, schemes[i%len(schemes)], s.ref())
	}
	return spec.String()
}

// policy is a file that permits everything but the token file "denied".
func (h *hunt) policy() string {
	h.t.Helper()
	path := filepath.Join(filepath.Dir(h.specs), "policy.yaml")
	writeFile(h.t, path, `apiVersion: credproxy.dev/v1alpha1
kind: TokenPolicy
metadata: {name: hunt}
spec:
  rules:
  - name: hunt
    folders: ["**"]
    tokens: [{env: "*"}, {file: "hunt/**"}, {provider: "*", key: "**"}]
    upstreams: [{scheme: http, host: "*", port: "*"}]
    callerKeys: [{file: "**"}]
    networks: ["*"]
    images: ["**"]
    allow: [InsecureUpstream, AllowPrivate, CustomImage, EnvDelivery]
`)
	if err := os.Chmod(path, 0o644); err != nil { // whatever the umask is
		h.t.Fatal(err)
	}
	return path
}
