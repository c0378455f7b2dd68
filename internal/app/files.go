package app

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"sync"

	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// mostProblems is how many problems of one file the log tells at a time.
const mostProblems = 10

// files remembers what the last scan found, and tells people what changed since the one before, once.
type files struct {
	log     *slog.Logger
	metrics *fileMetrics
	// changed is told, under the lock, when list has something else to say; nil when nobody wants to know.
	changed func()
	// root is the directory of specs, as it was given.
	root string

	mu       sync.Mutex
	last     source.Snapshot
	complete bool
	scanErr  string
	problems map[string][]spec.Problem
}

func newFiles(opts Options, metrics *fileMetrics) *files {
	return &files{root: opts.Specs, log: opts.Log, metrics: metrics, changed: opts.Changed, problems: map[string][]spec.Problem{}}
}

// found takes a scan in.
func (f *files) found(s source.Snapshot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.metrics.record(s)
	if f.changed != nil && (!reflect.DeepEqual(f.last.Files, s.Files) || fmt.Sprint(f.last.Err) != fmt.Sprint(s.Err)) {
		f.changed()
	}
	f.last = s
	f.complete = f.complete || s.Complete
	f.tellScan(s)
	if !errors.Is(s.Err, source.ErrRoot) { // That is all there is to say then.
		f.tellFiles(s)
	}
}

func (f *files) tellScan(s source.Snapshot) {
	var now string
	if !s.Complete {
		now = fmt.Sprint(s.Err)
	}
	switch {
	case now == f.scanErr:
	case now == "":
		f.log.Info("the spec files can be read again")
	case errors.Is(s.Err, source.ErrRoot):
		f.log.Error("the directory of specs cannot be read; sidecars stay as they are until it can", "error", now)
	default:
		f.log.Error("not every spec file could be read; nothing is removed until that is mended", "error", now)
	}
	f.scanErr = now
}

func (f *files) tellFiles(s source.Snapshot) {
	seen := map[string]bool{}
	for _, file := range s.Files {
		seen[file.Path] = true
		f.tellFile(file)
	}
	for path := range f.problems {
		if s.Complete && !seen[path] {
			delete(f.problems, path)
		}
	}
}

func (f *files) tellFile(file source.FileStatus) {
	before := f.problems[file.Path]
	if slices.Equal(before, file.Errors) {
		return
	}
	if len(file.Errors) == 0 {
		delete(f.problems, file.Path)
		f.log.Info("the spec file is good again", "file", file.Path)
		return
	}
	f.problems[file.Path] = file.Errors
	for i, p := range file.Errors {
		if i == mostProblems {
			f.log.Warn(fmt.Sprintf("and %d more: controller validate %s", len(file.Errors)-i, filepath.Join(f.root, file.Path)),
				"file", file.Path)
			return
		}
		f.log.Warn("bad spec file", append(where(file.Path, p), "problem", p.Message, "last_good_in_force", file.LastGood)...)
	}
}

// where is the place of a problem, as far as it is known.
func where(path string, p spec.Problem) []any {
	place := []any{"file", path}
	if p.Line > 0 {
		place = append(place, "line", p.Line)
	}
	if p.Field != "" {
		place = append(place, "field", p.Field)
	}
	return place
}

// list is every file of the last scan, and why that was not complete.
func (f *files) list() ([]source.FileStatus, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last.Files, f.last.Err
}

// ready returns nil once a scan was complete, unless the directory is out of reach now.
func (f *files) ready() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case errors.Is(f.last.Err, source.ErrRoot):
		return f.last.Err
	case f.complete:
		return nil
	case f.scanErr != "":
		return fmt.Errorf("the spec files were not yet read completely: %s", f.scanErr)
	}
	return fmt.Errorf("the spec files were not yet read")
}
