// Package revocation keeps what an operator has revoked: the names of specs and the references of tokens that no sidecar may
// use until that is undone. It is a file beside the locks, so that it outlives the controller, and a boot. Nothing in it
// comes from a token.
package revocation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"credproxy.dev/controller/internal/lock"
	"credproxy.dev/controller/pkg/spec"
)

// List is what is revoked. Both lists are sorted, and have nothing twice.
type List struct {
	Names  []string        `json:"names"`
	Tokens []spec.TokenRef `json:"tokens"`
}

// Add revokes what another list has as well.
func (l *List) Add(other List) {
	l.Names = sorted(append(l.Names, other.Names...), strings.Compare)
	l.Tokens = sorted(append(l.Tokens, other.Tokens...), byString)
}

// Remove lets what another list has be used again.
func (l *List) Remove(other List) {
	l.Names = slices.DeleteFunc(l.Names, func(name string) bool { return slices.Contains(other.Names, name) })
	l.Tokens = slices.DeleteFunc(l.Tokens, func(ref spec.TokenRef) bool { return slices.Contains(other.Tokens, ref) })
}

// Empty reports whether nothing is revoked.
func (l List) Empty() bool { return len(l.Names)+len(l.Tokens) == 0 }

// Without is this list without what another one has; neither is changed.
func (l List) Without(other List) List {
	rest := List{Names: slices.Clone(l.Names), Tokens: slices.Clone(l.Tokens)}
	rest.Remove(other)
	return rest
}

// Lines writes out the list for people, one line for each thing: "spec web", "token env:GITHUB_TOKEN".
func (l List) Lines() []string {
	var lines []string
	for _, name := range l.Names {
		lines = append(lines, "spec "+name)
	}
	for _, ref := range l.Tokens {
		lines = append(lines, "token "+ref.Typed())
	}
	return lines
}

func sorted[T comparable](all []T, compare func(a, b T) int) []T {
	slices.SortFunc(all, compare)
	return slices.Compact(all)
}

func byString(a, b spec.TokenRef) int { return strings.Compare(a.String(), b.String()) }

// maxBytes bounds the file.
const maxBytes = 1 << 20

// document is the file.
type document struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	List
}

const kind = "Revocations"

// Path is the file of an instance in a directory of state.
func Path(dir, instance string) string {
	return filepath.Join(dir, "revocations-"+instance+".json")
}

// Written reports whether there is a file, which has been there since something was revoked first.
func Written(dir, instance string) bool {
	_, err := os.Stat(Path(dir, instance))
	return err == nil
}

// Read reads what is revoked; nothing is while there is no file.
func Read(dir, instance string) (List, error) {
	path := Path(dir, instance)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return List{}, nil
	}
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxBytes) {
		err = fmt.Errorf("it is not a regular file of at most %d bytes", maxBytes)
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path) //nolint:gosec // in the operator's own directory
	}
	var doc document
	if err == nil {
		err = json.Unmarshal(data, &doc)
	}
	if err == nil && (doc.Kind != kind || doc.APIVersion != spec.APIVersion) {
		err = fmt.Errorf("it is not of kind %s, %s", kind, spec.APIVersion)
	}
	if err != nil {
		return List{}, fmt.Errorf("read what is revoked from %s: %w; mend it, or remove it to revoke nothing", path, err)
	}
	return doc.List, nil
}

// lockPatience is how long a change waits for another one.
const lockPatience = 5 * time.Second

// Change changes what is revoked, one process after another. A crash leaves the file as it was, or as it is to be.
func Change(ctx context.Context, dir, instance string, change func(*List)) error {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	held, _, err := lock.NewNames().Acquire(ctx, dir, "revocations", instance)
	if err != nil {
		return fmt.Errorf("change what is revoked: %w", err)
	}
	defer func() { _ = held.Release() }()
	list, err := Read(dir, instance)
	if err != nil {
		return err
	}
	change(&list)
	return write(Path(dir, instance), document{APIVersion: spec.APIVersion, Kind: kind, List: list})
}

// write replaces the file as a whole.
func write(path string, doc document) (err error) {
	data, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // with mode 0600
	if err != nil {
		return fmt.Errorf("write what is revoked: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write what is revoked: %w", errors.Join(err, os.Remove(file.Name())))
		}
	}()
	_, err = file.Write(append(data, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err = lock.Bequeath(file.Name(), filepath.Dir(path)); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
