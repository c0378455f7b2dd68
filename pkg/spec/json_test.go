package spec

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const webJSON = `{
	"apiVersion": "credproxy.dev/v1alpha1",
	"kind": "CredProxy",
	"metadata": {"name": "web"},
	"spec": {
		"internalNetwork": "web-internal",
		"egressNetwork": "web-egress",
		"port": 9099,
		"createNetworks": false,
		"hostname": null,
		"routes": [{"path": "/git", "upstream": "https:\/\/git.example.org"}]
	}
}
`

func TestJSONSaysTheSameAsYAML(t *testing.T) {
	fromJSON := Decode("web.json", []byte(webJSON), Options{})
	fromYAML := Decode("web.yaml", []byte(strings.ReplaceAll(webJSON, `\/`, "/")), Options{})
	if diff := cmp.Diff(fromYAML, fromJSON); diff != "" || len(fromJSON.Objects) != 1 {
		t.Errorf("%s(-yaml +json):\n%s", told(fromJSON), diff)
	}
	two := Decode("two.json", []byte(webJSON+strings.Replace(webJSON, `"web"`, `"second"`, 1)), Options{})
	if len(two.Objects) != 2 || two.Objects[1].Line != 14 {
		t.Errorf("two objects in a file: %+v\n%s", two.Objects, told(two))
	}
}

func TestWhatIsWrongWithJSONIsSaidAtItsFieldAndLine(t *testing.T) {
	tests := []struct{ name, from, to, want string }{
		{"unknown and repeated keys", `"port": 9099,`, `"port": 9099, "port": 1, "ports": 2,`,
			"8 spec.port: repeated field, first on line 8; keep one\n" +
				"8 spec.ports: unknown field; do you mean port? Known here: internalNetwork, egressNetwork, createNetworks, requireIsolation, hostname, port, image, tokenDelivery, resources, callerAuth, routes\n"},
		{"string for a number", "9099", `"9099"`, "8 spec.port: must be a whole number, not a string; write 9099, without quotes\n"},
		{"fraction", "9099", "9.1e3", "8 spec.port: must be a whole number, not a fraction\n"},
		{"string for true", "false", `"true"`, "9 spec.createNetworks: must be true or false, not a string; write true, without quotes\n"},
		{"number for a name", `"web"`, "7", "4 metadata.name: must be a string, not a number; put it in quotes\n"},
		{"comma before the end", "]\n\t}", "],\n\t}", "12 : not JSON: invalid character '}' looking for beginning of object key string; the rest of this file is not read\n"},
		{"no comma", "9099,", "9099", "9 : not JSON: invalid character '\"' after object key:value pair; the rest of this file is not read\n"},
		{"half-written", "\n\t}\n}\n", "\n", "11 : not JSON: the file ends in the middle of a value; the rest of this file is not read\n"},
		{"comment", "{\n", "{ // a\n", "1 : not JSON: invalid character '/'; the rest of this file is not read\n"},
		{"YAML", webJSON, web, "1 : not JSON: invalid character 'a' looking for beginning of value; the rest of this file is not read\n"},
		{"a list", webJSON, "[" + webJSON + "]", "1 : a document must be a mapping that begins with apiVersion: credproxy.dev/v1alpha1 and kind: CredProxy, not a list\n"},
		{"endless nesting", "9099", strings.Repeat("[", 1<<19), "8 : not JSON: nested deeper than 100 levels; the rest of this file is not read\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Decode("web.json", []byte(strings.Replace(webJSON, tt.from, tt.to, 1)), Options{})
			if diff := cmp.Diff(tt.want, told(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if broken := strings.Contains(tt.want, "not JSON"); broken && got.Parsed {
				t.Error("parsed, though it is not JSON")
			} else if broken && tt.name != "YAML" && tt.name != "comment" && len(got.Names) == 0 {
				t.Error("the name before the fault is not read")
			}
		})
	}
}

func TestASpecPrintsAsItWasWritten(t *testing.T) {
	d := Decode("web.yaml", []byte(web), Options{})
	got, err := json.Marshal(d.Objects[0].CredProxy)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"kind":"CredProxy","apiVersion":"credproxy.dev/v1alpha1","metadata":{"name":"web"},"spec":{`+
		`"internalNetwork":"web-internal","egressNetwork":"web-egress","hostname":"cred-proxy","port":%d,"tokenDelivery":"File",`+
		`"resources":{"memory":"64Mi","cpus":"1","pids":64},"routes":[{"path":"/anthropic","upstream":"https://api.anthropic.com"}]}}`, DefaultPort)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again := Decode("web.json", got, Options{})
	if diff := cmp.Diff(d.Objects[0].CredProxy, again.Objects[0].CredProxy); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
}
