package main

const credential, query, callers, overrides = "pkg/proxy/credential.go", "pkg/proxy/query.go", "pkg/proxy/callers.go", "pkg/proxy/overrides.go"

// ofFields are about what a request's header brings.
func ofFields() []protection {
	return []protection{
		{name: "a client's credentials are taken out", file: credential, old: "if rt.takesOut(name) || ", new: "if "},
		{name: "on every route, in the fields that clients use", file: credential, old: "slices.Concat(taken, slots[:], known)", new: "slices.Concat(taken, slots[:0], known)"},
		{name: "in those that any route fills", file: credential, old: "slices.Concat(taken, slots[:], known)", new: "slices.Concat(taken, slots[:])"},
		{name: "in what the route itself adds, where others pass", file: credential, old: "				taken = append(taken, f.name)\n", new: "				_ = f.name\n"},
		{name: "in Proxy-Authorization, where others pass", file: credential, old: `taken := []string{"Proxy-Authorization"}`, new: "taken := []string{}"},
		{name: "in the field of the environment's callers", file: credential, old: "taken = append(taken, t.callers.header)", new: "_ = t.callers.header"},
		{name: "a caller key is taken out of what passes", file: credential, old: "rt.passes && rt.callers.shownIn(name, values)", new: "false && rt.callers.shownIn(name, values)"},
		{name: "fields are known in any case", file: credential, old: "return c + 'a' - 'A'", new: "return c"},
		{name: "fields are known with underscores", file: credential, old: "	case c == '_':\n		return '-'\n", new: ""},
		{name: "nobody claims who was there before", file: credential, old: "isForwarding(name) || ", new: ""},
		{name: "nor at which address he is", file: credential, old: " || isAddress(name)\n", new: "\n"},
		{name: "nor another path, host or length", file: credential, old: "isOverride(name) || ", new: ""},
		{name: "of a path", file: overrides, old: `		"X-Original-Url", "X-Rewrite-Url", "X-Original-Uri",` + "\n", new: ""},
		{name: "of a host", file: overrides, old: `		"X-Host", "X-Original-Host", "X-Http-Host-Override",` + "\n", new: ""},
		{name: "of a length or a coding", file: overrides, old: `		"Content-Length", "Transfer-Encoding",` + "\n", new: ""},
		{name: "the sidecar's own fields do not go upstream", file: credential, old: "isOwn(name) || rt.gate", new: "rt.gate"},
		{name: "hop-by-hop fields do not pass", file: relay, old: "		if isHopByHop(name) {", new: "		if name == \"\" {", elsewhere: []string{"TestRelayIsAReverseProxy"}},
		{name: "nor those that Connection names", file: relay, old: "				h.Del(name)\n", new: "", elsewhere: []string{"TestRelayIsAReverseProxy"}},
		{
			name: "no other protocol is switched to", file: "pkg/proxy/tunnel.go", old: "!(ok && isHandshake(out.Header) && isHandshake(res.Header))", new: "!ok",
			elsewhere: []string{"TestAProtocolThatNobodyAskedForIsNotSwitchedTo"},
		},
		{name: "trailers that belong in a header are dropped", file: "pkg/proxy/trailers.go", old: "if !isOfHeader(name) {", new: "if true {"},
		{name: "a client's credential in a trailer goes", file: "pkg/proxy/trailers.go", old: "	rt.strip(permitted)\n", new: ""},
		{name: "the Host is the upstream's", file: "pkg/proxy/route.go", old: `out.Host = ""`, new: "out.Host = in.Host"},
		{name: "a route that lacks its token sends nothing", file: "pkg/proxy/handler.go", old: "if !rt.ready() {", new: "if false {"},
		{name: "a token that is withheld is not used", file: "pkg/proxy/route.go", old: `rt.withheld == "" && !rt.anonymous`, new: "!rt.anonymous"},
		{name: "a header has so many fields only", file: "pkg/proxy/seats.go", old: "tooMany != nil", new: "tooMany != nil && false"},
		{
			name: "behind a body that was read along, too", file: "pkg/proxy/fields.go", old: "if n > maxFields {", new: "if false {",
			elsewhere: []string{"TestEndlessFieldsAreCutOff"},
		},
	}
}

// ofQueries are about what its query brings.
func ofQueries() []protection {
	return []protection{
		{name: "a client's parameter is taken out", file: query, old: "client = withoutParams(client, rt.takenParams)", new: "_ = withoutParams(client, rt.takenParams)"},
		{name: "the route's parameter comes first", file: query, old: `return rt.credential.query.Reveal() + "&" + client`, new: `return client + "&" + rt.credential.query.Reveal()`},
		{name: "parameters are known percent-encoded", file: query, old: "		decoded := decodeOnce(name)\n		if", new: "		decoded := name\n		if"},
		{name: "parameters are known behind a semicolon", file: query, old: `strings.IndexAny(query[begin:], "&;")`, new: `strings.IndexAny(query[begin:], "&")`},
		{name: "parameters are known in any case", file: query, old: "return strings.EqualFold(strings.Map(phpName, name), strings.Map(phpName, taken))", new: "return strings.Map(phpName, name) == strings.Map(phpName, taken)"},
		{name: "parameters are known with an index", file: query, old: `bare, _, _ := strings.Cut(name, "[")`, new: `bare, _, _ := strings.Cut(name, "[[")`},
		{name: "parameters are known with what servers trim", file: query, old: "return r <= ' ' || r == '+' || r == '?'", new: "return r < 0"},
		{name: "parameters are known before a NUL or a second equals sign", file: query, old: `if end := strings.IndexAny(name, "=\x00"); end >= 0 {`, new: "if end := 0; false {"},
		{name: "parameters of a host are taken out on all its routes", file: query, old: "rt != other && (rt.passes || !strings.EqualFold(rt.upstream.Host, other.upstream.Host))", new: "rt != other"},
		{name: "hosts are compared without case", file: query, old: "!strings.EqualFold(rt.upstream.Host, other.upstream.Host)", new: "rt.upstream.Host != other.upstream.Host"},
	}
}
