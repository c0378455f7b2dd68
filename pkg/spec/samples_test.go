package spec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const samples = "../../config/samples"

// The samples are what people copy, and together the directory that `make run` starts on.
func TestTheSamplesAreValidTogether(t *testing.T) {
	files, err := filepath.Glob(samples + "/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	readme := read(t, samples+"/README.md")
	schema := readSchema(t)
	taken := map[string]string{}
	take := func(what, file string) {
		if before, ok := taken[what]; ok {
			t.Errorf("%s is in %s and in %s", what, before, file)
		}
		taken[what] = file
	}
	for _, file := range files {
		text := read(t, file)
		decoded := Decode(file, []byte(text), Options{})
		for _, p := range decoded.Problems {
			t.Error(p)
		}
		for _, fault := range schemaFaults(t, schema, text) {
			t.Errorf("%s: by the schema %s", file, fault)
		}
		for _, object := range decoded.Objects {
			c := object.CredProxy
			take("name "+c.Name, file)
			take("network "+c.Spec.InternalNetwork, file)
			take("network "+c.Spec.EgressNetwork, file)
			for _, what := range needs(c) {
				if !strings.Contains(readme, "`"+what+"`") {
					t.Errorf("README.md does not name `%s`, which %s needs", what, file)
				}
			}
		}
		if !strings.Contains(readme, "]("+filepath.Base(file)+")") {
			t.Errorf("README.md does not mention %s", file)
		}
	}
}

// needs lists what has to be there for a sample to run.
func needs(c *CredProxy) []string {
	what := []string{c.Name, c.Spec.InternalNetwork, c.Spec.EgressNetwork}
	for _, slot := range c.Spec.Slots() {
		what = append(what, slot.Ref.String())
	}
	return what
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
