package dashboards

import (
	"bytes"
	"encoding/json"
)

// Files are the dashboards as JSON, by the names of their files.
func Files() (map[string][]byte, error) {
	files := map[string][]byte{}
	for name, p := range map[string]page{"fleet.json": fleet(), "environment.json": environment()} {
		made, err := p.build()
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(made); err != nil {
			return nil, err
		}
		files[name] = b.Bytes()
	}
	return files, nil
}
