package app

import (
	"errors"
	"fmt"
	"strings"

	"credproxy.dev/controller/pkg/nearest"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// SpecOf reads a directory by the rules of Run and returns the spec of a name. No engine is asked, and no policy.
func SpecOf(directory, name string, opts spec.Options) (*spec.CredProxy, error) {
	snap := source.ReadPaths([]string{directory}, opts)
	var names []string
	for _, object := range snap.Specs {
		if object.CredProxy.Name == name {
			return object.CredProxy, nil
		}
		names = append(names, object.CredProxy.Name)
	}
	for _, d := range snap.Duplicates {
		if d.Name == name {
			return nil, fmt.Errorf("%s is declared more than once, at %s; keep one", name, strings.Join(d.Places, " and "))
		}
	}
	for _, i := range snap.Invalid {
		if i.Name == name {
			return nil, said(i.Problems)
		}
	}
	missing := fmt.Errorf("no spec file in %s declares %s%s", spec.ShownPath(directory), name, nearest.Hint(name, names))
	return nil, errors.Join(missing, unreadable(snap))
}

// unreadable are the problems of files that may hold any name, or do not exist.
func unreadable(snap source.Snapshot) error {
	var problems []spec.Problem
	for _, f := range snap.Files {
		if f.State != source.FileValid && snap.KeepAll {
			problems = append(problems, f.Errors...)
		}
	}
	return said(problems)
}

// said are problems as one error, a line each; nil when there is none.
func said(problems []spec.Problem) error {
	var all []error
	for _, p := range problems {
		all = append(all, errors.New(p.String()))
	}
	return errors.Join(all...)
}
