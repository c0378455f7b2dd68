package policy

import (
	"fmt"
	"strings"

	"credproxy.dev/controller/pkg/spec"
)

// listed is how many patterns a message writes out.
const listed = 3

// deny is what a rule does not permit.
func (r *Rule) deny(format string, args ...any) Denial {
	return Denial{Rule: r.Name, Message: fmt.Sprintf("rule %q of the policy ", r.Name) + fmt.Sprintf(format, args...)}
}

// unselected says why no rule selects a spec: none has its folder, or those that do ask for another name or other labels.
func (p *Policy) unselected(folder string, cp *spec.CredProxy) Denial {
	where := spec.ShownPath(folder)
	if folder == "." {
		where += " (--specs itself)"
	}
	for i := range p.rules {
		r := &p.rules[i]
		switch {
		case !r.hasFolder(folder):
		case !r.hasName(cp.Name):
			return r.deny("has folder %s for specs named %s, not for %q; no other selects it", where, some(r.Names), cp.Name)
		default:
			return r.deny("has folder %s for specs with labels of its matchLabels, which %q does not bear; no other selects it", where, cp.Name)
		}
	}
	return Denial{Message: fmt.Sprintf("no rule of the policy has folder %s, in which the spec's file is", where)}
}

// some writes out the first few patterns, and counts the rest.
func some(patterns []string) string {
	switch {
	case len(patterns) == 0:
		return "none"
	case len(patterns) <= listed:
		return strings.Join(patterns, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(patterns[:listed], ", "), len(patterns)-listed)
}

// shown are the patterns as people are shown them.
func shown[T fmt.Stringer](all []T) []string {
	out := make([]string, len(all))
	for i, one := range all {
		out[i] = one.String()
	}
	return out
}
