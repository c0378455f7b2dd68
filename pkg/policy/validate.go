package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"credproxy.dev/controller/pkg/spec"
)

// omitted stands for a value that is not put into a message, which could repeat a token in the wrong place.
type omitted = field.OmitValueType

func invalid(path *field.Path, todo string) *field.Error { return field.Invalid(path, omitted{}, todo) }

const mustBeLabel = "must be a DNS label: at most 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit"

// validate returns every problem of a document of which the types are right.
func validate(d *Document) field.ErrorList {
	var errs field.ErrorList
	if at := field.NewPath("metadata", "name"); d.Metadata.Name == "" {
		errs = append(errs, field.Required(at, "name the policy, as a DNS label"))
	} else if content.IsDNS1123Label(d.Metadata.Name) != nil {
		errs = append(errs, invalid(at, mustBeLabel))
	}
	at := field.NewPath("spec")
	if len(d.Spec.Rules) == 0 {
		errs = append(errs, field.Required(at.Child("rules"), "add at least one rule: what none permits is refused"))
	}
	seen := map[string]int{}
	for i := range d.Spec.Rules {
		errs = append(errs, validateRule(&d.Spec.Rules[i], i, seen, at.Child("rules"))...)
	}
	return append(errs, validateQuotas(d.Spec.Quotas, at.Child("quotas"))...)
}

func validateRule(r *Rule, i int, seen map[string]int, rules *field.Path) field.ErrorList {
	at := rules.Index(i)
	errs := validateRuleName(r.Name, i, seen, rules)
	if len(r.Folders) == 0 {
		errs = append(errs, field.Required(at.Child("folders"), `write patterns of folders below --specs, such as "team-a/**", "." or "**"`))
	}
	errs = append(errs, each(r.Folders, at.Child("folders"), folderPattern)...)
	errs = append(errs, notEmpty(r.Names, at.Child("names"))...)
	errs = append(errs, each(r.Names, at.Child("names"), namePattern)...)
	errs = append(errs, validateLabels(r.MatchLabels, at.Child("matchLabels"))...)
	errs = append(errs, validateReferences(r.Tokens, at.Child("tokens"))...)
	errs = append(errs, validateUpstreams(r.Upstreams, at.Child("upstreams"))...)
	errs = append(errs, validateReferences(r.CallerKeys, at.Child("callerKeys"))...)
	errs = append(errs, each(r.Networks, at.Child("networks"), networkPattern)...)
	errs = append(errs, each(r.Images, at.Child("images"), imagePattern)...)
	errs = append(errs, validateOptions(r.Allow, at.Child("allow"))...)
	return append(errs, validateTogether(r, at)...)
}

func validateRuleName(name string, i int, seen map[string]int, rules *field.Path) field.ErrorList {
	at := rules.Index(i).Child("name")
	if name == "" {
		return field.ErrorList{field.Required(at, "name the rule, as a DNS label; refusals tell it")}
	}
	if content.IsDNS1123Label(name) != nil {
		return field.ErrorList{invalid(at, mustBeLabel)}
	}
	if before, taken := seen[name]; taken {
		return field.ErrorList{invalid(at, fmt.Sprintf("taken by %s; give each rule its own", rules.Index(before)))}
	}
	seen[name] = i
	return nil
}

// validateTogether refuses a rule that permits less than it seems to.
func validateTogether(r *Rule, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	missing := func(has, needs string, todo string) {
		errs = append(errs, field.Required(at.Child(needs), has+" alone permits nothing: "+todo))
	}
	switch {
	case len(r.Tokens) > 0 && len(r.Upstreams) == 0:
		missing("tokens", "upstreams", "say to which upstreams they may be sent")
	case len(r.Upstreams) > 0 && len(r.Tokens) == 0:
		missing("upstreams", "tokens", "say which tokens may be sent there; a route without auth needs no rule")
	}
	custom := slices.Contains(r.Allow, CustomImage)
	switch {
	case len(r.Images) > 0 && !custom:
		missing("images", "allow", "add CustomImage to it")
	case custom && len(r.Images) == 0:
		missing("CustomImage", "images", `say which images; "**" is any`)
	}
	return errs
}

// each says of every text what rule finds wrong with it.
func each(texts []string, at *field.Path, rule func(string) string) field.ErrorList {
	var errs field.ErrorList
	for i, text := range texts {
		if todo := rule(text); todo != "" {
			errs = append(errs, invalid(at.Index(i), todo))
		}
	}
	return errs
}

