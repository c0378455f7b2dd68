package spec

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const schemaFile = "../../config/schema/credproxy.v1alpha1.schema.json"

// schema is the part of JSON Schema (draft 7) that the file uses. It is read strictly, so that no rule of the file goes
// unheard here.
type schema struct {
	Dialect              string              `json:"$schema"`
	ID                   string              `json:"$id"`
	Comment              string              `json:"$comment"`
	Title                string              `json:"title"`
	Description          string              `json:"description"`
	Type                 any                 `json:"type"` // a name or a list of names
	Default              any                 `json:"default"`
	Enum                 []string            `json:"enum"`
	EnumDescriptions     []string            `json:"enumDescriptions"`
	Pattern              string              `json:"pattern"`
	MinLength            int                 `json:"minLength"`
	MaxLength            int                 `json:"maxLength"`
	Minimum              int64               `json:"minimum"`
	Maximum              int64               `json:"maximum"`
	MinItems             int                 `json:"minItems"`
	MaxItems             int                 `json:"maxItems"`
	MinProperties        int                 `json:"minProperties"`
	MaxProperties        int                 `json:"maxProperties"`
	Required             []string            `json:"required"`
	OneOf                []requirement       `json:"oneOf"`
	Dependencies         map[string][]string `json:"dependencies"`
	Properties           map[string]*schema  `json:"properties"`
	Items                *schema             `json:"items"`
	AdditionalProperties additional          `json:"additionalProperties"`
}

// additional is false, or what other fields are like.
type additional struct {
	forbidden bool
	like      *schema
}

