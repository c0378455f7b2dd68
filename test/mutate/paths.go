package main

const path, route, paths = "pkg/proxy/path.go", "pkg/proxy/route.go", "pkg/proxy/gate_paths.go"

// ofPaths are about where in its upstream a route leads.
func ofPaths() []protection {
	return []protection{
		{name: "bad paths are refused", file: "pkg/proxy/handler.go", old: `if why := badPath(path); why != "" {`, new: `if why := badPath(path); why != "" && false {`},
		{name: "dot segments are refused", file: path, old: `strings.Contains(path, "/.") && hasDotSegment(path), `, new: ""},
		{name: "so are characters that look like them", file: path, old: "hasDotSegment(path), looksLikeDots(path):", new: "hasDotSegment(path):"},
		{name: "backslashes are refused", file: path, old: "strings.Contains(path, `\\`):", new: "false:"},
		{name: "control characters are refused", file: path, old: "strings.ContainsFunc(path, isControl):", new: "false:"},
		{name: "what is not UTF-8 is refused", file: path, old: "if !utf8.ValidString(decodeOnce(escaped)) {", new: "if false {"},
		{name: "paths are judged behind every encoding", file: path, old: "		decoded := decodeOnce(escaped)\n		if decoded == escaped {\n			return \"\"\n		}\n		escaped = decoded\n	}\n	return \"the path is", new: "		decoded := decodeOnce(escaped)\n		if decoded == escaped || strings.Contains(decoded, \"%\") {\n			return \"\"\n		}\n		escaped = decoded\n	}\n	return \"the path is"},
		{name: "and not encoded over and over", file: path, old: `return "the path is percent-encoded over and over"`, new: `return ""`},
		{name: "what servers cut off a segment is not looked at", file: path, old: `if end := strings.IndexAny(segment, ";?#"); end >= 0 {`, new: `if end := -1; end >= 0 {`},
		{name: "nor what they trim", file: path, old: `segment = strings.TrimRight(segment, " ")`, new: "_ = segment"},
		{name: "two slashes behind a route are refused", file: "pkg/proxy/handler.go", old: "if rest, _ := rt.cut(path); beginsAuthority(rest) {", new: "if rest, _ := rt.cut(path); beginsAuthority(rest) && false {"},
		{name: "encoded ones, too", file: path, old: "			return true\n		}\n		rest = decodeOnce(rest)", new: "			return true\n		}"},
		{name: "a route's path ends with a segment", file: route, old: "return rest, ok && (rest == \"\" || rest[0] == '/')", new: "return rest, ok"},
		{name: "an encoded slash parts no segments", file: route, old: `segment, _, _ := strings.Cut(escaped[1:], "/")`, new: `segment, _, _ := strings.Cut(strings.ReplaceAll(escaped[1:], "%2f", "/"), "/")`},
		{name: "the longest path wins", file: route, old: "return len(b.segments) - len(a.segments)", new: "return len(a.segments) - len(b.segments)"},
	}
}

