package app

import (
	"strings"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
)

// declared turns what the files say into the desired side of a plan.
func declared(s source.Snapshot) reconcile.Declared {
	d := reconcile.Declared{
		At: s.At, Complete: s.Complete, Err: s.Err, KeepNames: s.KeepNames, KeepAll: s.KeepAll,
		Root:     reconcile.Root{Device: s.Root.Device, Inode: s.Root.Inode, Linked: s.Root.Linked},
		Rejected: rejected(s), BadFiles: badFiles(s),
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
func rejected(s source.Snapshot) []reconcile.Rejected {
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
		add(dup.Name, reconcile.ReasonDuplicateName,
			"declared more than once, in "+strings.Join(dup.Places, " and ")+"; keep one of them")
	}
	for _, invalid := range s.Invalid {
		var problems []string
		for _, p := range invalid.Problems {
			problems = append(problems, p.String())
		}
		add(invalid.Name, reconcile.ReasonInvalidSpec, strings.Join(problems, "; "))
	}
	return out
}