// notEmpty refuses a list in which nothing stands: left out it selects everything, so that one might mean either.
func notEmpty(list []string, at *field.Path) field.ErrorList {
	if list != nil && len(list) == 0 {
		return field.ErrorList{field.Required(at, "write at least one entry, or remove the field")}
	}
	return nil
}

func validateLabels(labels map[string]string, at *field.Path) field.ErrorList {
	if labels == nil {
		return nil
	}
	if len(labels) == 0 {
		return field.ErrorList{field.Required(at, "write at least one label, or remove the field")}
	}
	var errs field.ErrorList
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		for _, todo := range slices.Concat(content.IsLabelKey(key), content.IsLabelValue(labels[key])) {
			errs = append(errs, invalid(at.Key(key), todo))
		}
	}
	return errs
}

func validateReferences(all []Reference, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	check := func(path *field.Path, text string, rule func(string) string) {
		if todo := rule(text); todo != "" {
			errs = append(errs, invalid(path, todo))
		}
	}
	for i, r := range all {
		at := at.Index(i)
		switch {
		case r == Reference{Env: r.Env} && r.Env != "":
			check(at.Child("env"), r.Env, envPattern)
		case r == Reference{File: r.File} && r.File != "":
			check(at.Child("file"), r.File, filePattern)
		case r == Reference{Provider: r.Provider, Key: r.Key} && r.Provider != "" && r.Key != "":
			check(at.Child("provider"), r.Provider, providerPattern)
			check(at.Child("key"), r.Key, filePattern)
		default:
			errs = append(errs, invalid(at, "must be one of env: VARIABLE, file: PATH, and provider: NAME with key: KEY"))
		}
	}
	return errs
}

func validateUpstreams(all []Upstream, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, u := range all {
		at := at.Index(i)
		if u.Scheme != "" && u.Scheme != "https" && u.Scheme != "http" {
			errs = append(errs, invalid(at.Child("scheme"), "must be https, which it is when left out, or http"))
		}
		if todo := hostPattern(u.Host); todo != "" {
			errs = append(errs, invalid(at.Child("host"), todo))
		}
		if _, ok := u.port(); !ok {
			errs = append(errs, invalid(at.Child("port"), `must be from 1 to 65535, or "*" for any`))
		}
		errs = append(errs, notEmpty(u.Paths, at.Child("paths"))...)
		errs = append(errs, each(u.Paths, at.Child("paths"), urlPathPattern)...)
	}
	return errs
}

func validateOptions(all []Option, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, o := range all {
		if !slices.Contains(Options(), o) {
			errs = append(errs, invalid(at.Index(i), "is no option; known: "+join(Options())))
		}
	}
	return errs
}

// Bounds of quotas, beyond which their sums could not be counted.
const (
	maxMemory = "1024Ti"
	maxCPUs   = "1000000"
)

func validateQuotas(all []Quota, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	seen := map[string]int{}
	for i, q := range all {
		at := at.Index(i)
		todo := plainFolder(q.Folder)
		before, taken := seen[q.Folder]
		switch {
		case q.Folder == "":
			errs = append(errs, field.Required(at.Child("folder"), `name a folder below --specs; "." is --specs itself`))
		case todo != "":
			errs = append(errs, invalid(at.Child("folder"), todo))
		case taken:
			errs = append(errs, invalid(at.Child("folder"), fmt.Sprintf("has a quota in entry %d already; keep one", before)))
		default:
			seen[q.Folder] = i
		}
		if (q == Quota{Folder: q.Folder}) {
			errs = append(errs, field.Required(at, "bounds nothing: write specs, memory, cpus or pids"))
		}
		if q.Specs < 0 {
			errs = append(errs, invalid(at.Child("specs"), "must be at least 1"))
		}
		if q.Pids < 0 {
			errs = append(errs, invalid(at.Child("pids"), "must be at least 1"))
		}
		errs = append(errs, validateQuantity(q.Memory, maxMemory, "2Gi", at.Child("memory"))...)
		errs = append(errs, validateQuantity(q.CPUs, maxCPUs, `"8" or 500m`, at.Child("cpus"))...)
	}
	return errs
}

func validateQuantity(text, most, example string, at *field.Path) field.ErrorList {
	if text == "" {
		return nil
	}
	q, ok := spec.ParseQuantity(text)
	if !ok || q.Sign() <= 0 || q.Cmp(resource.MustParse(most)) > 0 {
		return field.ErrorList{invalid(at, "must be a positive quantity up to "+most+", such as "+example)}
	}
	return nil
}

// join writes values one after the other.
func join[T ~string](all []T) string {
	words := make([]string, len(all))
	for i, one := range all {
		words[i] = string(one)
	}
	return strings.Join(words, ", ")
}