// ofPolicies are about what a route lets pass.
func ofPolicies() []protection {
	return []protection{
		{name: "a route's policy is asked", file: "pkg/proxy/handler.go", old: "if refused := rt.gate.refuse(e, rt, r); refused != nil {", new: "if refused := rt.gate.refuse(e, rt, r); refused != nil && false {"},
		{name: "methods are compared", file: "pkg/proxy/gate.go", old: "!slices.Contains(g.methods, r.Method):", new: "!slices.Contains(g.methods, r.Method) && false:"},
		{name: "a parameter cannot stand for a method", file: "pkg/proxy/gate.go", old: "overridesMethod(r.URL.RawQuery):", new: "false:"},
		{name: "encoded, neither", file: "pkg/proxy/gate_method.go", old: "err == nil {", new: "err != nil {"},
		{name: "nor as PHP reads it", file: "pkg/proxy/gate_method.go", old: `strings.NewReplacer(" ", "_", ".", "_").Replace(strings.TrimLeft(name, " "))`, new: "strings.TrimSpace(name)"},
		{name: "a field cannot stand for a method", file: credential, old: "rt.gate != nil && isMethodOverride(name)", new: "false && isMethodOverride(name)"},
		{name: "paths that are denied are refused", file: paths, old: "if i := rules.denies(path); i >= 0 {", new: "if i := rules.denies(path); i >= 0 && false {"},
		{name: "paths that are not permitted are refused", file: paths, old: "if !rules.allows(path) {", new: "if false {"},
		{name: "what is denied is so in capitals", file: paths, old: "small[i] = strings.ToLower(segment)", new: "small[i] = segment"},
		{name: "and however it is encoded", file: paths, old: "		for decoded := decodedEach(segments); !slices.Equal(decoded, segments); decoded = decodedEach(segments) {", new: "		for decoded := decodedEach(segments); i < 0 && !slices.Equal(decoded, segments); decoded = decodedEach(segments) {", elsewhere: []string{"TestPathsOfARoute"}},
		{name: "and wherever it is cut", file: paths, old: "	for {\n		decoded := decodeOnce(text)\n		if decoded == text {", new: "	for {\n		decoded := decodeOnce(text)\n		if len(all) > 0 {"},
		{name: "paths that servers read in several ways are refused", file: paths, old: `if why := ambiguousPath(rest); why != "" {`, new: `if why := ambiguousPath(rest); why != "" && false {`},
		{name: "for their slashes", file: paths, old: `case strings.Contains(escaped, "//"):`, new: `case false:`},
		{name: "for their semicolons", file: paths, old: `case strings.Contains(escaped, ";"):`, new: `case false:`},
		{name: "for an encoded query", file: paths, old: `case strings.ContainsAny(escaped, "?#"):`, new: `case false:`},
		{name: "for their spaces", file: paths, old: `case strings.Contains(escaped, " /"), strings.HasSuffix(escaped, " "):`, new: `case false:`},
		{name: "code is pushed where it may be", file: "pkg/proxy/gate_git.go", old: "use == gitPush && rules.pushesTo(repository):", new: "use == gitPush && repository != nil:"},
		{name: "git's requests are known exactly", file: "pkg/proxy/gate_git.go", old: "		return gitPush\n	}\n	return gitOther", new: "		return gitPush\n	}\n	return gitFetch"},
	}
}

// ofTargets are about forged targets and tunnels.
func ofTargets() []protection {
	const upgrade = "pkg/proxy/upgrade.go"
	return []protection{
		{name: "CONNECT and TRACE are refused", file: "pkg/proxy/handler.go", old: "if r.Method == http.MethodConnect || r.Method == http.MethodTrace {", new: "if r.Method == \"\" {"},
		{name: "CONNECT is refused", file: "pkg/proxy/handler.go", old: "r.Method == http.MethodConnect || ", new: ""},
		{name: "TRACE is refused", file: "pkg/proxy/handler.go", old: " || r.Method == http.MethodTrace", new: ""},
		{name: "the absolute form is refused", file: "pkg/proxy/handler.go", old: `if r.URL.Scheme != "" || r.URL.Host != "" {`, new: "if false {"},
		{name: "OPTIONS of the server is a bad path", file: "pkg/proxy/server.go", old: "DisableGeneralOptionsHandler: true", new: "DisableGeneralOptionsHandler: false"},
		{name: "other upgrades than to WebSocket are taken out", file: upgrade, old: " && isHandshake(r.Header)", new: ""},
		{name: "with HTTP 2's settings", file: upgrade, old: "	delete(r.Header, \"Http2-Settings\")\n", new: ""},
		{name: "an upgrade is to one protocol", file: upgrade, old: "len(r.Header[\"Upgrade\"]) == 1 && ", new: ""},
		{name: "an upgrade is exactly to WebSocket", file: "pkg/proxy/tunnel.go", old: `strings.EqualFold(h.Get("Upgrade"), "websocket")`, new: `strings.HasPrefix(strings.ToLower(h.Get("Upgrade")), "websocket")`},
		{name: "an upgrade is of a GET", file: upgrade, old: "r.Method == http.MethodGet && ", new: ""},
	}
}
