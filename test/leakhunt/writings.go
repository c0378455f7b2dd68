package leakhunt

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// writing is one way in which a program writes a value.
type writing struct{ name, text string }

// writings are the ways to write a value from which it can be read again.
func writings(value string) []writing {
	query, path := url.QueryEscape(value), url.PathEscape(value)
	all := []writing{
		{"plain", value},
		{"reversed", reversed(value)},
		{"hex", hex.EncodeToString([]byte(value))},
		{"hex in capitals", strings.ToUpper(hex.EncodeToString([]byte(value)))},
		{"bytes with spaces", decimal(value, " ")}, // as fmt prints a []byte
		{"bytes with commas", decimal(value, ",")},
		{"URL query", query},
		{"URL query in small letters", smallEscapes(query)},
		{"URL path", path},
		{"URL path in small letters", smallEscapes(path)},
		{"HTML", html.EscapeString(value)},
	}
	for _, once := range quoted(value) {
		all = append(all, writing{"JSON", once})
		for _, twice := range quoted(once) { // a line of JSON in a log that is kept as JSON
			all = append(all, writing{"JSON within JSON", twice})
		}
	}
	for before := range 3 {
		name := "base64 at offset " + strconv.Itoa(before)
		all = append(all,
			writing{name, innerBase64(base64.RawStdEncoding, value, before)},
			writing{name + " for URLs", innerBase64(base64.RawURLEncoding, value, before)})
	}
	return all
}

// quoted are the ways to write a text between quotes, with and without regard to HTML.
func quoted(text string) []string {
	return []string{asJSON(text, true), asJSON(text, false), within(strconv.QuoteToASCII(text))}
}

func asJSON(text string, escapeHTML bool) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(escapeHTML)
	_ = encoder.Encode(text) // a string always has an encoding
	return within(strings.TrimSpace(out.String()))
}

// within is a quoted text without its quotes.
func within(quoted string) string { return quoted[1 : len(quoted)-1] }

// innerBase64 is the part of the encoding of a text with some bytes before the value that tells of the value alone.
func innerBase64(encoding *base64.Encoding, value string, before int) string {
	encoded := encoding.EncodeToString([]byte(strings.Repeat("x", before) + value))
	from, to := (before*8+5)/6, (before+len(value))*8/6
	return encoded[from:to]
}

// smallEscapes is an URL-escaped text with %2f in the place of %2F.
func smallEscapes(escaped string) string {
	out := []byte(escaped)
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i+1:i+3], bytes.ToLower(out[i+1:i+3]))
		}
	}
	return string(out)
}

func decimal(value, separator string) string {
	numbers := make([]string, len(value))
	for i := range len(value) {
		numbers[i] = strconv.Itoa(int(value[i]))
	}
	return strings.Join(numbers, separator)
}

func reversed(value string) string {
	out := []byte(value)
	slices.Reverse(out)
	return string(out)
}

// digests are those by which a value can be recognised, and guessed at: of itself, of the line that it makes in a file, and
// of a header's value.
func digests(value string) (all []writing) {
	for _, of := range []writing{{"the value", value}, {"the line", value + "\n"}, {"Bearer and the value", "Bearer " + value}} {
		for _, sum := range sums([]byte(of.text)) {
			for _, text := range digestTexts(sum.text) {
				all = append(all, writing{sum.name + " of " + of.name + text.name, text.text})
			}
		}
	}
	return all
}

// sums are the digests of a message as bytes.
func sums(message []byte) []writing {
	a, b, c := md5.Sum(message), sha1.Sum(message), sha256.Sum256(message)
	return []writing{{"MD5", string(a[:])}, {"SHA-1", string(b[:])}, {"SHA-256", string(c[:])}}
}

// digestTexts are the ways to write a digest.
func digestTexts(sum string) []writing {
	small := hex.EncodeToString([]byte(sum))
	return []writing{
		{" in bytes", sum},
		{" in hex", small},
		{" in hex in capitals", strings.ToUpper(small)},
		{" in base64", base64.RawStdEncoding.EncodeToString([]byte(sum))},
		{" in base64 for URLs", base64.RawURLEncoding.EncodeToString([]byte(sum))},
	}
}
