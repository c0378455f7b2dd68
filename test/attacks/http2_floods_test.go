package attacks

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"credproxy.dev/controller/pkg/routetable"
)

const flooded = "an agent would have its sidecar do, or hold, much for little of its own, until it serves nobody any more"

// most bounds what a flood sends.
const most = 30_000

// windows abuse what each side grants the other (RFC 9113 section 5.2).
func windows() []attack {
	piece := strings.Repeat("a", maxFrame)
	deaf := func(s *stage) { s.upstream("key.test").deaf = true }
	// Four pieces are what a stream has room for, and four streams what a connection has.
	full := func(stream uint32) string { return posting(stream, "/key/x") + strings.Repeat(data(stream, piece), 4) }
	return []attack{
		{
			name: "a body beyond the window of its stream", cost: flooded, slow: true, set: deaf,
			framed: []step{{full(1) + data(1, "a"), []string{"reset FLOW_CONTROL_ERROR"}}},
		},
		{
			name: "bodies beyond the window of their connection", cost: flooded, slow: true, set: deaf,
			framed: []step{{onStreams(4, full) + posting(9, "/key/x") + data(9, "a"), []string{"reset FLOW_CONTROL_ERROR"}}},
		},
		{
			name: "a body for a request that was refused", cost: flooded, slow: true,
			framed: []step{
				{posting(1, "/nowhere"), []string{"404 no_route"}},
				{strings.Repeat(data(1, piece), 8) + getting(3, "/nowhere"), []string{"404 no_route"}},
			},
		},
		{
			name: "more requests at a time than a connection may have", cost: flooded, slow: true, set: deaf,
			framed: []step{{onStreams(101, func(stream uint32) string { return getting(stream, "/key/x") }), []string{protocolError}}, {reset(1), nil}},
		},
		{
			name: "a window of nothing", cost: "answers would pile up that nobody takes", slow: true, arrives: []string{"key.test: GET /x"},
			set: func(s *stage) {
				s.route("/key").Limits = &routetable.Limits{IdleTimeout: 60_000}
				s.upstream("key.test").serve = endless(nil)
			},
			framed: []step{{settings(4, 0) + getting(1, "/key/x"), []string{broken}}},
		},
		{
			name: "windows of a byte", cost: "an answer would be cut into as many frames as it has bytes, and the rest be held", slow: true,
			framed:  []step{{settings(4, 0) + getting(1, "/key/x") + strings.Repeat(window(1, 1), 3), []string{"200"}}},
			arrives: []string{"key.test: GET /x"},
		},
		{
			name: "a window that is taken back", cost: "an answer would be sent that nobody has room for, or never end", slow: true,
			framed:  []step{{getting(1, "/key/x"), []string{"200"}}, {settings(4, 0) + getting(3, "/key/y") + settings(4, 10), []string{"200"}}},
			arrives: []string{"key.test: GET /x", "key.test: GET /y"},
		},
		{
			name: "a reader that reads no frames", cost: "answers would pile up that nobody takes", slow: true, arrives: []string{"key.test: GET /x"},
			does: func(s *scene) {
				over := make(chan struct{})
				s.upstream("key.test").serve = endless(over)
				f := s.greet()
				f.send(getting(1, "/key/x"))
				select {
				case <-over:
				case <-time.After(s.patience()):
					s.t.Error("the answer still waits to be read")
				}
			},
		},
	}
}

// onStreams is what is sent on so many streams, one after the other.
func onStreams(n int, one func(stream uint32) string) string {
	var all strings.Builder
	for i := range uint32(n) {
		all.WriteString(one(1 + 2*i))
	}
	return all.String()
}

// endless sends without end, until nobody takes it any more.
func endless(over chan<- struct{}) func(net.Conn, *request) {
	return func(conn net.Conn, _ *request) {
		_, err := io.WriteString(conn, head("HTTP/1.1 200 OK", "Content-Type: text/event-stream"))
		for err == nil {
			_, err = io.WriteString(conn, strings.Repeat("data: 1\n\n", 1000))
		}
		if over != nil {
			close(over)
		}
	}
}

