package page

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/spec"
)

// moment is a time as it is shown: Exact for machines and for those who want to know, Ago for everybody, and For how long what began
// then has lasted. All are empty for a time that nobody knows.
type moment struct{ Exact, Ago, For string }

// momentOf says how long ago, or in how long, a time is.
func momentOf(t, now time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	d := now.Sub(t)
	m := moment{t.UTC().Format(time.RFC3339), "now", span(max(0, d))}
	switch {
	case d >= time.Second:
		m.Ago = span(d) + " ago"
	case d <= -time.Second:
		m.Ago = "in " + span(-d)
	}
	return m
}

// momentOfPointer is that of a time in a status, which has none where nobody knows.
func momentOfPointer(t *metav1.Time, now time.Time) moment {
	if t == nil {
		return moment{}
	}
	return momentOf(t.Time, now)
}

// span is a duration in the one unit that tells most.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d/time.Second))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d/time.Minute))
	case d < 2*day:
		return fmt.Sprintf("%d h", int(d/time.Hour))
	}
	return fmt.Sprintf("%d days", int(d/day))
}

// count is a number of things, with separators, and from a hundred thousand on in short.
func count(n int64) string {
	switch {
	case n >= 10_000_000:
		return fmt.Sprintf("%.1fM", float64(n)/1e6)
	case n >= 100_000:
		return fmt.Sprintf("%dk", n/1000)
	case n >= 1000:
		return fmt.Sprintf("%d,%03d", n/1000, n%1000)
	}
	return strconv.FormatInt(n, 10)
}

// size is a number of bytes, in decimal units.
func size(n int64) string {
	value, unit := float64(n), 0
	units := []string{"B", "kB", "MB", "GB", "TB", "PB"}
	for value >= 1000 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	if unit == 0 || value >= 100 {
		return fmt.Sprintf("%.0f %s", value, units[unit])
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}

// millis is a time of a request.
func millis(n int64) string {
	if n < 10_000 {
		return count(n) + " ms"
	}
	return span(time.Duration(n) * time.Millisecond)
}

// many is a number with its noun.
func many(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(int64(n)) + " " + more
}

// legible writes out the characters that show as nothing, or that change how others show, such as those that turn the direction
// of a line around. The page's own text has none, so that what has them came from a file, an engine or a sidecar.
func legible(page []byte) []byte {
	out := make([]byte, 0, len(page)+len(page)/64)
	for at := 0; at < len(page); {
		if b := page[at]; b < utf8.RuneSelf && (b >= ' ' && b != 0x7f || b == '\n' || b == '\t') {
			out = append(out, b)
			at++
			continue
		}
		r, n := utf8.DecodeRune(page[at:])
		if spec.IsPrintable(r) {
			out = append(out, page[at:at+n]...)
		} else {
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		at += n
	}
	return out
}

// short is the beginning of a text that is too long for a list.
func short(text string, most int) string {
	if len(text) <= most {
		return text
	}
	cut := strings.ToValidUTF8(text[:most], "")
	if space := strings.LastIndexByte(cut, ' '); space > most/2 {
		cut = cut[:space]
	}
	return cut + " …"
}
