package source

import (
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/pkg/spec"
)

// Snapshot is one look at the directory. It is a value: nothing in it changes later. Its paths are as people are shown
// them (spec.ShownPath), so that the name of a file cannot forge what is written about it.
type Snapshot struct {
	// At is when the scan began.
	At time.Time
	// Complete is true when every directory and file was read. On an incomplete scan nothing may be removed.
	Complete bool
	// Err says why the scan is not complete; nil when it is. It wraps ErrRoot when the directory itself is why. While git is writing, the Snapshot is the one before
	// but for At, Complete and Err.
	Err error
	// Root is the directory that was read, for telling whether the next Snapshot is of the same one.
	Root RootID
	// Specs are the valid objects with a unique name, in order of their names. They have their defaults. Objects
	// of a file that has turned bad are those that it last had when it was good.
	Specs []Object
	// Duplicates are the names that more than one file, or one file twice, declares. No spec of them is in Specs.
	Duplicates []Duplicate
	// Invalid are the named objects with problems that have no last good version, and those that wait for their file.
	// Their names are DNS labels; any other is in KeepNames alone.
	Invalid []InvalidObject
	// Files are all files, in order of their paths.
	Files []FileStatus
	// Ignored are the paths of files that are not read because their names end as those of specs do, but in capitals.
	Ignored []string
	// KeepNames are names whose sidecars must not be removed, though no spec declares them: duplicates, and
	// what a bad file without last good objects can be read to hold.
	KeepNames sets.Set[string]
	// KeepAll is true when a bad file without last good objects does not even parse, or has nothing written in it
	// yet, so that it might hold any name.
	KeepAll bool
}

// Object is one valid spec and where it stands.
type Object struct {
	CredProxy *spec.CredProxy
	// File is relative to the root.
	File string
	// Folder is the directory in which the file really is, whatever links lead to it: relative to the root, with slashes, "."
	// for the root itself, and as it is, not as it is shown. Of a Stale object it is where that version was.
	Folder string
	// Line is that of its name.
	Line int
	// Stale is true when the file has turned bad and this is its last good version.
	Stale bool
}

// Duplicate is a name that is declared more than once.
type Duplicate struct {
	Name string
	// Places are "file:line", in order.
	Places []string
}

// InvalidObject is an object that names itself and is not valid.
type InvalidObject struct {
	Name string
	File string
	// Problems are of this object alone; there is at least one.
	Problems []spec.Problem
}

// FileStatus is one file as /api/v1alpha1/sources shows it.
type FileStatus struct {
	Path string `json:"path"`
	// State is Valid, Invalid or Empty.
	State FileState `json:"state"`
	// LastGood is true when the objects in force are of an earlier version of the file.
	LastGood bool           `json:"lastGood"`
	Errors   []spec.Problem `json:"errors"`
	// Declares are the names that it can be read to declare, sorted, whether or not these are in force.
	Declares []string `json:"declares"`
	// Keeps is true when the file is bad and so the sidecars of names stay that no spec declares.
	Keeps bool `json:"-"`
}

// FileState is what a scan found in a file.
type FileState string

// The states of a file.
const (
	FileValid   FileState = "Valid"
	FileInvalid FileState = "Invalid"
	FileEmpty   FileState = "Empty"
)
