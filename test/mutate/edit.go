package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// protection is one place in the code that keeps something from happening.
type protection struct {
	// name says what is held.
	name string
	// file is where, from the module's root. old is found in it exactly once, and new in its place switches the protection off.
	file, old, new string
	// elsewhere are tests of the file's own package that hold it too, where attacks from outside do not reach.
	elsewhere []string
}

// apply switches the protection off in a text of its file.
func (p protection) apply(text string) (string, error) {
	if n := strings.Count(text, p.old); n != 1 {
		return "", fmt.Errorf("%s: in %s, what is to be changed is found %d times, not once; follow the change of the code in test/mutate: %q", p.name, p.file, n, p.old)
	}
	return strings.Replace(text, p.old, p.new, 1), nil
}

// read returns its file as it is.
func (p protection) read(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, p.file))
	return string(text), err
}

// protections are all of them, by what they are about.
func protections() []protection {
	var all []protection
	for _, some := range [][]protection{
		ofFields(), ofQueries(), ofPaths(), ofPolicies(), ofTargets(), ofDestinations(), ofRedirects(),
		ofAnswers(), ofSpellings(), ofLimits(), ofHTTP2(), ofTheDoor(), ofGenerations(), ofTheLog(),
	} {
		all = append(all, some...)
	}
	return all
}
