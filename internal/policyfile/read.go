package policyfile

import (
	"errors"
	"fmt"
	"strings"

	"credproxy.dev/controller/internal/operatorfile"
	"credproxy.dev/controller/pkg/policy"
	"credproxy.dev/controller/pkg/spec"
)

func isExposed(err error) bool { return errors.Is(err, operatorfile.ErrExposed) }

// read reads the file, unless others could change it.
func (f *File) read() ([]byte, error) {
	data, err := operatorfile.Read(f.opts.Path, f.opts.Specs...)
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", spec.ShownPath(f.opts.Path), err)
	}
	return data, nil
}

// mostProblems is how many problems an error tells.
const mostProblems = 5

// decode reads a policy's text. The error has the first problems, each with its line.
func decode(path string, data []byte) (*policy.Policy, error) {
	good, problems := policy.Decode(path, data)
	if len(problems) == 0 {
		return good, nil
	}
	var lines []string
	for _, p := range problems[:min(len(problems), mostProblems)] {
		lines = append(lines, p.String())
	}
	if more := len(problems) - mostProblems; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return nil, errors.New(strings.Join(lines, "; "))
}
