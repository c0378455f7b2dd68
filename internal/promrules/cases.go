package promrules

import (
	"errors"
	"path/filepath"
)

// CasesPath are the files of cases for promtool, as a pattern below the root of the repository.
const CasesPath = "config/prometheus/tests/*_test.yaml"

// Case is one set of series, and which alerts come of it.
type Case struct {
	Name     string `yaml:"name"`
	Interval string `yaml:"interval"`
	Input    []struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	} `yaml:"input_series"`
	Checks []Check `yaml:"alert_rule_test"`
}

// Check is which alerts of a name fire at a time.
type Check struct {
	Alert    string     `yaml:"alertname"`
	At       string     `yaml:"eval_time"`
	Expected []Expected `yaml:"exp_alerts"`
}

// Expected is one alert that fires.
type Expected struct {
	Labels      map[string]string `yaml:"exp_labels"`
	Annotations map[string]string `yaml:"exp_annotations"`
}

// Cases reads all cases of a repository.
func Cases(root string) (cases []Case, err error) {
	paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(CasesPath)))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		var file struct {
			Rules    []string `yaml:"rule_files"`
			Interval string   `yaml:"evaluation_interval"`
			Tests    []Case   `yaml:"tests"`
		}
		if err := readYAML(path, &file); err != nil {
			return nil, err
		}
		cases = append(cases, file.Tests...)
	}
	if len(cases) == 0 {
		return nil, errors.New(CasesPath + " has no cases")
	}
	return cases, nil
}
