package attacks

import (
	"bytes"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"credproxy.dev/controller/pkg/routetable"
)

// generations tampers with what is delivered to the sidecar, or goes on with what was taken away.
func generations() []attack {
	const cost = "a token would go to another upstream than it was declared for"
	torn := func(name string, tamper func([]routetable.File) []routetable.File) attack {
		return attack{
			name: name, cost: cost, arrives: []string{"key.test: GET /x"},
			does: func(s *scene) {
				one := s.connect()
				s.stage.files = tamper
				s.push(2)
				s.signals <- syscall.SIGHUP
				s.out.waitFor(s.t, `"event":"refused"`)
				one.send(get("/key/x"))
				if got := one.answer("GET"); got.status != "200" {
					s.t.Errorf("it got %q", got.status)
				}
			},
		}
	}
	return []attack{
		torn("tokens that are exchanged", func(files []routetable.File) []routetable.File {
			files[0].Data, files[1].Data = files[1].Data, files[0].Data
			return files
		}),
		torn("a token that is another's", func(files []routetable.File) []routetable.File {
			files[0].Data = []byte(token(4))
			return files
		}),
		torn("a token that is missing from the set", func(files []routetable.File) []routetable.File { return files[1:] }),
		torn("a document that is cut short", func(files []routetable.File) []routetable.File {
			last := &files[len(files)-1]
			last.Data = last.Data[:len(last.Data)/2]
			return files
		}),
		torn("a document with another upstream", func(files []routetable.File) []routetable.File {
			last := &files[len(files)-1]
			last.Data = bytes.Replace(last.Data, []byte("http://key.test"), []byte("http://upstream.test"), 1)
			return files
		}),
		torn("a document that names a token of before", func(files []routetable.File) []routetable.File {
			last := &files[len(files)-1]
			last.Data = bytes.ReplaceAll(last.Data, []byte("tokens-2/"), []byte("tokens-1/"))
			return files
		}),
		torn("a document that says a thing twice", func(files []routetable.File) []routetable.File {
			last := &files[len(files)-1]
			last.Data = append(bytes.TrimSuffix(last.Data, []byte("}")), `,"listen":":9099"}`...)
			return files
		}),
		torn("a token behind a link", func(files []routetable.File) []routetable.File {
			files[0].Mode = os.ModeSymlink
			return files
		}),
		{
			name: "a stream on a token that was taken away", cost: "a token would work for as long as a stream lasts, though it was revoked",
			set: func(s *stage) {
				s.upstream("key.test").serve = func(conn net.Conn, _ *request) {
					_, _ = io.WriteString(conn, head("HTTP/1.1 200 OK", "Content-Type: text/event-stream")+"data: 1\n\n")
					_, _ = io.Copy(io.Discard, conn)
				}
			},
			arrives: []string{"key.test: GET /x"},
			does: func(s *scene) {
				one := s.connect().send(get("/key/x"))
				if line, err := one.from.ReadString('1'); err != nil {
					s.t.Errorf("it got %q", line)
				}
				s.takeAway("/key")
				if rest := one.end(); strings.Contains(rest, "0\r\n\r\n") {
					s.t.Errorf("the stream has ended as if it was whole: %q", rest)
				}
			},
		},
		{
			name: "the token of before a rotation", cost: "a token that was replaced, since it had leaked, would still be used",
			set: func(s *stage) {
				s.upstream("key.test").adds, s.upstream("key.test").passes = nil, []string{"X-Service-Key"}
			},
			arrives: []string{"key.test: GET /1", "key.test: GET /2"},
			does: func(s *scene) {
				one := s.connect().send(get("/key/1"))
				one.answer("GET")
				s.tokens[slot(2)] = token(4)
				s.push(2)
				s.signals <- syscall.SIGHUP
				s.out.waitFor(s.t, `"event":"reloaded"`)
				one.send(get("/key/2")).answer("GET")
			},
			finds: func(s *scene, got []*request) {
				s.mustHaveField(got[:1], "X-Service-Key", token(2))
				s.mustHaveField(got[1:], "X-Service-Key", token(4))
			},
		},
	}
}

// takeAway delivers a generation in which a route lacks its token.
func (s *scene) takeAway(path string) {
	s.t.Helper()
	s.route(path).Auth, s.route(path).Withheld = nil, routetable.WithheldRevoked
	s.push(2)
	s.signals <- syscall.SIGHUP
}
