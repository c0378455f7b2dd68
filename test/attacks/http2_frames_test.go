package attacks

import (
	"strings"

	"golang.org/x/net/http2"
)

// frameOrder breaks the rules by which frames make streams (RFC 9113 sections 4 to 6).
func frameOrder() []attack {
	const cost = "what is read of one request would be taken for a part of another, with that one's route and credential"
	ends := func(name, sends, why string) attack {
		return attack{name: name, cost: cost, slow: true, framed: []step{{sends, []string{"GOAWAY " + why}}}, closes: true}
	}
	// Nothing arrives of the request that a frame is about, since its upstream reads nothing.
	about := func(name, sends, why string) attack {
		return attack{
			name: name, cost: cost, set: func(s *stage) { s.upstream("key.test").deaf = true },
			framed: []step{{sends, []string{"reset " + why}}},
		}
	}
	request, whole := block(asks("GET", "/r/x")...), http2.FlagHeadersEndStream|http2.FlagHeadersEndHeaders
	again := ends("a stream that was there before", getting(1, "/r/y"), "PROTOCOL_ERROR")
	again.framed = append([]step{{getting(1, "/r/x"), []string{"200"}}}, again.framed...)
	again.arrives = []string{"upstream.test: GET /base/x"}
	lower := ends("a stream below one that was there", getting(3, "/r/y"), "PROTOCOL_ERROR")
	lower.framed = append([]step{{getting(5, "/r/x"), []string{"200"}}}, lower.framed...)
	lower.arrives = again.arrives
	return []attack{
		again, lower,
		ends("a stream of the server's", getting(2, "/r/x"), "PROTOCOL_ERROR"),
		ends("a request on the whole connection", frame(http2.FrameHeaders, whole, 0, request), "PROTOCOL_ERROR"),
		ends("a body on the whole connection", data(0, "a"), "PROTOCOL_ERROR"),
		ends("a body on a stream that has not begun", data(1, "a"), "PROTOCOL_ERROR"),
		ends("the rest of a header that has not begun", frame(http2.FrameContinuation, http2.FlagContinuationEndHeaders, 1, request), "PROTOCOL_ERROR"),
		ends("a ping within a header", frame(http2.FrameHeaders, http2.FlagHeadersEndStream, 1, request[:9])+ping(), "PROTOCOL_ERROR"),
		ends("another request within a header", frame(http2.FrameHeaders, http2.FlagHeadersEndStream, 1, request[:9])+getting(3, "/r/x"), "PROTOCOL_ERROR"),
		ends("the rest of a header on another stream", frame(http2.FrameHeaders, http2.FlagHeadersEndStream, 1, request[:9])+
			frame(http2.FrameContinuation, http2.FlagContinuationEndHeaders, 3, request[9:]), "PROTOCOL_ERROR"),
		ends("a promise of the client's", frame(http2.FramePushPromise, http2.FlagPushPromiseEndHeaders, 1, number(2)+request), "PROTOCOL_ERROR"),
		ends("the end of a stream that has not begun", reset(1), "PROTOCOL_ERROR"),
		ends("a window of a stream that has not begun", window(1, 1), "PROTOCOL_ERROR"),
		ends("a window of no more", window(0, 0), "PROTOCOL_ERROR"),
		ends("a window of half a number", frame(http2.FrameWindowUpdate, 0, 0, "\x00\x01"), "FRAME_SIZE_ERROR"),
		ends("a window beyond all numbers", window(0, 1<<31-1), "FLOW_CONTROL_ERROR"),
		ends("a first window beyond all numbers", settings(4, 1<<31), "FLOW_CONTROL_ERROR"),
		ends("a largest frame of nothing", settings(5, 0), "PROTOCOL_ERROR"),
		ends("a push that is neither on nor off", settings(2, 2), "PROTOCOL_ERROR"),
		ends("a setting said twice", settings(4, 1, 4, 1<<20), "PROTOCOL_ERROR"),
		ends("half a setting", frame(http2.FrameSettings, 0, 0, "\x00\x04\x00"), "FRAME_SIZE_ERROR"),
		ends("settings of a stream", frame(http2.FrameSettings, 0, 1, ""), "PROTOCOL_ERROR"),
		ends("settings that nobody has sent are taken note of", frame(http2.FrameSettings, http2.FlagSettingsAck, 0, ""), "PROTOCOL_ERROR"),
		ends("a ping of a stream", frame(http2.FramePing, 0, 1, "pingpong"), "PROTOCOL_ERROR"),
		ends("half a ping", frame(http2.FramePing, 0, 0, "ping"), "FRAME_SIZE_ERROR"),
		ends("a frame larger than any may be", frame(http2.FrameData, 0, 1, strings.Repeat("a", maxFrame+1)), "FRAME_SIZE_ERROR"),
		ends("a header frame larger than any may be", frame(http2.FrameHeaders, whole, 1, strings.Repeat("\x82", maxFrame+1)), "FRAME_SIZE_ERROR"),
		ends("a request before the settings", http2.ClientPreface+getting(1, "/r/x"), "PROTOCOL_ERROR"),
		about("a header that is filled up with more than it has", frame(http2.FrameHeaders, whole|http2.FlagHeadersPadded, 1, "\xff"+request), "PROTOCOL_ERROR"),
		about("a request on a stream that has one", getting(1, "/key/x")+getting(1, "/r/y"), "STREAM_CLOSED"),
		about("a body behind a request's end", getting(1, "/key/x")+lastData(1, "a"), "STREAM_CLOSED"),
		about("a window of a stream of no more", getting(1, "/key/x")+window(1, 0), "PROTOCOL_ERROR"),
		about("a window of a stream beyond all numbers", getting(1, "/key/x")+window(1, 1<<31-1), "FLOW_CONTROL_ERROR"),
		about("a stream that waits for itself", frame(http2.FrameHeaders, whole|http2.FlagHeadersPriority, 1, number(1)+"\x10"+block(asks("GET", "/key/x")...)), "PROTOCOL_ERROR"),
	}
}

