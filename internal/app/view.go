package app

import (
	"fmt"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// view is a Controller whose statuses also say whether the spec in force is what its file says now.
type view struct {
	Controller
	files *files
}

// List returns every declared spec with its status.
func (v view) List() []spec.CredProxy {
	list := v.Controller.List()
	standing := v.files.standing()
	for i := range list {
		list[i] = standing.noted(list[i])
	}
	return list
}

// Get returns one declared spec with its status.
func (v view) Get(name string) (spec.CredProxy, bool) {
	one, ok := v.Controller.Get(name)
	if !ok {
		return one, false
	}
	return v.files.standing().noted(one), true
}

// standing is how what is in force stands to what the files say now.
type standing struct {
	// stale says, for each spec whose file has turned bad, what is wrong with it.
	stale map[string]string
	// unread says why the files may say something that was not read; empty when all were.
	unread string
}

func (f *files) standing() standing {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := standing{stale: stale(f.root, f.last)}
	if !f.last.Complete {
		s.unread = fmt.Sprintf("not every spec file could be read: %v", f.last.Err)
	}
	return s
}

// stale says, for each spec whose file has turned bad, what is wrong with that.
func stale(root string, s source.Snapshot) map[string]string {
	wrong := map[string]string{}
	for _, file := range s.Files {
		wrong[file.Path] = firstProblem(root, file)
	}
	notes := map[string]string{}
	for _, object := range s.Specs {
		if object.Stale {
			notes[object.CredProxy.Name] = wrong[object.File] + "; the last good version stays in force"
		}
	}
	return notes
}

func firstProblem(root string, file source.FileStatus) string {
	if len(file.Errors) == 0 {
		return file.Path + ": the file is empty or holds other specs now"
	}
	first := file.Errors[0]
	first.File = file.Path
	text := first.String()
	if more := len(file.Errors) - 1; more > 0 {
		text += fmt.Sprintf("; and %d more: controller validate %s", more, filepath.Join(root, file.Path))
	}
	return text
}

// noted adds to a spec's status how it stands to its file.
func (s standing) noted(one spec.CredProxy) spec.CredProxy {
	status := one.Status.DeepCopy()
	if status == nil {
		status = &spec.CredProxyStatus{}
	}
	ready := meta.FindStatusCondition(status.Conditions, spec.ConditionReady)
	// What Ready says anyway takes nobody's place.
	told := status.LastError == "" || ready != nil && strings.Contains(ready.Message, status.LastError)
	if note := s.stale[one.Name]; note != "" && told {
		status.LastError = note
	}
	if ready != nil {
		status.Conditions = append(status.Conditions, s.current(one.Name, *ready))
	}
	one.Status = status
	return one
}

// current judges whether what serves is what the file says now. Nobody follows since when: its time is Ready's.
func (s standing) current(name string, ready metav1.Condition) metav1.Condition {
	c := ready
	c.Type = spec.ConditionCurrent
	switch {
	case ready.Status == metav1.ConditionFalse && s.stale[name] != "":
		c.Message += "; besides, " + s.stale[name] // else nobody would know of it before the other is mended
	case ready.Status == metav1.ConditionFalse:
	case s.stale[name] != "":
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, reconcile.ReasonLastGood, s.stale[name]
	case s.unread != "":
		c.Status, c.Reason, c.Message = metav1.ConditionUnknown, reconcile.ReasonNotChecked, s.unread
	case ready.Reason == reconcile.ReasonPaused:
		c.Status, c.Message = metav1.ConditionUnknown, "no step is taken while it is paused, so what serves may be older than the file"
	case ready.Status == metav1.ConditionTrue:
		c.Reason, c.Message = reconcile.ReasonInForce, "what serves is what the file says"
	}
	return c
}
