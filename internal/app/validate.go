package app

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// Validate reads files and directories by the rules of Run. Specs that cannot be in force together, and what a policy does
// not permit, are among the problems of their files. No engine is asked. It fails where there is a policy and it cannot be
// judged by.
func Validate(paths []string, opts Options) (source.Snapshot, error) {
	if opts.Policy != "" {
		if err := allDirectories(paths); err != nil {
			return source.Snapshot{}, err
		}
	}
	policy, err := readPolicy(opts, paths...)
	if err != nil {
		return source.Snapshot{}, err
	}
	snap := source.ReadPaths(paths, opts.Spec)
	d := declared("", snap)
	permit(&d, snap, policy)
	b := blame{snap: snap, objects: map[string]source.Object{}}
	for _, object := range snap.Specs {
		b.objects[object.CredProxy.Name] = object
	}
	for _, object := range snap.Specs {
		if message := d.Policy.Denied[object.CredProxy.Name]; message != "" {
			b.add(object.CredProxy.Name, message)
		}
	}
	for _, blocked := range slices.Concat(reconcile.Conflicts(d.Specs), d.OverQuota()) {
		b.add(blocked.Name, blocked.Message)
	}
	return snap, nil
}

// allDirectories refuses files: a policy judges by folders, and of a file alone it is not known where --specs begins.
func allDirectories(paths []string) error {
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return fmt.Errorf("%s is a file, and a policy judges by folders: give the directory that is --specs", spec.ShownPath(path))
		} else if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// blame adds problems to the files of specs.
type blame struct {
	snap    source.Snapshot
	objects map[string]source.Object
}

func (b blame) add(name, message string) {
	object := b.objects[name]
	i := slices.IndexFunc(b.snap.Files, func(f source.FileStatus) bool { return f.Path == object.File })
	file := &b.snap.Files[i]
	file.State = source.FileInvalid
	file.Errors = append(file.Errors, spec.Problem{File: file.Path, Line: object.Line, Message: message})
	slices.SortStableFunc(file.Errors, func(a, b spec.Problem) int { return cmp.Compare(a.Line, b.Line) })
}