// compression abuses the tables of headers (RFC 7541): who has another in mind reads other fields than were judged.
func compression() []attack {
	const cost = "fields would be read that nobody has written, or a header unpacked until there is no memory left"
	request := block(asks("GET", "/r/x")...)
	broken := func(name, block string) attack {
		return attack{name: name, cost: cost, slow: true, framed: []step{{inFrames(1, true, block), []string{"GOAWAY COMPRESSION_ERROR"}}}, closes: true}
	}
	// A field of 4,000 bytes is put into the table, and then named in a byte each time.
	bomb := request + "\x40\x01a\x7f\xa1\x1e" + strings.Repeat("b", 4000)
	return []attack{
		broken("a field of no number", request+"\x80"),
		broken("a field beyond the table", request+"\xbe"),
		broken("a field of a number without end", request+"\xff"+strings.Repeat("\xff", 20)),
		broken("a table larger than any may be", "\x3f\xe1\xff\xff\x7f"+request),
		broken("a table that changes within a header", request+"\x40\x01a\x01b\x20"),
		broken("a name that is longer than its frame", request+"\x00\x7f\xff\x7fa"),
		broken("a value that is coded beyond its end", request+"\x00\x01a\x84\xff\xff\xff\xff"),
		broken("a value that is filled up with zeros", request+"\x00\x01a\x81\x18"),
		{
			name: "a bomb of fields", cost: cost,
			framed: []step{{inFrames(1, true, bomb+strings.Repeat("\xbe", 8000)), []string{"431"}}},
		},
		{
			name: "a bomb of fields in frames without end", cost: cost, slow: true, closes: true,
			framed: []step{{inFrames(1, true, bomb+strings.Repeat("\xbe", 3*maxFrame)), []string{"GOAWAY PROTOCOL_ERROR"}}},
		},
		{
			name: "a header larger than any may be, over HTTP 2", cost: cost,
			framed: []step{{getting(1, "/r/x", "x-a", strings.Repeat("\x7e", 16<<10+300)), []string{"431"}}},
		},
		{
			name: "one field too many, over HTTP 2", cost: cost,
			framed: []step{{inFrames(1, true, request+strings.Repeat("\x00\x01a\x00", 101)), []string{"400 bad_request"}}},
		},
		{
			name: "fields without end, over HTTP 2", cost: cost, slow: true, closes: true,
			framed: []step{{inFrames(1, true, request+strings.Repeat("\x00\x01a\x00", 20000)), []string{"GOAWAY PROTOCOL_ERROR"}}},
		},
	}
}

