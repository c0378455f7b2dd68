package app

import (
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// view is a Controller whose statuses also say when a spec in force is not what its file says now.
type view struct {
	Controller
	files *files
}

// List returns every declared spec with its status.
func (v view) List() []spec.CredProxy {
	list := v.Controller.List()
	stale := v.files.stale()
	for i := range list {
		list[i] = withNote(list[i], stale[list[i].Name])
	}
	return list
}

// Get returns one declared spec with its status.
func (v view) Get(name string) (spec.CredProxy, bool) {
	one, ok := v.Controller.Get(name)
	return withNote(one, v.files.stale()[name]), ok
}

func withNote(one spec.CredProxy, note string) spec.CredProxy {
	if note == "" {
		return one
	}
	var status spec.CredProxyStatus
	if one.Status != nil {
		status = *one.Status
	}
	if status.LastError == "" {
		status.LastError = note
	}
	one.Status = &status
	return one
}

// stale says, for each spec whose file has turned bad, what is wrong with it.
func (f *files) stale() map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	wrong := map[string]string{}
	for _, file := range f.last.Files {
		wrong[file.Path] = firstProblem(file)
	}
	notes := map[string]string{}
	for _, object := range f.last.Specs {
		if object.Stale {
			notes[object.CredProxy.Name] = wrong[object.File] + "; the last good version stays in force"
		}
	}
	return notes
}

func firstProblem(file source.FileStatus) string {
	if len(file.Errors) == 0 {
		return file.Path + ": the file is empty or holds other specs now"
	}
	first := file.Errors[0]
	first.File = file.Path
	return first.String()
}
