package reconcile

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// ofRoutes compares the table that a sidecar has with the one that is declared; with no sidecar, all of it is new.
func (c *comparer) ofRoutes(now *Sidecar) {
	next, served := c.table(c.pair().internal), c.served
	switch {
	case now == nil:
		served = &routetable.Table{}
	case c.routesAlike(now, next):
		return
	case served == nil:
		why := "what it has was not read"
		if now.Standby != nil {
			why = "its tokens are delivered into memory, and its routes with them"
		}
		c.put(spec.PlannedChange{Change: spec.ChangeModify, Object: spec.ChangedSidecar, Name: c.containerName(), Field: "routes",
			After: "cannot be compared (" + why + ")"})
		return
	default:
		c.ofTable(now, next)
	}
	was := byPath(served.Routes)
	for _, r := range next.Routes {
		old, known := was[r.Path]
		delete(was, r.Path)
		if !known {
			c.ofNewRoute(r)
			continue
		}
		c.ofRoute(old, r)
	}
	for _, path := range slices.Sorted(maps.Keys(was)) {
		c.put(spec.PlannedChange{Change: spec.ChangeRemove, Object: spec.ChangedRoute, Name: path, Before: was[path].Upstream})
	}
}

// routesAlike reports whether a sidecar says that it serves the routes of a table. Where it cannot be read, what it was made with is put into
// the place of what is told apart from its routes.
func (c *comparer) routesAlike(now *Sidecar, next routetable.Table) bool {
	if now.Report == nil {
		return false
	}
	alike := now.Report.RoutesDigest == routetable.RoutesDigest(next)
	if made := now.Standby; !alike && made != nil && c.served == nil {
		next.Listen, next.InternalSubnets, next.InternalGateways = made.Listen, made.InternalSubnets, made.InternalGateways
		alike = now.Report.RoutesDigest == routetable.RoutesDigest(next)
	}
	return alike
}

func byPath(routes []routetable.Route) map[string]routetable.Route {
	all := make(map[string]routetable.Route, len(routes))
	for _, r := range routes {
		all[r.Path] = r
	}
	return all
}

// ofTable compares what a table says besides its routes. That another network has other addresses goes without saying.
func (c *comparer) ofTable(now *Sidecar, next routetable.Table) {
	c.field("port", strings.TrimPrefix(c.served.Listen, ":"), strings.TrimPrefix(next.Listen, ":"))
	if _, stays := now.endpoint(c.pair().internal.ID); stays {
		sorted := func(list []string) string { return strings.Join(slices.Sorted(slices.Values(list)), ", ") }
		c.field("internalSubnets", sorted(c.served.InternalSubnets), sorted(next.InternalSubnets))
	}
	was, will := flatten(c.served.CallerAuth), flatten(next.CallerAuth)
	switch {
	case c.served.CallerAuth == nil && next.CallerAuth != nil:
		c.field("callerAuth", "", "key from "+c.spec.Spec.CallerAuth.KeyRef.String())
	case c.served.CallerAuth != nil && next.CallerAuth == nil:
		c.field("callerAuth", "a key", "")
	default:
		for _, d := range c.differences(was, will) {
			c.field("callerAuth."+d.field, d.before, d.after)
		}
	}
}

// ofNewRoute tells where a route leads with which credential, and then each of its other fields.
func (c *comparer) ofNewRoute(r routetable.Route) {
	c.put(spec.PlannedChange{Change: spec.ChangeAdd, Object: spec.ChangedRoute, Name: r.Path, After: c.described(r)})
	r.Auth, r.Withheld = nil, ""
	for _, d := range c.differences(map[string]string{"path": r.Path, "upstream": r.Upstream}, flatten(r)) {
		c.put(spec.PlannedChange{Change: spec.ChangeAdd, Object: spec.ChangedRoute, Name: r.Path, Field: d.field, After: d.after})
	}
}

