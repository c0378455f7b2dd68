package attacks

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// echoed answers with the request as it came, as servers for testing do.
func echoed(contentType string, r *request) string {
	return reply(contentType, r.method+" "+r.target+"\r\n"+lines(r.fields)+"\r\n"+r.body)
}

// reply is an answer with a body.
func reply(contentType, body string, more ...string) string {
	return head(append([]string{"HTTP/1.1 200 OK", "Content-Type: " + contentType, "Content-Length: " + strconv.Itoa(len(body))}, more...)...) + body
}

func lines(fields []field) string {
	var b strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&b, "%s: %s\r\n", f.name, f.value)
	}
	return b.String()
}

// inChunks is a body in pieces of so many bytes.
func inChunks(body string, size int) string {
	var b strings.Builder
	for len(body) > 0 {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\n"
}

// echoes has an upstream repeat the credential, or looks for servers that do.
func echoes() []attack {
	const cost = "the agent would read the token, and could spend it anywhere for as long as it lasts"
	t := token(1)
	says := func(name string, answer func(*request) string, gets string) attack {
		return attack{
			name: name, cost: cost, set: func(s *stage) { s.upstream("upstream.test").answer = answer },
			sends: get("/r/x"), gets: []string{gets}, arrives: []string{"upstream.test: GET /base/x"},
		}
	}
	body := func(name, text string) attack {
		return says(name, func(*request) string { return reply("text/plain", "before "+text+" after") }, "200")
	}
	all := []attack{
		says("an echo of the request", func(r *request) string { return echoed("text/plain", r) }, "200"),
		says("an echo in JSON", func(r *request) string {
			return reply("application/json", fmt.Sprintf(`{"headers": %q}`, lines(r.fields)))
		}, "200"),
		body("an echo in base64 of the header's value", base64.StdEncoding.EncodeToString([]byte("Bearer "+t))),
		body("an echo in hex", fmt.Sprintf("%x %X", t, t)),
		body("an echo with percent signs", escaped(t)),
		body("an echo with every byte escaped", everyByte(t, "%%%02x")),
		body("an echo in JSON with every byte escaped", everyByte(t, `\u%04x`)),
		body("an echo in JSON within JSON", strconv.Quote(strconv.Quote(t))),
		says("an echo in a header", func(*request) string {
			return head("HTTP/1.1 200 OK", "Content-Length: 0", "X-Echo: "+t, "X-Echo: Bearer "+t)
		}, "200"),
		says("an echo in a cookie", func(*request) string {
			return head("HTTP/1.1 200 OK", "Content-Length: 0", "Set-Cookie: session="+escaped(t)+"; Path=/")
		}, "200"),
		says("an echo in a redirect", func(*request) string {
			return head("HTTP/1.1 302 Found", "Content-Length: 0", "Location: https://evil.test/?token="+escaped(t))
		}, "302"),
		says("an echo in the reason", func(*request) string { return head("HTTP/1.1 200 "+t, "Content-Length: 0") }, "200"),
		says("an echo in the reason of a status that there is not", func(*request) string { return head("HTTP/1.1 299 "+t, "Content-Length: 0") }, "299"),
		says("an echo in the reason of an interim answer", func(*request) string { return head("HTTP/1.1 103 "+t) + ok }, "200"),
		says("an echo beside no body", func(*request) string { return head("HTTP/1.1 304 Not Modified", `ETag: "`+escaped(t)+`"`) }, "304"),
		says("an echo beside no content", func(*request) string { return head("HTTP/1.1 204 No Content", "X-Echo: "+t) }, "204"),
		says("an echo in a chunk's extension", func(*request) string {
			return head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "1;x=\"" + t[:8] + "\"\r\na\r\n0;" + t + "\r\n\r\n"
		}, "200"),
		says("an echo in a trailer", func(*request) string {
			return head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Trailer: X-Echo") + "1\r\na\r\n0\r\nX-Echo: " + t + "\r\n\r\n"
		}, "200"),
		says("an echo in a trailer that was not announced", func(*request) string {
			return head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "1\r\na\r\n0\r\nX-Echo: " + t + "\r\n\r\n"
		}, "200"),
		says("an echo in an interim answer", func(*request) string {
			return head("HTTP/1.1 103 Early Hints", "Link: <https://a.test/"+escaped(t)+">") + ok
		}, "200"),
		says("an echo in a refusal", func(r *request) string {
			return strings.Replace(echoed("text/plain", r), "200 OK", "401 Unauthorized", 1)
		}, "401"),
		says("an echo in single bytes", func(r *request) string {
			return head("HTTP/1.1 200 OK", "Content-Type: text/plain", "Transfer-Encoding: chunked") + inChunks(lines(r.fields), 1) + "\r\n"
		}, "200"),
		says("an echo without a length", func(r *request) string {
			return head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Connection: close") + "data: " + lines(r.fields)
		}, "200"),
		says("an echo behind a megabyte", func(r *request) string {
			return reply("application/octet-stream", strings.Repeat("x", 1<<20)+lines(r.fields))
		}, "200"),
		says("an echo that is compressed", func(*request) string { return reply("text/plain", "whatever", "Content-Encoding: gzip") }, "502 unreadable"),
		says("an echo that says twice what it is", func(*request) string {
			return reply("text/plain", t, "Content-Encoding: identity", "Content-Encoding: br")
		}, "502 unreadable"),
		says("an echo that is compressed on the way", func(*request) string {
			return head("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked") + inChunks("whatever", 8) + "\r\n"
		}, "502 upstream_unreachable"),
		says("an echo in part", func(*request) string {
			return strings.Replace(reply("text/plain", t[:12], "Content-Range: bytes 0-11/30"), "200 OK", "206 Partial Content", 1)
		}, "502 unreadable"),
		says("an echo of messages that are compressed", func(*request) string {
			return reply("application/grpc", "\x01\x00\x00\x00\x01x")
		}, broken).last(),
	}
	for offset := range 3 {
		text := []byte(strings.Repeat("x", offset) + t + "y")
		all = append(all,
			body(fmt.Sprintf("an echo in base64 at offset %d", offset), base64.StdEncoding.EncodeToString(text)),
			body(fmt.Sprintf("an echo in base64 for URLs at offset %d", offset), base64.URLEncoding.EncodeToString(text)))
	}
	old := says("an echo to HTTP 1.0", func(r *request) string { return echoed("text/plain", r) }, "200").last()
	old.sends = head("GET /r/x HTTP/1.0", "Host: a")
	return append(all, old, attack{
		name: "an echo of a client's offers", cost: cost + ", in a form that is not searched",
		sends: get("/r/x", "Range: bytes=0-11", "If-Range: x", "Accept-Encoding: gzip, br;q=1", "TE: gzip"),
		gets:  []string{"200"}, arrives: []string{"upstream.test: GET /base/x"},
		finds: func(s *scene, got []*request) {
			s.mustHaveField(got, "Range")
			s.mustHaveField(got, "If-Range")
			s.mustHaveField(got, "Accept-Encoding", "identity")
		},
	})
}

func everyByte(text, format string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, format, text[i])
	}
	return b.String()
}

// last is the attack, with which its connection ends.
func (a attack) last() attack {
	a.closes = true
	return a
}
