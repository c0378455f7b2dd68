package main

const (
	limits, server, door    = "pkg/proxy/limits.go", "pkg/proxy/server.go", "pkg/proxy/doorway.go"
	audit, volume, document = "pkg/proxy/audit.go", "pkg/proxy/generation.go", "pkg/routetable/load.go"
)

// ofLimits are about what a client may take.
func ofLimits() []protection {
	return []protection{
		{name: "a header is bounded", file: server, old: "MaxHeaderBytes:    maxHeaderBytes,", new: "MaxHeaderBytes:    1 << 30,"},
		{name: "a header has to come in time", file: server, old: "ReadHeaderTimeout: readHeaderTimeout,", new: "ReadHeaderTimeout: 0,"},
		{name: "a silent connection is closed", file: server, old: "IdleTimeout:       idleTimeout,", new: "IdleTimeout:       1 << 62,"},
		{name: "a route's limit of headers holds", file: limits, old: "if l.headerBytes > 0 && headerBytes(r) > l.headerBytes {", new: "if false {"},
		{name: "a route's limit of bodies holds", file: limits, old: "if l.bodyBytes > 0 && r.ContentLength > l.bodyBytes {", new: "if false {"},
		{name: "for chunks, too", file: limits, old: "if l.bodyBytes > 0 && hasBody(r) {", new: "if false {"},
		{name: "a route's limit of requests at a time holds", file: limits, old: "l.concurrent > 0 && n > l.concurrent {", new: "n < 0 {"},
		{name: "a route's limit of requests a minute holds", file: limits, old: "if bucket := l.budget.rate; bucket != nil && !bucket.Allow() {", new: "if bucket := l.budget.rate; bucket != nil && !bucket.Allow() && false {"},
		{name: "over a reload, too", file: limits, old: "			rt.limits.budget.rate = old.budget.rate\n", new: "", elsewhere: []string{"TestRequestsAreBoundedByTheMinute"}},
		{name: "a body has to come in time", file: limits, old: "	if timeout := a.limits.bodyTimeout; timeout > 0 {", new: "	if timeout := a.limits.bodyTimeout; false {"},
		{name: "a silent exchange is ended", file: limits, old: "	if timeout := a.limits.idleTimeout; timeout > 0 {", new: "	if timeout := a.limits.idleTimeout; false {"},
		{name: "so many connections are read at a time", file: door, old: "seats: make(chan struct{}, seats)", new: "seats: make(chan struct{}, 1<<20)", elsewhere: []string{"TestWhoComesToAFullHouseWaitsUntilSomebodyLeaves"}},
		{name: "a refused body is not read on", file: "pkg/proxy/limits_errors.go", old: `	r.header = http.Header{"Connection": {"close"}}` + "\n", new: ""},
	}
}

// ofTheDoor are about who is heard.
func ofTheDoor() []protection {
	return []protection{
		{name: "strangers are closed unread", file: door, old: "case !d.admits(conn):", new: "case !d.admits(conn) && false:"},
		{name: "the engine's host is a stranger", file: "pkg/proxy/perimeter.go", old: "return p.inside(client) && !slices.Contains(p.gateways, plain(client))", new: "return p.inside(client)"},
		{name: "a gateway is guessed where none is told", file: "pkg/proxy/perimeter.go", old: "	p.guessGateways()\n", new: "", elsewhere: []string{"TestPerimeter"}},
		{name: "a socket hears one interface", file: "pkg/proxy/network_linux.go", old: "bindErr = unix.BindToDevice(int(fd), at.Name)", new: "_ = fd", elsewhere: []string{"TestSocketIsBoundToItsInterface"}},
		{name: "the caller key is asked for", file: "pkg/proxy/handler.go", old: "if refused := t.callers.refuse(r, rt); refused != nil {", new: "if refused := t.callers.refuse(r, rt); refused != nil && false {"},
		{name: "of several keys none counts", file: callers, old: "if len(values) > 1 {", new: "if false {"},
		{name: "without its key nobody is served", file: callers, old: "	case !c.present:\n		return noCallerKey()\n", new: "	case !c.present:\n		return nil\n", elsewhere: []string{"TestWithoutItsKeyASidecarServesNobody"}},
		{name: "a key is looked for in its own field alone", file: callers, old: "		return []string{c.header}\n", new: "		slots := clientSlots()\n		return append(slots[:], c.header)\n"},
		{name: "a body is not read before the key", file: "pkg/proxy/errors.go", old: "	if r.ContentLength != 0 {", new: "	if false {"},
	}
}