func (a *additional) UnmarshalJSON(data []byte) error {
	if a.forbidden = string(data) == "false"; a.forbidden {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(&a.like)
}

// requirement is a schema that asks for fields and nothing else.
type requirement struct {
	Required []string `json:"required"`
}

func readSchema(t *testing.T) *schema {
	t.Helper()
	f, err := os.Open(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dec := json.NewDecoder(f)
	dec.DisallowUnknownFields()
	var s schema
	if err := dec.Decode(&s); err != nil {
		t.Fatal(err)
	}
	return &s
}

func TestTheSchemaHasExactlyTheFieldsOfTheTypes(t *testing.T) {
	sameFields(t, "", readSchema(t), reflect.TypeFor[fileObject](), "")
}

// sameFields compares a schema with the type that the decoder reads.
func sameFields(t *testing.T, path string, s *schema, typ reflect.Type, tag reflect.StructTag) {
	t.Helper()
	if s.Description == "" {
		t.Errorf("%s has no description", path)
	}
	if diff := cmp.Diff(schemaType(typ, tag), s.Type); diff != "" {
		t.Errorf("type of %s (-go +schema):\n%s", path, diff)
	}
	switch typ.Kind() {
	case reflect.Pointer:
		sameFields(t, path, s, typ.Elem(), tag)
	case reflect.Slice:
		sameFields(t, path+"[]", s.Items, typ.Elem(), tag)
	case reflect.Map:
		if typ.Elem().Kind() == reflect.Struct {
			sameFields(t, path+"{}", s.AdditionalProperties.like, typ.Elem(), "")
		}
	case reflect.Struct:
		if !s.AdditionalProperties.forbidden {
			t.Errorf("%s permits unknown fields", path)
		}
		fields := fieldsOf(typ)
		slices.Sort(fields.names)
		if diff := cmp.Diff(fields.names, slices.Sorted(maps.Keys(s.Properties))); diff != "" {
			t.Fatalf("fields of %s (-go +schema):\n%s", path, diff)
		}
		var required []string
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if options == "" {
				required = append(required, name)
			}
			sameFields(t, path+"."+name, s.Properties[name], f.Type, f.Tag)
		}
		if diff := cmp.Diff(required, s.Required); diff != "" {
			t.Errorf("required fields of %s (-go +schema):\n%s", path, diff)
		}
	}
}

// schemaType is the schema's word for a type.
func schemaType(typ reflect.Type, tag reflect.StructTag) any {
	switch typ.Kind() {
	case reflect.Pointer:
		return schemaType(typ.Elem(), tag)
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice:
		return "array"
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		if isTagged(tag, quantityTag) {
			return []any{"string", "number"}
		}
		return "string"
	default:
		return "integer"
	}
}

func TestTheSchemaHasTheRulesOfTheValidation(t *testing.T) {
	s := readSchema(t)
	metadata := s.Properties["metadata"].Properties
	spec := s.Properties["spec"].Properties
	resources := spec["resources"].Properties
	route := spec["routes"].Items.Properties
	auth, limits := route["auth"].Properties, route["limits"].Properties
	tests := []struct {
		what      string
		want, got any
	}{
		{"apiVersion", []string{APIVersion}, s.Properties["apiVersion"].Enum},
		{"kind", []string{Kind}, s.Properties["kind"].Enum},
		{"labels", maxEntries, metadata["labels"].MaxProperties},
		{"annotations", maxEntries, metadata["annotations"].MaxProperties},
		{"internalNetwork", networkName.String(), spec["internalNetwork"].Pattern},
		{"egressNetwork", networkName.String(), spec["egressNetwork"].Pattern},
		{"hostname", DefaultHostname, spec["hostname"].Default},
		{"port", []any{int64(1), int64(65535), float64(DefaultPort)}, []any{spec["port"].Minimum, spec["port"].Maximum, spec["port"].Default}},
		{"tokenDelivery", []string{string(DeliverFile), string(DeliverMemory), string(DeliverEnv)}, spec["tokenDelivery"].Enum},
		{"default of tokenDelivery", string(DeliverFile), spec["tokenDelivery"].Default},
		{"memory", DefaultMemory, resources["memory"].Default},
		{"cpus", DefaultCPUs, resources["cpus"].Default},
		{"pids", []any{int64(minPids), int64(maxPids), float64(DefaultPids)}, []any{resources["pids"].Minimum, resources["pids"].Maximum, resources["pids"].Default}},
		{"routes", []int{1, MaxRoutes}, []int{spec["routes"].MinItems, spec["routes"].MaxItems}},
		{"scheme", []string{string(SchemeBearer), string(SchemeToken), string(SchemeBasic), string(SchemeHeader), string(SchemeCustom)}, auth["scheme"].Enum},
		{"header", fieldName.String(), auth["header"].Pattern},
		{"env", envName.String(), auth["tokenRef"].Properties["env"].Pattern},
		{"provider", 63, auth["tokenRef"].Properties["provider"].MaxLength},
		{"key", []any{tokenKey.String(), maxTokenKey}, []any{auth["tokenRef"].Properties["key"].Pattern, auth["tokenRef"].Properties["key"].MaxLength}},
		{"tokens", maxAdditions, auth["tokens"].MaxProperties},
		{"one of them", auth["tokenRef"].Properties, auth["tokens"].AdditionalProperties.like.Properties},
		{"sources of one", auth["tokenRef"].OneOf, auth["tokens"].AdditionalProperties.like.OneOf},
		{"headers", []any{maxAdditions, fieldName.String(), maxTemplate}, additions(auth["headers"])},
		{"query", []any{maxAdditions, parameterName.String(), maxTemplate}, additions(auth["query"])},
		{"basic", []int{maxTemplate, maxTemplate}, []int{auth["basic"].Properties["username"].MaxLength, auth["basic"].Properties["password"].MaxLength}},
		{"header of callers", fieldName.String(), spec["callerAuth"].Properties["header"].Pattern},
		{"reference of callers", auth["tokenRef"].Properties, spec["callerAuth"].Properties["keyRef"].Properties},
		{"sources of callers", auth["tokenRef"].OneOf, spec["callerAuth"].Properties["keyRef"].OneOf},
		{"methods", methodName.String(), route["methods"].Items.Pattern},
		{"mode", []string{string(ModeEnforce), string(ModeWarn)}, route["mode"].Enum},
		{"roles", []any{rolesInWords(), 1, len(Roles())}, []any{route["roles"].Items.Enum, route["roles"].MinItems, route["roles"].MaxItems}},
		{"concurrentRequests", []int64{1, maxConcurrent}, []int64{limits["concurrentRequests"].Minimum, limits["concurrentRequests"].Maximum}},
		{"requestsPerMinute", []int64{1, maxPerMinute}, []int64{limits["requestsPerMinute"].Minimum, limits["requestsPerMinute"].Maximum}},
		{"reference of client certificates", auth["tokenRef"].Properties, spec["routes"].Items.Properties["clientCertificate"].Properties["keyRef"].Properties},
		{"what belongs together for callers", auth["tokenRef"].Dependencies, spec["callerAuth"].Properties["keyRef"].Dependencies},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.got, cmp.AllowUnexported(additional{})); diff != "" {
			t.Errorf("%s (-go +schema):\n%s", tt.what, diff)
		}
	}
}

