package spec

import (
	"fmt"
	"strings"
)

// PlannedChange is one way in which the steps of a plan make something other than it is. Of tokens it tells references and slots, never a
// value, nor anything that is derived from one.
type PlannedChange struct {
	// Change is what becomes of it.
	Change ChangeKind `json:"change"`
	// Object is a kind of thing, and Name which of them.
	Object ChangedObject `json:"object"`
	Name   string        `json:"name"`
	// Field is what of it changes; empty for all of it.
	Field string `json:"field,omitempty"`
	// Before and After say how it is and how it will be, in words that may be cut. Before is empty where nobody can know.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// ChangeKind is what becomes of something.
type ChangeKind string

// The kinds of change.
const (
	ChangeAdd    ChangeKind = "add"
	ChangeRemove ChangeKind = "remove"
	ChangeModify ChangeKind = "modify"
)

// ChangedObject is a kind of thing that a plan changes.
type ChangedObject string

// The objects.
const (
	ChangedSidecar ChangedObject = "sidecar"
	ChangedNetwork ChangedObject = "network"
	ChangedVolume  ChangedObject = "volume"
	ChangedRoute   ChangedObject = "route"
)

// Sign tells the kind to people, without colour: +, - or ~.
func (k ChangeKind) Sign() string {
	switch k {
	case ChangeAdd:
		return "+"
	case ChangeRemove:
		return "-"
	}
	return "~"
}

// String tells the change without its sign, such as "route /a upstream: https://a → https://b".
func (c PlannedChange) String() string {
	what := fmt.Sprintf("%s %s %s", c.Object, c.Name, c.Field)
	if c.Object == ChangedSidecar && c.Field != "" {
		what = c.Field // an item is about one sidecar
	}
	what = strings.TrimSpace(what)
	switch {
	case c.Before != "" && c.After != "":
		return what + ": " + c.Before + " → " + c.After
	case c.Before+c.After != "":
		return what + ": " + c.Before + c.After
	}
	return what
}
