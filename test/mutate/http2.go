package main

// ofHTTP2 are about what one connection of HTTP/2 can have, and what its framing lets through.
func ofHTTP2() []protection {
	const http2, fields, seats = "pkg/proxy/http2.go", "pkg/proxy/fields.go", "pkg/proxy/seat.go"
	return []protection{
		{name: "a connection of HTTP 2 has so many requests at a time", file: http2, old: "		MaxConcurrentStreams:          maxStreams,\n", new: "		MaxConcurrentStreams:          100 * maxStreams,\n"},
		{name: "frames are bounded", file: http2, old: "		MaxReadFrameSize:              maxFrameBytes,\n", new: "		MaxReadFrameSize:              1<<24 - 1,\n"},
		{name: "what waits of a body over HTTP 2 is bounded", file: http2, old: "		MaxReceiveBufferPerStream:     uploadWindowBytes,\n", new: "		MaxReceiveBufferPerStream:     uploadWindowsBytes,\n"},
		{name: "and of all bodies of a connection", file: http2, old: "		MaxReceiveBufferPerConnection: uploadWindowsBytes,\n", new: "		MaxReceiveBufferPerConnection: 1 << 24,\n"},
		{name: "who reads no frames is shown out", file: http2, old: "		WriteByteTimeout:              writeStall,\n", new: ""},
		{name: "a silent connection of HTTP 2 is closed", file: http2, old: "IdleTimeout: s.IdleTimeout, ", new: ""},
		{name: "a header over HTTP 2 is bounded", file: server, old: "MaxHeaderBytes:    maxHeaderBytes,", new: "MaxHeaderBytes:    4 * maxHeaderBytes,"},
		{name: "fields over HTTP 2 are counted, each line of them", file: fields, old: "n += len(values)", new: "n += min(1, len(values))"},
		{name: "what only HTTP 2 lets through is refused", file: fields, old: `if why := malformedInFrames(r); why != "" {`, new: `if why := malformedInFrames(r); why != "" && false {`},
		{name: "a method is one word", file: http2, old: "	case strings.ContainsFunc(r.Method, notInToken):\n", new: "	case false:\n"},
		{name: "so are a path and a query", file: http2, old: "	case strings.Contains(r.RequestURI, \" \"):\n", new: "	case false:\n"},
		{name: "a body over HTTP 2 has the length that is told", file: http2, old: "	case !hasItsLength(r):\n", new: "	case false:\n"},
		{name: "each length that is told", file: http2, old: "range r.Header[\"Content-Length\"] {", new: "range r.Header[\"Content-Length\"][:min(1, len(r.Header[\"Content-Length\"]))] {"},
		{name: "bytes that no target has are encoded in the query", file: route, old: "inASCII(rt.query(in.RawQuery))", new: "rt.query(in.RawQuery)"},
		{name: "requests over HTTP 2 take seats", file: seats, old: "	case r.ProtoMajor == 2:\n", new: "	case r.ProtoMajor > 2:\n"},
		{name: "a stream is cut off whose token is taken away", file: "pkg/proxy/cut.go", old: "		if s.lost(t) {\n			return true\n		}\n", new: "		_ = s.lost(t)\n"},
		{name: "a stream that nobody reads ends", file: "pkg/proxy/limits_watch.go", old: "	w.end(w.cause)\n", new: "", elsewhere: []string{"TestASilentStreamOfHTTP2IsCutAlone"}},
		{
			name: "with its connection, where there is no room for its end", file: "pkg/proxy/limits_watch.go", old: "		w.timer.Reset(2 * goodbye)\n", new: "",
			elsewhere: []string{"TestAClientOfHTTP2ThatReadsNothingIsCut"},
		},
		{name: "a refusal over HTTP 2 ends no other request", file: "pkg/proxy/handler.go", old: "	if e.in.ProtoMajor == 2 {\n", new: "	if e.in.ProtoMajor > 2 {\n"},
	}
}
