package app

import (
	"fmt"
	"path/filepath"
	"strings"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
)

// mostSaid is how many bytes are said of one name, more or less: it is said in its status, an event and the log.
const mostSaid = 1 << 10

// declared turns what the files beneath a directory say into the desired side of a plan.
func declared(root string, s source.Snapshot) reconcile.Declared {
	d := reconcile.Declared{
		At: s.At, Complete: s.Complete, Err: s.Err, KeepNames: s.KeepNames, KeepAll: s.KeepAll,
		Root:     reconcile.Root{Device: s.Root.Device, Inode: s.Root.Inode, Linked: s.Root.Linked},
		Rejected: rejected(root, s), BadFiles: badFiles(s), Stale: stale(root, s),
		Withheld: map[string]reconcile.Withholding{},
	}
	for _, object := range s.Specs {
		d.Specs = append(d.Specs, object.CredProxy)
	}
	return d
}

// badFiles are the files that might declare what no spec does.
func badFiles(s source.Snapshot) []string {
	var out []string
	for _, file := range s.Files {
		if file.Keeps {
			out = append(out, file.Path)
		}
	}
	return out
}

// rejected has each name once: a name that is declared twice says so, whatever else is wrong with it.
func rejected(root string, s source.Snapshot) []reconcile.Rejected {
	var out []reconcile.Rejected
	seen := map[string]bool{}
	for _, object := range s.Specs {
		seen[object.CredProxy.Name] = true
	}
	add := func(name, reason, message string) {
		if !seen[name] {
			seen[name] = true
			out = append(out, reconcile.Rejected{Name: name, Reason: reason, Message: message})
		}
	}
	for _, dup := range s.Duplicates {
		add(dup.Name, reconcile.ReasonDuplicateName, twice(dup))
	}
	for _, invalid := range s.Invalid {
		add(invalid.Name, reconcile.ReasonInvalidSpec, wrong(root, invalid))
	}
	return out
}

func twice(dup source.Duplicate) string {
	places, rest := short(dup.Places, " and ")
	if rest > 0 {
		places += fmt.Sprintf(" and %d more places", rest)
	}
	return "declared more than once, in " + places + "; keep one of them"
}

func wrong(root string, invalid source.InvalidObject) string {
	var problems []string
	for _, p := range invalid.Problems {
		problems = append(problems, p.String())
	}
	text, rest := short(problems, "; ")
	if rest > 0 {
		text += fmt.Sprintf("; and %d more problems: controller validate %s", rest, filepath.Join(root, invalid.File))
	}
	return text
}

// short joins parts up to mostSaid, the first in any case, and counts the rest.
func short(parts []string, separator string) (text string, rest int) {
	for i, part := range parts {
		switch {
		case i == 0:
			text = clipped(part)
		case len(text)+len(separator)+len(part) > mostSaid:
			return text, len(parts) - i
		default:
			text += separator + part
		}
	}
	return text, 0
}

// clipped is the beginning of a text that is too long.
func clipped(text string) string {
	if len(text) <= mostSaid {
		return text
	}
	return strings.ToValidUTF8(text[:mostSaid], "") + "…"
}
