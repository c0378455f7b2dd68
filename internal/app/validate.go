package app

import (
	"cmp"
	"slices"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// Validate reads files and directories by the rules of Run. Specs that cannot be in force together are among the
// problems of their files. No engine is asked.
func Validate(paths []string, opts spec.Options) source.Snapshot {
	snap := source.ReadPaths(paths, opts)
	objects := map[string]source.Object{}
	var specs []*spec.CredProxy
	for _, object := range snap.Specs {
		objects[object.CredProxy.Name] = object
		specs = append(specs, object.CredProxy)
	}
	for _, blocked := range reconcile.Conflicts(specs) {
		object := objects[blocked.Name]
		i := slices.IndexFunc(snap.Files, func(f source.FileStatus) bool { return f.Path == object.File })
		file := &snap.Files[i]
		file.State = source.FileInvalid
		file.Errors = append(file.Errors, spec.Problem{File: file.Path, Line: object.Line, Message: blocked.Message})
		slices.SortStableFunc(file.Errors, func(a, b spec.Problem) int { return cmp.Compare(a.Line, b.Line) })
	}
	return snap
}
