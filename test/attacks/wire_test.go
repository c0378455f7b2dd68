package attacks

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// field is a header or trailer field as it was written.
type field struct{ name, value string }

// request is one as it reached an upstream.
type request struct {
	host           string
	method, target string
	fields         []field
	body           string
	trailers       []field
	// whole is whether its header came to its end.
	whole bool
	// cut is whether it broke off.
	cut bool
	// why says what is malformed in it, such that another server might read another request; empty when nothing is.
	why string
}

// wire reads requests as RFC 9112 has them and not as any server would forgive.
type wire struct{ *bufio.Reader }

var errMalformed = errors.New("malformed")

func malformed(format string, about ...any) error {
	return fmt.Errorf("%w: %s", errMalformed, fmt.Sprintf(format, about...))
}

// next reads a request, and calls goOn once its header is there. It is nil with io.EOF between two requests.
func (w wire) next(host string, goOn func(*request)) (*request, error) {
	if _, err := w.Peek(1); err != nil {
		return nil, io.EOF
	}
	r := &request{host: host}
	err := w.head(r)
	if r.whole = err == nil; r.whole {
		goOn(r)
		err = w.content(r)
	}
	switch {
	case errors.Is(err, errMalformed):
		r.why = err.Error()
	case err != nil:
		r.cut = true
	}
	return r, err
}

func (w wire) head(r *request) error {
	line, err := w.line()
	if err != nil {
		return err
	}
	parts := strings.Split(line, " ")
	if len(parts) != 3 || parts[2] != "HTTP/1.1" || !isName(parts[0]) {
		return malformed("the request line %q", line)
	}
	r.method, r.target = parts[0], parts[1]
	if !strings.HasPrefix(r.target, "/") || strings.ContainsFunc(r.target, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return malformed("the target %q", r.target)
	}
	r.fields, err = w.fields()
	return err
}

// fields reads lines up to the empty one.
func (w wire) fields() (all []field, err error) {
	for {
		line, err := w.line()
		if line == "" || err != nil {
			return all, err
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isName(name) {
			return all, malformed("the field %q", line)
		}
		all = append(all, field{name, strings.Trim(value, " \t")})
	}
}

// line is one without its CRLF, and without any other control character.
func (w wire) line() (string, error) {
	line, err := w.ReadString('\n')
	if err != nil {
		return "", err
	}
	text, ok := strings.CutSuffix(line, "\r\n")
	if !ok || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
		return "", malformed("the line %q", line)
	}
	return text, nil
}

// content reads the body by its framing, of which there is one (RFC 9112 section 6.3).
func (w wire) content(r *request) error {
	lengths, codings := r.values("Content-Length"), r.values("Transfer-Encoding")
	switch {
	case len(lengths)+len(codings) == 0:
		return nil
	case len(lengths)+len(codings) > 1:
		return malformed("it is framed by lengths %q and codings %q", lengths, codings)
	case len(codings) == 1 && codings[0] != "chunked":
		return malformed("the coding %q", codings[0])
	case len(codings) == 1:
		return w.chunks(r)
	}
	n, err := strconv.ParseUint(lengths[0], 10, 31)
	if err != nil || strconv.FormatUint(n, 10) != lengths[0] {
		return malformed("the length %q", lengths[0])
	}
	return w.take(r, int64(n))
}

func (w wire) chunks(r *request) (err error) {
	for {
		line, err := w.line()
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(line, 16, 31)
		if err != nil || strings.ToLower(line) != strconv.FormatUint(n, 16) {
			return malformed("the chunk size %q", line)
		}
		if n == 0 {
			r.trailers, err = w.fields()
			return err
		}
		if err := w.take(r, int64(n)); err != nil {
			return err
		}
		end, err := w.line()
		if err != nil {
			return err
		}
		if end != "" {
			return malformed("what follows a chunk, %q", end)
		}
	}
}

// take reads a piece of the body.
func (w wire) take(r *request, n int64) error {
	var piece strings.Builder
	_, err := io.CopyN(&piece, w, n)
	r.body += piece.String()
	return err
}

// values are those of a field, by its exact name in any case.
func (r *request) values(name string) (all []string) {
	for _, f := range r.fields {
		if strings.EqualFold(f.name, name) {
			all = append(all, f.value)
		}
	}
	return all
}

// String is what tables of attacks name it by.
func (r *request) String() string {
	s := r.host + ": " + r.method + " " + r.target
	switch {
	case r.why != "":
		s += " (" + r.why + ")"
	case r.cut:
		s += " (cut off)"
	}
	return s
}

// isName tells the tokens of RFC 9110 section 5.6.2.
func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}