// ofGenerations are about what is delivered.
func ofGenerations() []protection {
	return []protection{
		{name: "a generation is whole", file: document, old: "if !hmac.Equal([]byte(table.Digest), []byte(digest(table, files))) {", new: "if !hmac.Equal([]byte(table.Digest), []byte(digest(table, files))) && false {"},
		{name: "a document is written in one way", file: document, old: "err != nil || !bytes.Equal(canonical, doc) {", new: "err != nil || canonical == nil {"},
		{name: "a document names tokens of its own generation", file: "pkg/routetable/check.go", old: `if dir != TokenDir(t.Generation)+"/" || !isSlot(slot) {`, new: "if dir == \"\" || !isSlot(slot) {", elsewhere: []string{"TestTornAndMixedSetsAreRefused", "TestDocumentIsReadStrictly", "TestSealRefuses"}},
		{name: "routes are those of their digest", file: document, old: "if t.RoutesDigest != RoutesDigest(*t) {", new: "if false {", elsewhere: []string{"TestEveryChangedByteIsRefused", "TestDocumentIsReadStrictly"}},
		{name: "no link leads out of the volume", file: volume, old: "	return routetable.Load(root.FS(), getenv)", new: "	return routetable.Load(os.DirFS(dir), getenv)"},
		{name: "no older generation is taken at a start", file: "pkg/proxy/sidecar.go", old: "err == nil && loaded.Table.Generation < oldest {", new: "err == nil && loaded.Table.Generation < 0 {", elsewhere: []string{"TestAStartTakesNoGenerationOlderThanTheLast"}},
		{name: "what is in flight is cut when its token is taken away", file: "pkg/proxy/handler.go", old: "if n := h.guests.cut(t); n > 0 {", new: "if n := 0; n > 0 {"},
		{name: "the caller key is no route's token", file: "pkg/routetable/check.go", old: "			if at == c.place() {", new: "			if at == c.place() && false {", elsewhere: []string{"TestSealRefusesABadCallerAuth"}},
	}
}

// ofTheLog are about what the sidecar says.
func ofTheLog() []protection {
	return []protection{
		{name: "the log has no query", file: audit, old: "cutPath(r.URL.EscapedPath())", new: "cutPath(r.URL.RequestURI())"},
		{name: "the log has the beginning of a path", file: audit, old: "	if len(path) <= maxLoggedPath {", new: "	if len(path) >= 0 {"},
		{name: "the log has known methods", file: audit, old: `	return "OTHER"`, new: "	return method"},
		{name: "what is logged is escaped", file: audit, old: "		if isPlain(c, size) {", new: "		if size > 0 {"},
		{name: "a flood of refusals is told together", file: "pkg/proxy/flood.go", old: "if f.told.Add(1) <= toldASecond {", new: "if f.told.Add(1) > 0 {"},
		{name: "a log that nobody reads is dropped", file: "pkg/proxy/queue.go", old: "if len(q.pending)+len(line) > q.limit-room {", new: "if false {", elsewhere: []string{"TestStalledReaderBlocksNobody"}},
		{name: "the log is not waited for", file: "pkg/proxy/queue.go", old: "	q.offer(line)\n	return len(line), nil", new: "	return q.out.Write(line)"},
		{name: "the standard logger is silent", file: "pkg/proxy/run.go", old: "	log.SetOutput(io.Discard)\n", new: "	_ = log.Default()\n"},
	}
}