// ofRoute tells each field in which a route differs. That one has no credential while it is withheld goes without saying.
func (c *comparer) ofRoute(was, will routetable.Route) {
	if was.Withheld == "" && will.Withheld != "" {
		c.put(spec.PlannedChange{Change: spec.ChangeModify, Object: spec.ChangedRoute, Name: will.Path, After: "withheld (" + string(will.Withheld) + ")"})
		was.Auth, was.ClientCertificate, will.Auth, will.ClientCertificate, will.Withheld = nil, nil, nil, nil, ""
	}
	for _, d := range c.differences(flatten(was), flatten(will)) {
		c.put(spec.PlannedChange{Change: kindOf(d.before, d.after), Object: spec.ChangedRoute, Name: will.Path, Field: d.field, Before: d.before, After: d.after})
	}
}

// described is a route that is new, in a few words.
func (c *comparer) described(r routetable.Route) string {
	words := r.Upstream
	i := slices.IndexFunc(c.spec.Spec.Routes, func(s spec.Route) bool { return s.Path == r.Path })
	var tokens []string
	if i >= 0 { // of what the spec does not have, nothing more is known
		for _, ref := range c.spec.Spec.Routes[i].Refs() {
			tokens = append(tokens, ref.String())
		}
	}
	from := strings.Join(tokens, ", ")
	switch {
	case r.Auth != nil && r.Auth.Header != "" && from != "": // a token is all of it
		words += ", " + r.Auth.Header + " from " + from
	case r.Auth != nil:
		words += ", " + r.Auth.Scheme
		fallthrough
	default:
		if from != "" {
			words += ", token from " + from
		}
	}
	if r.Withheld != "" {
		words += ", withheld: " + string(r.Withheld)
	}
	return words
}

// fieldDifference is a field that differs in what two tables say.
type fieldDifference struct{ field, before, after string }

// differences are in the order of the fields' names. Of the next token its reference is told: of the one before, nothing that
// runs knows it, and its slot says nothing to people.
func (c *comparer) differences(was, will map[string]string) (all []fieldDifference) {
	fields := slices.Sorted(maps.Keys(was))
	fields = append(fields, slices.DeleteFunc(slices.Sorted(maps.Keys(will)), func(f string) bool { _, known := was[f]; return known })...)
	for _, field := range fields {
		before, after := was[field], will[field]
		if before == after {
			continue
		}
		switch {
		case strings.Contains(before+after, "-----BEGIN"):
			before, after = certificates(before), certificates(after)
			if before == after {
				before, after = before+" of before", after+" that are others"
			}
		case field == "token" || strings.HasSuffix(field, ".token"):
			before, after = unknownToken(before), c.refOf(after)
		}
		all = append(all, fieldDifference{field, before, after})
	}
	return all
}

// unknownToken stands for the token in a slot that a sidecar has: it may be the next one too, where slots were only counted anew; empty for
// none.
func unknownToken(slot string) string {
	if slot == "" {
		return ""
	}
	return "of an unknown reference"
}

// refOf is the reference that fills a slot; the slot where none does.
func (c *comparer) refOf(name string) string {
	for _, slot := range c.spec.Spec.Slots() {
		if slot.Name == name {
			return slot.Ref.String()
		}
	}
	return name
}

// certificates counts those in PEM; empty for none.
func certificates(pem string) string {
	if n := strings.Count(pem, "-----BEGIN"); n > 0 {
		return fmt.Sprintf("certificates: %d", n)
	}
	return ""
}

// flatten writes a value of a table as texts by the paths of their fields, such as "auth.scheme". Where a token is, is its slot, whatever the
// generation.
func flatten(v any) map[string]string {
	doc, _ := json.Marshal(v) // a table always encodes
	var decoded any
	_ = json.Unmarshal(doc, &decoded)
	all := map[string]string{}
	flattenInto(all, "", decoded)
	return all
}

func flattenInto(all map[string]string, at string, v any) {
	fields, nested := v.(map[string]any)
	if !nested {
		if v != nil {
			all[at] = textOf(v)
		}
		return
	}
	for name, value := range fields {
		text, isText := value.(string)
		if name == "tokenFile" || name == "tokenEnv" {
			name = "token"
			if isText {
				value = path.Base(text)
			}
		}
		flattenInto(all, strings.TrimPrefix(at+"."+name, "."), value)
	}
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		parts := make([]string, len(v))
		for i, part := range v {
			parts[i] = textOf(part)
		}
		return strings.Join(parts, ", ")
	}
	doc, _ := json.Marshal(v) // it was decoded from JSON
	return string(doc)
}
