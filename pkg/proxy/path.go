package proxy

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxEncodings bounds how often a path may be percent-encoded, so that undoing it is linear.
const maxEncodings = 4

// badPath says why a request's escaped path is not forwarded; it is empty when nothing is wrong.
//
// A path is judged by everything that a server behind us might make of it: servers are known to decode twice, to take
// \ for / and to cut off parameters (;…), or a query or fragment that only decoding has brought to light (?…, #…), before
// they resolve dot segments (RFC 3986 section 5.2.4). If any of that could lead out of the route's prefix, the path is
// refused. An encoded slash stays legal: @scope%2fname is a name.
func badPath(escaped string) string {
	if !strings.HasPrefix(escaped, "/") {
		return "the request target has to be a path that begins with /"
	}
	if !strings.ContainsAny(escaped, `%\`) {
		return badDecodedPath(escaped)
	}
	if !utf8.ValidString(decodeOnce(escaped)) {
		// Overlong forms of a dot or slash are not UTF-8 (RFC 3629 section 3), but some decoders take them.
		return "the path is not UTF-8"
	}
	for range maxEncodings + 1 {
		if why := badDecodedPath(escaped); why != "" {
			return why
		}
		decoded := decodeOnce(escaped)
		if decoded == escaped {
			return ""
		}
		escaped = decoded
	}
	return "the path is percent-encoded over and over"
}

func badDecodedPath(path string) string {
	switch {
	case strings.Contains(path, "/.") && hasDotSegment(path), looksLikeDots(path):
		return "the path has a dot segment (. or ..)"
	case strings.Contains(path, `\`):
		return `the path has a backslash`
	case strings.ContainsFunc(path, isControl):
		return "the path has a control character"
	}
	return ""
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// hasDotSegment sees through what some servers cut off first: parameters, a query, a fragment, trailing spaces.
func hasDotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if end := strings.IndexAny(segment, ";?#"); end >= 0 {
			segment = segment[:end]
		}
		segment = strings.TrimRight(segment, " ")
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// looksLikeDots reports whether there is a dot segment for a server that takes characters for those of ASCII that look like them, by
// Unicode's compatibility (UAX 15, NFKC) or by what Windows calls the best fit.
func looksLikeDots(path string) bool {
	if !strings.ContainsFunc(path, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return false
	}
	var plain strings.Builder
	for _, r := range path {
		plain.WriteString(lookAlike(r))
	}
	return hasDotSegment(plain.String())
}

// lookAlike is what such a server makes of a character, and of a backslash.
func lookAlike(r rune) string {
	switch r {
	case '\u2024', '\ufe52', '\uff0e':
		return "."
	case '\u2025':
		return ".."
	case '\u2044', '\u2215', '\uff0f', '\u2216', '\ufe68', '\uff3c', '\\':
		return "/"
	case '\uff03', '\uff1b', '\uff1f':
		return ";" // or # or ?: whatever ends a segment
	}
	return string(r)
}

// decodeOnce undoes one percent-encoding; what is not one stays as it is.
func decodeOnce(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	if decoded, err := url.PathUnescape(s); err == nil {
		return decoded
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+3 <= len(s) {
			if decoded, err := url.PathUnescape(s[i : i+3]); err == nil {
				b.WriteString(decoded)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// beginsAuthority reports whether what is left of a path below the route's prefix begins with two slashes, encoded or
// not. A server that resolves its request target as a reference would take what follows for a host (RFC 3986
// section 4.2).
func beginsAuthority(rest string) bool {
	for range maxEncodings {
		if strings.HasPrefix(rest, "//") {
			return true
		}
		rest = decodeOnce(rest)
	}
	return strings.HasPrefix(rest, "//")
}
