package proxy

import (
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	// maxLoggedPath bounds what a line shows of a request's path, in bytes. A person knows a path by its beginning.
	maxLoggedPath = 256
	// logTime is RFC 3339 with milliseconds.
	logTime = "2006-01-02T15:04:05.000Z07:00"
)

// audit writes a line of JSON for each request. It makes the line itself, since slog takes four times as long, and allocates.
type audit struct {
	out io.Writer
	// spec is its name; empty in a sidecar that does not know it.
	spec  string
	lines sync.Pool
}

func newAudit(out io.Writer, spec string) *audit {
	return &audit{out: out, spec: spec, lines: sync.Pool{New: func() any { return new(make([]byte, 0, 1<<10)) }}}
}

// request writes what may be known of a request: never its query, header or body.
func (a *audit) request(e *exchange, r *http.Request, took time.Duration) {
	buffer, _ := a.lines.Get().(*[]byte)
	b := a.begin((*buffer)[:0], e.begun.Add(took), "INFO", "request")
	b = appendText(b, `,"route":`, e.route)
	b = appendText(b, `,"method":`, knownMethod(r.Method))
	b = appendText(b, `,"path":`, cutPath(r.URL.EscapedPath()))
	b = appendNumber(b, `,"status":`, int64(e.status))
	if e.upstream != 0 {
		b = appendNumber(b, `,"upstream_status":`, int64(e.upstream))
	}
	b = appendNumber(b, `,"request_bytes":`, e.received())
	b = appendNumber(b, `,"response_bytes":`, e.sent())
	b = appendMillis(b, `,"duration_ms":`, took)
	if e.upstream != 0 {
		b = appendMillis(b, `,"first_byte_ms":`, e.firstByte)
	}
	b = strconv.AppendBool(append(b, `,"credential":`...), e.credential)
	if code := e.outcome(); code != "" {
		b = appendText(b, `,"error":`, code)
	}
	if e.warned != "" {
		b = appendText(b, `,"warning":`, e.warned)
	}
	if e.scrub.found.Load() {
		b = append(b, `,"scrubbed":true`...)
	}
	b = append(b, '}', '\n')
	_, _ = a.out.Write(b)
	*buffer = b
	a.lines.Put(buffer)
}

// refused writes how many refusals got no line of their own.
func (a *audit) refused(route, code string, n int64) {
	b := a.begin(nil, time.Now(), "WARN", "more requests were refused")
	b = appendText(b, `,"route":`, route)
	b = appendText(b, `,"error":`, code)
	b = appendNumber(b, `,"requests":`, n)
	_, _ = a.out.Write(append(b, '}', '\n'))
}

func (a *audit) begin(b []byte, at time.Time, level, message string) []byte {
	b = at.AppendFormat(append(b, `{"time":"`...), logTime)
	b = appendText(append(b, '"'), `,"level":`, level)
	b = appendText(b, `,"msg":`, message)
	if a.spec != "" {
		b = appendText(b, `,"spec":`, a.spec)
	}
	return b
}

// outcome is why an exchange did not end well; empty when it did.
func (e *exchange) outcome() string {
	if e.code == "" && !e.finished {
		return "cut_off"
	}
	return e.code
}

// knownMethod keeps text of a client's own invention out of the log.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return method
	}
	return "OTHER"
}

// cutPath shortens an escaped path, which is ASCII.
func cutPath(path string) string {
	if len(path) <= maxLoggedPath {
		return path
	}
	return path[:maxLoggedPath] + "…"
}

// appendText adds a key and a string. What JSON does not take as it is, and what a terminal would act on, is escaped.
func appendText(b []byte, key, text string) []byte {
	b = append(append(b, key...), '"')
	plain := 0
	for i := 0; i < len(text); {
		c, size := rune(text[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRuneInString(text[i:])
		}
		if isPlain(c, size) {
			i += size
			continue
		}
		b = appendEscape(append(b, text[plain:i]...), c)
		i += size
		plain = i
	}
	return append(append(b, text[plain:]...), '"')
}

// isPlain reports whether a rune of that many bytes may stand as it is: no control character, and nothing that is not UTF-8.
func isPlain(c rune, size int) bool {
	return c >= ' ' && c != '"' && c != '\\' && (c < 0x7f || c > 0x9f) && (c != utf8.RuneError || size > 1) && c != '\u2028' && c != '\u2029'
}

func appendEscape(b []byte, c rune) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[c>>12&15], hex[c>>8&15], hex[c>>4&15], hex[c&15])
}

func appendNumber(b []byte, key string, n int64) []byte {
	return strconv.AppendInt(append(b, key...), n, 10)
}

// appendMillis adds a time in milliseconds, to the microsecond.
func appendMillis(b []byte, key string, d time.Duration) []byte {
	micros := max(0, d.Microseconds())
	b = strconv.AppendInt(append(b, key...), micros/1000, 10)
	rest := micros % 1000
	return append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
}