// protocols change what a connection speaks, or what is asked to be spoken behind the sidecar.
func protocols() []attack {
	const cost = "a tunnel would carry requests past every rule, with what the upstream trusts a connection of the sidecar for"
	arrives := []string{"upstream.test: GET /base/x"}
	ends := func(name, sends, why string) attack {
		return attack{name: name, cost: cost, slow: true, framed: []step{{sends, []string{"GOAWAY " + why}}}, closes: true}
	}
	track := asking("TRACK", "a server that knows TRACE by that name would send the credential back", "200", asks("TRACK", "/r/x")...)
	track.arrives = []string{"upstream.test: TRACK /base/x"}
	track.set = func(s *stage) {
		s.upstream("upstream.test").answer = func(r *request) string { return echoed("message/http", r) }
	}
	options := asking("OPTIONS of a route", "the agent could not ask what the upstream permits", "200", asks("OPTIONS", "/r/x")...)
	options.arrives = []string{"upstream.test: OPTIONS /base/x"}
	return []attack{
		track, options,
		asking("TRACE", "the upstream would send the route's credential back with the rest of the request", "403 denied", asks("TRACE", "/r/x")...),
		asking("CONNECT to an authority", cost, "403 denied", ":method", "CONNECT", ":authority", "evil.test:443"),
		asking("CONNECT to the upstream", cost, "403 denied", ":method", "CONNECT", ":authority", "upstream.test:80"),
		asking("CONNECT to nobody", cost, protocolError, ":method", "CONNECT"),
		asking("CONNECT to a route", cost, protocolError, asks("CONNECT", "/r/x")...),
		asking("CONNECT with a path", cost, protocolError, ":method", "CONNECT", ":authority", "evil.test:443", ":path", "/r/x"),
		asking("extended CONNECT to a WebSocket", cost, protocolError, asks("CONNECT", "/r/x", ":protocol", "websocket")...),
		asking("extended CONNECT to UDP", cost, protocolError, asks("CONNECT", "/r/x", ":protocol", "connect-udp")...),
		asking("a protocol without CONNECT", cost, protocolError, asks("GET", "/r/x", ":protocol", "websocket")...),
		asking("OPTIONS of the server", cost, "400 bad_path", asks("OPTIONS", "*")...),
		asking("a greeting for a request", cost, "400 bad_path", asks("PRI", "*")...),
		ends("a request of HTTP 1.1 on a connection of HTTP 2", get("/r/x"), "FRAME_SIZE_ERROR"),
		ends("a second greeting", greeting()+http2.ClientPreface, "FRAME_SIZE_ERROR"),
		{
			name: "a greeting in the midst of HTTP 1.1", cost: cost, sends: get("/r/x") + greeting() + getting(1, "/key/x"),
			gets: []string{"200", "400 bad_path"}, closes: true, arrives: arrives,
		},
		{
			name: "a greeting behind an upgrade to HTTP 2", cost: cost, closes: true, arrives: arrives,
			sends: get("/r/x", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__") + greeting() + getting(3, "/key/x"),
			gets:  []string{"200", "400 bad_path"},
		},
		{
			name: "a greeting within a body", cost: cost, arrives: []string{"upstream.test: POST /base/x", "key.test: GET /y"},
			sends: post("/r/x", greeting()+getting(1, "/key/x")) + get("/key/y"), gets: []string{"200", "200"},
			finds: func(s *scene, got []*request) {
				for _, r := range got {
					if r.method == "POST" && r.body != greeting()+getting(1, "/key/x") {
						s.t.Errorf("the body is %q", r.body)
					}
				}
			},
		},
		{
			name: "a greeting in the lines of HTTP 1.1", cost: cost, sends: "PRI * HTTP/2.0\r\nHost: a\r\n\r\nSM\r\n\r\n" + settings(),
			gets: []string{"400 bad_path", "400"}, closes: true,
		},
	}
}