// floods are known by names of their own (CVE-2019-9512 and those behind it, CVE-2023-44487, CVE-2023-45288).
func floods() []attack {
	// unread is a flood by somebody who reads nothing, which ends its connection.
	unread := func(name, first, again string) attack {
		return attack{name: name, cost: flooded, slow: true, does: func(s *scene) {
			f := s.greet()
			<-f.sent
			_, err := io.WriteString(f.conn, first)
			for n := 0; err == nil && n < most; n++ {
				_, err = io.WriteString(f.conn, again)
			}
			if err == nil {
				s.t.Errorf("after %d frames the connection is still there", most)
			}
		}}
	}
	// read is a flood that costs the sender as much, whose connection goes on.
	read := func(name, sends string) attack {
		return attack{name: name, cost: flooded, framed: []step{{sends, nil}}}
	}
	request := block(asks("GET", "/r/x")...)
	return append(rapidResets(),
		unread("a flood of pings", "", ping()),
		unread("a flood of the rest of a header", frame(http2.FrameHeaders, 0, 1, request), frame(http2.FrameContinuation, 0, 1, "\x00\x01a\x00")),
		unread("a flood of the rest of a header, of nothing", frame(http2.FrameHeaders, 0, 1, request+"\x00\x01A\x00"), frame(http2.FrameContinuation, 0, 1, "")),
		unread("a flood of the rest of a header, of fields in the table", frame(http2.FrameHeaders, 0, 1, request), frame(http2.FrameContinuation, 0, 1, strings.Repeat("\x82", 1<<10))),
		attack{
			name: "a flood of requests that are none", cost: flooded, slow: true,
			does: func(s *scene) {
				f := s.greet()
				<-f.sent
				var err error
				for stream := uint32(1); err == nil && stream < most; stream += 2 {
					_, err = io.WriteString(f.conn, headers(stream, true, ":method", "GET"))
				}
				if err == nil {
					s.t.Error("the connection is still there")
				}
			},
		},
		read("a flood of settings", strings.Repeat(settings(4, 1<<16), 5000)),
		read("a flood of priorities", strings.Repeat(frame(http2.FramePriority, 0, 1, number(3)+"\x10"), 5000)),
		read("a flood of frames that there are not", strings.Repeat(frame(0xfa, 0xff, 1, "whatever"), 5000)),
		attack{
			name: "a flood of farewells", cost: flooded, slow: true, closes: true,
			framed: []step{{strings.Repeat(frame(http2.FrameGoAway, 0, 0, number(0)+number(0)), 5000), []string{"GOAWAY NO_ERROR"}}},
		},
		attack{
			name: "a flood of bodies of nothing", cost: flooded, arrives: []string{"upstream.test: POST /base/x"},
			framed: []step{{posting(1, "/r/x") + strings.Repeat(data(1, ""), 5000) + lastData(1, ""), []string{"200"}}},
		},
		attack{
			name: "a flood of bodies that are but filled up", cost: flooded, arrives: []string{"upstream.test: POST /base/x"},
			framed: []step{{posting(1, "/r/x") + strings.Repeat(frame(http2.FrameData, http2.FlagDataPadded, 1, "\xff"+strings.Repeat("\x00", 255)), 2000) + lastData(1, ""), []string{"200"}}},
		},
		attack{
			name: "more requests than seats, over few connections", cost: "one agent's container would keep all others out", slow: true,
			set: func(s *stage) { s.upstream("key.test").deaf = true }, does: fullHouse,
		},
	)
}

// rapidResets begin requests and take them back (CVE-2023-44487).
func rapidResets() []attack {
	taken := func(n int) string {
		return onStreams(n, func(stream uint32) string { return getting(stream, "/key/x") + reset(stream) })
	}
	may := []string{"key.test: GET /x"}
	return []attack{
		{
			name: "a rapid reset", cost: flooded, may: may,
			does: func(s *scene) {
				f := s.greet()
				f.send(taken(1000) + ping())
				for !f.pong && f.read() {
				}
				if f.away != "" && f.away != "GOAWAY ENHANCE_YOUR_CALM" || f.away == "" && !f.pong {
					s.t.Errorf("the connection ends with %q", f.away)
				}
			},
		},
		{
			name: "a rapid reset of more than a minute has", cost: "an agent would spend a token as fast as it can, and have nothing counted", slow: true, may: may,
			set: func(s *stage) { s.route("/key").Limits = &routetable.Limits{RequestsPerMinute: 10} },
			does: func(s *scene) {
				f := s.greet()
				f.send(taken(10))
				synctest.Wait()
				f.send(getting(21, "/key/y"))
				f.mustGet(false, "429 rate_limited")
			},
		},
	}
}

// fullHouse has more requests in hand than the sidecar has seats, and holds that those beyond are told so.
func fullHouse(s *scene) {
	var all []*framed
	for range 6 {
		f := s.greet()
		f.send(onStreams(100, func(stream uint32) string { return getting(stream, "/key/x") }))
		all = append(all, f)
		go func() {
			for f.read() {
			}
		}()
	}
	synctest.Wait()
	told := map[string]int{}
	for _, f := range all {
		for _, stream := range f.ended {
			told[f.answers[stream].status]++
		}
	}
	// 512 seats are for 6 connections and 506 requests.
	if got := fmt.Sprint(told); got != "map[503 busy:94]" {
		s.t.Errorf("those beyond the seats are told %s", got)
	}
	for _, f := range all {
		f.close()
	}
	synctest.Wait()
}

