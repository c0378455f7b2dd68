package attacks

import (
	"bufio"
	"io"
	"net"
	"strings"
)

const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

// webSocket is the handshake of RFC 6455.
func webSocket(target string, more ...string) string {
	return get(target, append([]string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}, more...)...)
}

// switches has the upstream of /r agree to another protocol, and then say something in it.
func switches(answer, first string) func(*stage) {
	return func(s *stage) {
		s.upstream("upstream.test").serve = func(conn net.Conn, _ *request) { _, _ = io.WriteString(conn, answer+first) }
	}
}

// upgrades has a connection speak something else than HTTP, in which no rule is known.
func upgrades() []attack {
	const cost = "a tunnel would carry requests past every rule, with what the upstream trusts a connection of the sidecar for"
	arrives := []string{"upstream.test: GET /base/x"}
	passes := func(name, sends string) attack {
		return attack{
			name: name, cost: cost, sends: sends, gets: []string{"200"}, arrives: arrives,
			finds: func(s *scene, got []*request) {
				s.mustHaveField(got, "Upgrade")
				s.mustHaveField(got, "Http2-Settings")
			},
		}
	}
	t := token(1)
	says := func(name, frames string) attack {
		return attack{
			name: name, cost: "the agent would read the token, and could spend it anywhere for as long as it lasts",
			set: switches(switching, frames), arrives: arrives,
		}.with(strings.ReplaceAll(strings.ReplaceAll(frames, t[:5], "*****"), t[5:], strings.Repeat("*", len(t)-5)))
	}
	return []attack{
		passes("an upgrade to HTTP 2", get("/r/x", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")),
		passes("an upgrade to HTTP 2 that Connection names in part", get("/r/x", "Connection: Upgrade", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")),
		passes("an upgrade to TLS", get("/r/x", "Connection: upgrade", "Upgrade: TLS/1.0")),
		passes("an upgrade to several protocols", get("/r/x", "Connection: Upgrade", "Upgrade: websocket, h2c")),
		passes("an upgrade in two fields", get("/r/x", "Connection: Upgrade", "Upgrade: websocket", "Upgrade: h2c")),
		passes("an upgrade that almost says WebSocket", get("/r/x", "Connection: Upgrade", "Upgrade: websocket/13")),
		passes("an upgrade that Connection does not name", get("/r/x", "Upgrade: h2c")),
		{
			name: "an upgrade of a POST", cost: cost, arrives: []string{"upstream.test: POST /base/x"},
			sends: post("/r/x", "abc", "Connection: Upgrade", "Upgrade: websocket"), gets: []string{"200"},
			finds: func(s *scene, got []*request) { s.mustHaveField(got, "Upgrade") },
		},
		{
			name: "half a preface of HTTP 2", cost: cost + ", and which the limits of neither HTTP bound",
			sends: "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", gets: []string{"400 bad_path"}, closes: true,
		},
		{
			name: "a switch that nobody asked for", cost: cost, set: switches(switching, "anything"),
			sends: get("/r/x"), gets: []string{"502 upstream_unreachable"}, arrives: arrives,
		},
		{
			name: "a switch to another protocol than was asked for", cost: cost, set: switches(strings.Replace(switching, "websocket", "h2c", 1), "anything"),
			sends: webSocket("/r/x"), gets: []string{"502 upstream_unreachable"}, arrives: arrives,
		},
		{
			name: "a handshake that the upstream declines", cost: "what follows would go through as through a WebSocket, past every rule",
			set: func(s *stage) {
				s.upstream("upstream.test").answer = func(*request) string { return head("HTTP/1.1 426 Upgrade Required", "Content-Length: 0") }
			},
			sends: webSocket("/r/x", "Sec-WebSocket-Version: 777") + get("/r/../admin") + get("/key/y"),
			gets:  []string{"426", "400 bad_path", "200"}, arrives: append([]string{"key.test: GET /y"}, arrives...),
		},
		{
			name: "an echo in a handshake", cost: "the agent would read the token, and could spend it anywhere for as long as it lasts",
			set:   switches(strings.Replace(switching, "\r\n\r\n", "\r\nX-Echo: "+token(1)+"\r\nSec-WebSocket-Protocol: "+escaped(token(1))+"\r\n\r\n", 1), ""),
			sends: webSocket("/r/x"), gets: []string{"101"}, closes: true, arrives: arrives,
		},
		says("an echo in a message of several frames", "\x01\x05"+t[:5]+"\x89\x00\x00\x00\x80"+string(rune(len(t)-5))+t[5:]),
		says("an echo in a ping", "\x89"+string(rune(len(t)))+t),
		says("an echo in a reason to close", "\x88"+string(rune(len(t)+2))+"\x03\xe8"+t),
		says("an echo in a WebSocket", "\x81"+string(rune(len(t)))+t),
		{
			name: "a WebSocket with extensions", cost: "messages would come compressed, with a token in a form that is not searched",
			set:   switches(strings.Replace(switching, "\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 1), ""),
			sends: webSocket("/r/x", "Sec-WebSocket-Extensions: permessage-deflate"), gets: []string{"502 unreadable"}, arrives: arrives,
			finds: func(s *scene, got []*request) { s.mustHaveField(got, "Sec-WebSocket-Extensions") },
		},
		{
			name: "a WebSocket without frames", cost: "a token that is no message would not be searched",
			set: switches(switching, "\xff\xff"+token(1)), arrives: arrives,
			sends: webSocket("/r/x"), gets: []string{"101"}, closes: true,
		},
		{
			name: "requests within a WebSocket", cost: "what stands in it would be judged as requests and get a credential, or end what is judged",
			set: func(s *stage) {
				s.upstream("upstream.test").serve = func(conn net.Conn, _ *request) {
					_, _ = io.WriteString(conn, switching)
					line, _ := bufio.NewReader(conn).ReadString('\n')
					_, _ = io.WriteString(conn, "\x81"+string(rune(len(line)))+line)
				}
			},
			arrives: arrives,
			does: func(s *scene) {
				a := s.connect().send(webSocket("/r/x"))
				if got := a.answer("GET"); got.status != "101" {
					s.t.Errorf("got %q", got.status)
				}
				const smuggled = "GET /key/smuggled HTTP/1.1\r\n"
				if rest := a.send(smuggled).end(); rest != "\x81"+string(rune(len(smuggled)))+smuggled {
					s.t.Errorf("got %q", rest)
				}
			},
		},
	}
}

// with is the attack, behind whose answer this comes, and the end.
func (a attack) with(rest string) attack {
	a.does = func(s *scene) {
		one := s.connect().send(webSocket("/r/x"))
		if got := one.answer("GET"); got.status != "101" {
			s.t.Errorf("got %q", got.status)
		}
		if got := one.end(); got != rest {
			s.t.Errorf("then came %q, not %q", got, rest)
		}
	}
	return a
}
