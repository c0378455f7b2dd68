// Package pagetest makes up what a controller knows, for the tests of the status page: fleets of any size, and what is hostile in
// them.
package pagetest

import (
	"slices"
	"sync"

	"credproxy.dev/controller/internal/page"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// Known is what a controller knows. It may be changed while it is shown.
type Known struct {
	// Bell is rung at each change.
	Bell page.Bell

	mu           sync.Mutex
	environments []spec.CredProxy
	events       []reconcile.Event
	files        []source.FileStatus
	scanErr      error
	notReady     error
	// lists counts how often everything was asked for.
	lists int
}

// Change changes it under its lock, and rings the bell.
func (k *Known) Change(change func(*Facts)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := Facts{k.environments, k.events, k.files, k.scanErr, k.notReady}
	change(&f)
	k.environments, k.events, k.files, k.scanErr, k.notReady = f.Environments, f.Events, f.Files, f.ScanErr, f.NotReady
	k.Bell.Ring()
}

// Facts are what is known at a time.
type Facts struct {
	Environments []spec.CredProxy
	Events       []reconcile.Event
	Files        []source.FileStatus
	// ScanErr says why not every file could be read, and NotReady why the controller is not ready.
	ScanErr, NotReady error
}

// Lists is how often all environments were asked for.
func (k *Known) Lists() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lists
}

// List returns copies of the environments.
func (k *Known) List() []spec.CredProxy {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lists++
	out := make([]spec.CredProxy, 0, len(k.environments))
	for i := range k.environments {
		out = append(out, *k.environments[i].DeepCopy())
	}
	return out
}

// Get returns a copy of one.
func (k *Known) Get(name string) (spec.CredProxy, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.environments {
		if k.environments[i].Name == name {
			return *k.environments[i].DeepCopy(), true
		}
	}
	return spec.CredProxy{}, false
}

// Events returns the events.
func (k *Known) Events() []reconcile.Event {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.events)
}

// Sources returns the files.
func (k *Known) Sources() ([]source.FileStatus, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.files), k.scanErr
}

// Ready says why the controller is not ready.
func (k *Known) Ready() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.notReady
}