func rolesInWords() (words []string) {
	for _, role := range Roles() {
		words = append(words, string(role))
	}
	return words
}

// additions are the rules of a list of Addition.
func additions(s *schema) []any {
	of := s.Items.Properties
	return []any{s.MaxItems, of["name"].Pattern, of["value"].MaxLength}
}

func TestTheSchemaRefusesWhatEditorsShouldMark(t *testing.T) {
	s := readSchema(t)
	if faults := schemaFaults(t, s, web); len(faults) > 0 {
		t.Fatalf("a good file is refused: %v", faults)
	}
	if faults := schemaFaults(t, s, web+"    auth: {scheme: Bearer, tokenRef: {provider: vault, key: team-a/github}}\n"); len(faults) > 0 {
		t.Fatalf("a token of a provider is refused: %v", faults)
	}
	custom := func(rest string) string {
		return web + "    auth: {scheme: Custom, tokens: {t: {env: A}}, " + rest + "}\n"
	}
	if faults := schemaFaults(t, s, custom("headers: [{name: X-A, value: 'a{t}'}], query: [{name: key, value: '{t}'}], basic: {password: '{t}'}")); len(faults) > 0 {
		t.Fatalf("a custom credential is refused: %v", faults)
	}
	for name, file := range map[string]string{
		"unknown role":         web + "    roles: [npm]\n",
		"no roles":             web + "    roles: []\n",
		"unknown field":        web + "    upstrem: x\n",
		"missing field":        strings.Replace(web, "  egressNetwork: web-egress\n", "", 1),
		"wrong kind":           strings.Replace(web, "kind: CredProxy", "kind: Proxy", 1),
		"wrong type":           strings.Replace(web, "  routes:", "  port: \"9099\"\n  routes:", 1),
		"port too high":        strings.Replace(web, "  routes:", "  port: 70000\n  routes:", 1),
		"no routes":            strings.Split(web, "  - path")[0] + "  - {}\n",
		"two sources":          web + "    auth: {scheme: Bearer, tokenRef: {env: A, file: b}}\n",
		"no source":            web + "    auth: {scheme: Bearer, tokenRef: {}}\n",
		"third source":         web + "    auth: {scheme: Bearer, tokenRef: {env: A, provider: b, key: c}}\n",
		"no key":               web + "    auth: {scheme: Bearer, tokenRef: {provider: b}}\n",
		"key alone":            web + "    auth: {scheme: Bearer, tokenRef: {key: c}}\n",
		"key of no use":        web + "    auth: {scheme: Bearer, tokenRef: {env: A, key: c}}\n",
		"two kinds of token":   custom("tokenRef: {env: A}"),
		"templates alone":      web + "    auth: {scheme: Custom, tokenRef: {env: A}, headers: [{name: X-A, value: '{t}'}]}\n",
		"token of two sources": web + "    auth: {scheme: Custom, tokens: {u: {env: A, file: b}}, headers: [{name: X-A, value: '{u}'}]}\n",
		"header without value": custom("headers: [{name: X-A}]"),
		"unknown half":         custom("basic: {user: '{t}'}"),
		"empty callers":        strings.Replace(web, "  routes:", "  callerAuth:\n  routes:", 1),
		"unknown scheme":       web + "    auth: {scheme: bearer, tokenRef: {env: A}}\n",
		"status":               web + "status: {}\n",
		"paused by a word":     strings.Replace(web, "  name: web", "  name: web\n  annotations: {credproxy.dev/paused: 'yes'}", 1),
	} {
		if len(schemaFaults(t, s, file)) == 0 {
			t.Errorf("%s: not refused", name)
		}
	}
}