// slowFrames take their time.
func slowFrames() []attack {
	const cost = "an agent would hold what its sidecar has for as long as it likes, and keep the others out"
	ends := func(name, sends string, gets ...string) attack {
		return attack{name: name, cost: cost, slow: true, framed: []step{{sends, gets}}, closes: true}
	}
	whole := block(asks("GET", "/r/x")...)
	body := func(name, status, sends string, l routetable.Limits, arrives ...string) attack {
		return attack{
			name: name + ", over HTTP 2", cost: cost, slow: true, framed: []step{{sends, []string{status}}}, arrives: arrives,
			set: func(s *stage) { s.route("/r").Limits = &l },
		}
	}
	const cut = "upstream.test: POST /base/x (cut off)"
	silent := body("an upstream that says nothing", "504 idle_timeout", getting(1, "/r/x"), routetable.Limits{IdleTimeout: 60_000})
	limited := silent.set
	silent.arrives = []string{"upstream.test: GET /base/x"}
	silent.set = func(s *stage) {
		limited(s)
		s.upstream("upstream.test").serve = func(conn net.Conn, _ *request) { _, _ = io.Copy(io.Discard, conn) }
	}
	return slices.Concat([]attack{
		ends("a greeting that is not ended", http2.ClientPreface[:20]),
		ends("a greeting without settings", http2.ClientPreface),
		ends("a greeting and no more", "", "GOAWAY NO_ERROR"),
		ends("a header that is not ended, over HTTP 2", frame(http2.FrameHeaders, http2.FlagHeadersEndStream, 1, whole), "GOAWAY NO_ERROR"),
		ends("a frame that is not ended", frame(http2.FrameHeaders, 5, 1, whole)[:20], "GOAWAY NO_ERROR"),
		{
			name: "a header that trickles, over HTTP 2", cost: cost, slow: true,
			does: func(s *scene) {
				f := s.greet()
				f.send(frame(http2.FrameHeaders, http2.FlagHeadersEndStream, 1, whole))
				<-f.sent
				f.trickle(frame(http2.FrameContinuation, 0, 1, "\x00\x01a\x00"))
				f.mustGet(true, "GOAWAY NO_ERROR")
			},
		},
		body("a body that does not come", "408 body_timeout", posting(1, "/r/x", "content-length", "10"), routetable.Limits{BodyTimeout: 60_000}, cut),
		body("a body without a length that does not come", "408 body_timeout", posting(1, "/r/x")+data(1, "a"), routetable.Limits{BodyTimeout: 60_000}, cut),
		body("a body beyond the route's limit", "413 body_too_large", posting(1, "/r/x")+strings.Repeat(data(1, strings.Repeat("a", 256)), 8), routetable.Limits{BodyBytes: 1000}, cut),
		body("a length beyond the route's limit", "413 body_too_large", posting(1, "/r/x", "content-length", "1001"), routetable.Limits{BodyBytes: 1000}),
		body("a header beyond the route's limit", "431 header_too_large", getting(1, "/r/x", "x-a", strings.Repeat("a", 1000)), routetable.Limits{HeaderBytes: 1000}),
		silent,
	}, atATime())
}

// atATime is about requests beside each other on one connection.
func atATime() []attack {
	return []attack{
		{
			name: "more requests than may be in flight, over HTTP 2", cost: "an agent would spend a token on as many requests at a time as it can",
			set: func(s *stage) {
				s.route("/key").Limits = &routetable.Limits{ConcurrentRequests: 1}
				s.upstream("key.test").serve = func(conn net.Conn, _ *request) { _, _ = io.Copy(io.Discard, conn) }
			},
			arrives: []string{"key.test: GET /x"},
			does: func(s *scene) {
				f := s.greet()
				f.send(getting(1, "/key/x"))
				s.mustArrive("key.test: GET /x")
				f.send(getting(3, "/key/y"))
				f.mustGet(false, "429 concurrency_limited")
			},
		},
		{
			name: "a stream of HTTP 2 on a token that was taken away", cost: "a token would work for as long as a stream lasts, though it was revoked",
			arrives: []string{"key.test: GET /x"},
			does: func(s *scene) {
				over := make(chan struct{})
				s.upstream("key.test").serve = func(conn net.Conn, _ *request) {
					defer close(over)
					_, _ = io.WriteString(conn, head("HTTP/1.1 200 OK", "Content-Type: text/event-stream")+"data: 1\n\n")
					_, _ = io.Copy(io.Discard, conn)
				}
				f := s.greet()
				f.send(getting(1, "/key/x"))
				for f.on(1).body == "" && f.read() {
				}
				s.takeAway("/key")
				f.mustGet(true)
				f.close() // or the upstream would wait for as long as this does
				<-over
			},
		},
	}
}
