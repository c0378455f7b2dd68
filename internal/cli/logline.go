package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"credproxy.dev/controller/internal/terminal"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// logEntry is a line of a sidecar's log as people read it, cleaned.
type logEntry struct {
	at    time.Time
	level string
	words string
	// bad is true of a request that did not go well.
	bad bool
}

// logField is a field of a line. Its value is cleaned, and a text without its quotes.
type logField struct{ name, value string }

// readLogLine makes an entry of a line. One that is no object of JSON is told as it is.
func readLogLine(line reconcile.LogLine) logEntry {
	fields, ok := logFields(line.Text)
	if !ok || line.Cut {
		words := oneLine(line.Text)
		if line.Cut {
			words += " … (it is longer)"
		}
		return logEntry{at: line.Time, words: words}
	}
	e := logEntry{at: line.Time}
	known := map[string]string{}
	for _, f := range fields {
		known[f.name] = f.value
	}
	if at, err := time.Parse(time.RFC3339Nano, known["time"]); err == nil {
		e.at = at
	}
	e.level = terminal.Cut(known["level"], len("ERROR"))
	told := map[string]bool{"time": true, "level": true, "msg": true, "spec": true}
	e.words = known["msg"]
	if e.words == "request" && known["method"] != "" && known["status"] != "" {
		e.words = fmt.Sprintf("%s %s → %s", known["method"], known["path"], known["status"])
		if ms := known["duration_ms"]; ms != "" {
			e.words += " in " + ms + " ms"
		}
		for _, name := range []string{"method", "path", "status", "duration_ms"} {
			told[name] = true
		}
		status, _ := strconv.Atoi(known["status"])
		e.bad = status >= 400 || known["error"] != ""
	}
	for _, f := range fields {
		if !told[f.name] {
			e.words += " " + f.name + "=" + quoteWhereNeeded(f.value)
		}
	}
	return e
}

// logFields are the fields of a line that is one object of JSON, in their order.
func logFields(text string) (fields []logField, ok bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, false
		}
		name, isText := key.(string)
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil || !isText {
			return nil, false
		}
		value := string(raw)
		if raw[0] == '"' {
			_ = json.Unmarshal(raw, &value) // it was decoded before
		}
		fields = append(fields, logField{oneLine(name), oneLine(value)})
	}
	if _, err := decoder.Token(); err != nil {
		return nil, false
	}
	_, err := decoder.Token()
	return fields, err == io.EOF
}

// quoteWhereNeeded quotes a value in which somebody might see the end too early.
func quoteWhereNeeded(value string) string {
	if value == "" || strings.ContainsAny(value, " \"=") {
		return strconv.Quote(value)
	}
	return value
}

// paint is the colour in which a line's level is shown.
func (e logEntry) paint() terminal.Paint {
	switch {
	case e.level == "ERROR":
		return terminal.Red
	case e.level == "WARN", e.bad:
		return terminal.Yellow
	}
	return terminal.Dim
}

// logObject is a line as an object of JSON on one line, with its container behind the fields that the sidecar has written: of two fields of
// one name, readers take the last. A line that is no object is the message of one.
func logObject(from reconcile.LogSource, line reconcile.LogLine) string {
	var written bytes.Buffer
	if _, ok := logFields(line.Text); !ok || line.Cut || json.Compact(&written, []byte(line.Text)) != nil {
		written.Reset()
		written.WriteString("{")
		if !line.Time.IsZero() { // an engine may not say when
			fmt.Fprintf(&written, `"time":%s,`, quoteJSON(line.Time.Format(time.RFC3339Nano)))
		}
		fmt.Fprintf(&written, `"msg":%s`, quoteJSON(line.Text))
		if line.Cut {
			written.WriteString(`,"cut":true`)
		}
		written.WriteString("}")
	}
	fields := strings.TrimSuffix(escapeUnprintable(written.String()), "}")
	if fields != "{" {
		fields += ","
	}
	return fmt.Sprintf(`%s"container":%s,"containerID":%s}`, fields, quoteJSON(from.ContainerName), quoteJSON(oneLine(short(from.ContainerID))))
}

// quoteJSON is a text as JSON has it, in which nothing could steer a terminal.
func quoteJSON(text string) string {
	quoted, _ := json.Marshal(text) // a text always encodes
	return escapeUnprintable(string(quoted))
}

// escapeUnprintable writes what a terminal might act on as escapes. In valid JSON it stands in texts alone, where an escape means the same.
func escapeUnprintable(valid string) string {
	var b strings.Builder
	for _, r := range valid {
		switch {
		case r == utf8.RuneError || r > unicode.MaxASCII && !spec.IsPrintable(r) || r == 0x7f:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
