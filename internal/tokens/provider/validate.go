package provider

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"credproxy.dev/controller/internal/operatorfile"
)

// Bounds of durations.
const (
	minTimeout, maxTimeout                 = 100 * time.Millisecond, 5 * time.Minute
	minRefreshBefore, maxRefreshBefore     = time.Second, 24 * time.Hour
	minRefreshInterval, maxRefreshInterval = time.Second, 24 * time.Hour
)

// invalid leaves the value out: it may be a secret in the wrong place, and is at the line anyway.
func invalid(path *field.Path, todo string) *field.Error {
	return field.Invalid(path, field.OmitValueType{}, todo)
}

func validate(doc document, specs string) field.ErrorList {
	path := field.NewPath("providers")
	if len(doc.Providers) == 0 {
		return field.ErrorList{field.Required(path, "declare at least one, or leave --token-providers out")}
	}
	var errs field.ErrorList
	names := sets.New[string]()
	for i, d := range doc.Providers {
		at := path.Index(i)
		switch {
		case d.Name == "":
			errs = append(errs, field.Required(at.Child("name"), "give it the name by which specs know it, as a DNS label"))
		case content.IsDNS1123Label(d.Name) != nil:
			errs = append(errs, invalid(at.Child("name"),
				"must be a DNS label: at most 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit"))
		case names.Has(d.Name):
			errs = append(errs, field.Duplicate(at.Child("name"), d.Name))
		}
		names.Insert(d.Name)
		errs = append(errs, validateExec(d.Exec, specs, at.Child("exec"))...)
		errs = append(errs, validateDuration(d.Timeout, minTimeout, maxTimeout, at.Child("timeout"))...)
		errs = append(errs, validateDuration(d.RefreshBefore, minRefreshBefore, maxRefreshBefore, at.Child("refreshBefore"))...)
		errs = append(errs, validateDuration(d.RefreshInterval, minRefreshInterval, maxRefreshInterval, at.Child("refreshInterval"))...)
	}
	return errs
}

func validateExec(e execution, specs string, path *field.Path) field.ErrorList {
	errs := validateCommand(e.Command, specs, path.Child("command"))
	for i, arg := range e.Args {
		if strings.Contains(arg, "\x00") {
			errs = append(errs, invalid(path.Child("args").Index(i), mustNotHoldNUL))
		}
	}
	taken := sets.New[string]()
	for i, v := range e.Env {
		errs = append(errs, validateVariable(v.Name, taken, path.Child("env").Index(i).Child("name"))...)
		if strings.Contains(v.Value, "\x00") {
			errs = append(errs, invalid(path.Child("env").Index(i).Child("value"), mustNotHoldNUL))
		}
	}
	for i, name := range e.PassEnv {
		errs = append(errs, validateVariable(name, taken, path.Child("passEnv").Index(i))...)
	}
	return errs
}

const mustNotHoldNUL = "must not hold a NUL: no program can be given one"

// validateCommand wants a path, so that nothing is looked for in directories that others may write.
func validateCommand(command, specs string, path *field.Path) field.ErrorList {
	switch {
	case command == "":
		return field.ErrorList{field.Required(path, "write the absolute path of the program")}
	case strings.Contains(command, "\x00"):
		return field.ErrorList{invalid(path, mustNotHoldNUL)}
	case !filepath.IsAbs(command) || filepath.Clean(command) != command:
		return field.ErrorList{invalid(path, "must be the absolute path of a program, without '.', '..' or '//'; arguments go into args")}
	case operatorfile.Beneath(command, specs):
		return field.ErrorList{invalid(path, "must not lie beneath --specs, where authors of specs write")}
	}
	return nil
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// validateVariable refuses what is no name, is the controller's or the protocol's own, or is there already.
func validateVariable(name string, taken sets.Set[string], path *field.Path) field.ErrorList {
	switch {
	case name == "":
		return field.ErrorList{field.Required(path, "write the name of a variable")}
	case !variableName.MatchString(name):
		return field.ErrorList{invalid(path, "must be the name of a variable: letters, digits and '_', not beginning with a digit")}
	case strings.HasPrefix(name, "CREDPROXY_") || name == infoVariable:
		return field.ErrorList{invalid(path, "variables that begin with CREDPROXY_, and "+infoVariable+", are set by the controller")}
	case taken.Has(name):
		return field.ErrorList{field.Duplicate(path, name)}
	}
	taken.Insert(name)
	return nil
}

func validateDuration(text string, lowest, highest time.Duration, path *field.Path) field.ErrorList {
	if text == "" {
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < lowest || d > highest {
		return field.ErrorList{invalid(path, fmt.Sprintf("must be a time from %v to %v, such as 30s", lowest, highest))}
	}
	return nil
}
