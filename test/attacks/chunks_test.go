package attacks

import (
	"strconv"
	"strings"
)

// hex is the length of a text as a chunk has it, and len10 as Content-Length does.
func hex(text string) string   { return strconv.FormatInt(int64(len(text)), 16) }
func len10(text string) string { return strconv.Itoa(len(text)) }

// chunks abuses how a body in chunks is framed (RFC 9112 section 7.1).
func chunks() []attack {
	const cost = "a server that reads the chunks otherwise would find a request in the body that no rule has judged"
	broken := func(name, body string) attack {
		return attack{
			name: name, cost: cost, sends: chunked("/r/x", body), gets: []string{"400 bad_request"}, closes: true,
			arrives: []string{"upstream.test: POST /base/x (cut off)"},
		}
	}
	passes := func(name, body, content string) attack {
		return attack{
			name: name, cost: cost, sends: chunked("/r/x", body), gets: []string{"200"},
			arrives: []string{"upstream.test: POST /base/x"},
			finds:   func(s *scene, got []*request) { s.mustHave(got, content) },
		}
	}
	return []attack{
		passes("a chunk extension", "1;a=b;c=\"d\"\r\na\r\n0;x\r\n\r\n", "a"),
		broken("a chunk extension without end", "1;"+strings.Repeat("a", 20<<10)+"\r\na\r\n0\r\n\r\n"),
		passes("a chunk extension that hides a chunk", "1;\r\na\r\n0\r\n\r\n", "a"),
		broken("a chunk extension with LF", "1;a\nb\r\na\r\n0\r\n\r\n"),
		broken("a chunk extension with CR", "1;a\rb\r\na\r\n0\r\n\r\n"),
		broken("a chunk size with a prefix", "0x1\r\na\r\n0\r\n\r\n"),
		broken("a chunk size with a sign", "+1\r\na\r\n0\r\n\r\n"),
		broken("a chunk size with an underscore", "1_0\r\n0123456789abcdef\r\n0\r\n\r\n"),
		broken("a chunk size below zero", "-1\r\na\r\n0\r\n\r\n"),
		broken("a chunk size beyond all numbers", "10000000000000001\r\na\r\n0\r\n\r\n"),
		broken("an empty chunk size", "\r\na\r\n0\r\n\r\n"),
		broken("a chunk that is longer than its size", "1\r\nab\r\n0\r\n\r\n"),
		broken("a chunk without its end", "1\r\na0\r\n\r\n"),
		broken("a chunk whose end is two bytes of another kind", "1\r\naXX0\r\n\r\n"),
		broken("a last chunk in the midst", "1\r\na\r\n00x\r\n\r\n"),
		passes("a last chunk of several zeros", "1\r\na\r\n0000\r\n\r\n", "a"),
		passes("many tiny chunks", strings.Repeat("1\r\na\r\n", 100)+"0\r\n\r\n", strings.Repeat("a", 100)),
		{
			name: "a request behind the last chunk", cost: "it would be taken for trailers by one server, and for a request by the next",
			sends: chunked("/r/x", "0\r\n\r\n") + get("/r/../y") + get("/r/z"),
			gets:  []string{"200", "400 bad_path", "200"}, arrives: []string{"upstream.test: POST /base/x", "upstream.test: GET /base/z"},
		},
	}
}
