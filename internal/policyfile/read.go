package policyfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"credproxy.dev/controller/pkg/policy"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// exposedError means that others than the operator may change what the policy says.
type exposedError struct{ error }

func isExposed(err error) bool { return errors.As(err, new(exposedError)) }

// read reads the file, unless others could change it.
func (f *File) read() ([]byte, error) {
	shown := spec.ShownPath(f.opts.Path)
	for _, specs := range f.opts.Specs {
		passes, err := source.Passes(f.opts.Path, specs)
		if err != nil {
			return nil, fmt.Errorf("policy %s: %w", shown, err)
		}
		if passes {
			return nil, exposedError{fmt.Errorf("policy %s: it is, or is reached by a link, in the directory of specs %s, where the authors of specs could change it; "+
				"move it to a place of the operator's", shown, spec.ShownPath(specs))}
		}
	}
	data, err := readFile(f.opts.Path)
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", shown, err)
	}
	return data, nil
}

// readFile reads a regular file that only its owner may write. Opening never waits.
func readFile(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0) //nolint:gosec // the operator names it
	if err != nil {
		return nil, explain(err)
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, explain(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file; write the policy into one")
	case info.Mode().Perm()&0o022 != 0:
		return nil, exposedError{fmt.Errorf("others than its owner may write it; chmod go-w %s", spec.ShownPath(path))}
	}
	data, err := io.ReadAll(io.LimitReader(file, policy.MaxSize+1))
	switch {
	case err != nil:
		return nil, explain(err)
	case len(data) > policy.MaxSize:
		return nil, errors.New("it is larger than 1 MiB; shorten it")
	}
	return data, nil
}

// explain says what to do about a file that cannot be read.
func explain(err error) error {
	var errno syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("it does not exist; write it, or mend --policy")
	case errors.As(err, &errno):
		return fmt.Errorf("it cannot be read (%w); let the user that runs the controller read it", errno)
	}
	return err
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
