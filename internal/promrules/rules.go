package promrules

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// The places of the rules, below the root of the repository.
const (
	AlertsPath    = "config/prometheus/credproxy.alerts.yaml"
	RecordingPath = "config/prometheus/credproxy.recording.yaml"
)

// Rule is one that alerts or records.
type Rule struct {
	// Alert is the name of an alert, and Record that of the series that is recorded; one is empty.
	Alert  string `yaml:"alert"`
	Record string `yaml:"record"`
	Expr   string `yaml:"expr"`
	// For is for how long Expr has to hold, in Prometheus' way to write it; empty where once is enough.
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// Name is that of the alert or of the series.
func (r Rule) Name() string { return r.Alert + r.Record }

// Read reads the rules of a file of a repository, in their order.
func Read(root, path string) (rules []Rule, err error) {
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []Rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := readYAML(filepath.Join(root, filepath.FromSlash(path)), &file); err != nil {
		return nil, err
	}
	for _, group := range file.Groups {
		rules = append(rules, group.Rules...)
	}
	if len(rules) == 0 {
		return nil, fmt.Errorf("%s has no rules", path)
	}
	return rules, nil
}

// readYAML decodes a file whose fields are all known.
func readYAML(path string, into any) error {
	file, err := os.Open(path) //nolint:gosec // a file of this repository
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	err = decoder.Decode(into)
	if closing := file.Close(); err != nil || closing != nil {
		return fmt.Errorf("%s: %w", path, errors.Join(err, closing))
	}
	return nil
}
